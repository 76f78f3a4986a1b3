//! Rebuilds, one after another: those that the follower wants, and those that operators ask for.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::Position;
use projections::sql::SqlModel;
use tokio::sync::{mpsc, oneshot};

use super::build::{BuildError, Which, rebuild};
use super::database::{set_aside, set_aside_if_ruined};
use super::follow::RETRY_PAUSE;
use super::{Phase, Projector, Shared};

/// The name that stands for every projection.
pub const ALL: &str = "all";
/// How many requests may wait. One more is refused.
pub(super) const MAX_WAITING: usize = 64;
/// How often a requested rebuild is tried again after its database failed.
const REQUEST_RETRIES: u32 = 8;

/// A request that waits.
pub(super) struct Request {
    /// The name in the request.
    pub name: String,
    /// The models to build.
    pub models: Vec<&'static SqlModel>,
    pub done: oneshot::Sender<Result<Position, String>>,
}

/// The projector's end of the requests.
pub(super) type Requests = mpsc::Receiver<Request>;

/// A request that waits or is carried out.
pub struct Rebuilding(pub(super) oneshot::Receiver<Result<Position, String>>);

impl Rebuilding {
    /// Waits until the rebuild is done. Returns the position that the new tables have reached.
    ///
    /// # Errors
    /// The reason why it was not done. The old tables go on serving.
    pub async fn done(self) -> Result<Position, String> {
        self.0.await.unwrap_or_else(|_| Err("the server stopped, or has too many requests for rebuilds".to_owned()))
    }
}

impl Projector {
    /// Requests a rebuild of the projection of this name, or of `all`. The old tables serve meanwhile. `None` if there
    /// is no such projection.
    pub fn rebuild(&self, name: &str) -> Option<Rebuilding> {
        let all = self.0.models.iter().copied();
        let models: Vec<_> = all.filter(|model| name == ALL || name == model.name).collect();
        if models.is_empty() {
            return None;
        }
        let (done, built) = oneshot::channel();
        // If the queue is full, the request is dropped, and its sender sees that it failed.
        let _ = self.0.requests.try_send(Request { name: name.to_owned(), models, done });
        Some(Rebuilding(built))
    }
}

/// Carries out the follower's and the operators' rebuilds, one after another, for ever.
pub(super) async fn build_what_is_wanted(shared: Arc<Shared>, mut requests: Requests) {
    let mut wanted = shared.wanted.subscribe();
    loop {
        let names = wanted.borrow_and_update().clone();
        if !names.is_empty() {
            shared.build_wanted(&names).await;
            continue;
        }
        tokio::select! {
            biased;
            _ = wanted.changed() => {}
            Some(request) = requests.recv() => shared.carry_out(request).await,
        }
    }
}

impl Shared {
    async fn build_wanted(&self, names: &BTreeSet<&'static str>) {
        let models: Vec<_> = self.models.iter().copied().filter(|model| names.contains(model.name)).collect();
        match self.build(&models, Which::Unfit, |_| {}).await {
            Ok(position) => {
                tracing::info!(
                    "read models built up to position {position}: {}",
                    models.iter().map(|model| model.name).collect::<Vec<_>>().join(", ")
                );
                self.wanted.send_modify(|wanted| wanted.retain(|name| !names.contains(name)));
            }
            Err(error) if error.is_final() => {
                // An event that one model cannot take in must not stop the other models' builds.
                if let (BuildError::Poison(poison), true) = (&error, models.len() > 1) {
                    let rest =
                        models.iter().map(|model| model.name).filter(|name| *name != poison.projection).collect();
                    Box::pin(self.build_wanted(&rest)).await;
                    return Box::pin(self.build_wanted(&BTreeSet::from([poison.projection]))).await;
                }
                for model in models {
                    self.give_up(model, &error.to_string());
                }
            }
            // Another process builds in this database. It also builds the tables that are wanted here.
            Err(BuildError::Busy) => tokio::time::sleep(RETRY_PAUSE).await,
            Err(error) => {
                tracing::warn!("read models could not be built; trying again: {error}");
                self.reopen_after(&error);
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }

    fn give_up(&self, model: &'static SqlModel, reason: &str) {
        tracing::error!("the read model {} cannot be built; everything else goes on: {reason}", model.name);
        self.failed.lock().expect("nobody panics with it").insert(model.name, reason.to_owned());
        self.wanted.send_modify(|wanted| {
            wanted.remove(model.name);
        });
        self.statuses.send_modify(|statuses| {
            if let Some(status) = statuses.get_mut(model.name) {
                status.phase = Phase::Stopped { reason: reason.to_owned() };
            }
        });
    }

    /// Drops the connection after an error of the database, since it may be broken. The follower opens another one,
    /// which the builder then uses.
    fn reopen_after(&self, error: &BuildError) {
        if matches!(error, BuildError::Database(_)) {
            self.database.store(None);
        }
    }

    async fn carry_out(&self, request: Request) {
        let Request { name, models, done } = request;
        tracing::info!("rebuilding the read model {name}, as an operator asked");
        let built = self.build_requested(&name, &models, &done).await;
        if let Err(error) = &built {
            tracing::error!("the read model {name} could not be rebuilt: {error}");
        }
        let _ = done.send(built.map_err(|error| error.to_string()));
    }

    /// Builds, and tries again after errors that may pass, while the sender waits: after errors of the database at most
    /// [`REQUEST_RETRIES`] times. A file that is not a database is set aside, since the rebuild makes all of it anew.
    async fn build_requested(
        &self,
        name: &str,
        models: &[&'static SqlModel],
        done: &oneshot::Sender<Result<Position, String>>,
    ) -> Result<Position, BuildError> {
        let mut failures = 0;
        loop {
            let error = match self.build(models, Which::All, |_| {}).await {
                Ok(position) => return Ok(position),
                Err(error) if error.is_final() || done.is_closed() => return Err(error),
                Err(error) => error,
            };
            failures += u32::from(matches!(error, BuildError::Database(_) | BuildError::NoDatabase(_)));
            if failures > REQUEST_RETRIES {
                return Err(error);
            }
            tracing::warn!("the read model {name} could not be rebuilt; trying again: {error}");
            self.reopen_after(&error);
            let is_set_aside = match self.log.id().await {
                _ if error.is_ruined() => set_aside(&self.location),
                Ok(Some(log_id)) => set_aside_if_ruined(&self.location, log_id).await,
                Ok(None) | Err(_) => Ok(()),
            };
            is_set_aside.map_err(|error| BuildError::NoDatabase(error.to_string()))?;
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn build(
        &self,
        models: &[&'static SqlModel],
        which: Which,
        progress: impl FnMut(Position),
    ) -> Result<Position, BuildError> {
        let database = self.database.load_full().ok_or_else(|| self.why_no_database())?;
        let position = rebuild(&database, self.log.as_ref(), models, which, progress).await?;
        let mut failed = self.failed.lock().expect("nobody panics with it");
        models.iter().for_each(|model| drop(failed.remove(model.name)));
        drop(failed);
        self.swaps.send_modify(|swaps| *swaps += 1);
        Ok(position)
    }

    fn why_no_database(&self) -> BuildError {
        let statuses = self.statuses.borrow();
        let mut reasons = statuses.values().filter_map(|status| match &status.phase {
            Phase::Unavailable { reason } => Some(reason.clone()),
            Phase::Starting | Phase::Following | Phase::Building | Phase::Newer { .. } | Phase::Stopped { .. } => None,
        });
        reasons.next().map_or(BuildError::NotOpenYet, BuildError::NoDatabase)
    }
}
