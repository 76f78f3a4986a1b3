//! Building tables anew, beside the live ones, and putting them in their place.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{Position, RecordedEvent};
use projections::sql::store::{self, Checkpoint, Slot};
use projections::sql::{Poison, SqlModel, is_locked_out};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::database::{Writer, discard, set_aside_if_ruined};
use super::fit::{Fit, fit};
use super::follow::RETRY_PAUSE;
use super::rebuilds::{Request, Requests};
use super::step::{DecodedChunk, Stepped, decode, step};
use super::{CHUNK_RECORDS, Database, Phase, Shared, log_id, read_on};
use crate::log::{EventLog, ReadError};

/// How often a rebuild that somebody waits for is tried again where its database fails.
const REQUEST_RETRIES: u32 = 8;

/// Why a table could not be built. The live one is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An event cannot be taken in.
    #[error(transparent)]
    Poison(#[from] Poison),
    /// An event cannot be read.
    #[error("position {position}: {reason}")]
    Undecodable { position: Position, reason: String },
    /// The log has no first record yet.
    #[error("the log is empty")]
    Empty,
    /// Another process builds tables there.
    #[error("another process builds read models in the same database")]
    Busy,
    /// The stored table is of a newer program.
    #[error("{name} was made by a newer program (version {version}), and is left alone")]
    Newer { name: &'static str, version: u32 },
    /// The database failed.
    #[error("the database of the read models: {0}")]
    Database(#[from] sqlx::Error),
    /// There is none to build in, and why.
    #[error("{0}")]
    NoDatabase(String),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
}

impl BuildError {
    /// Whether trying again comes to the same.
    fn is_final(&self) -> bool {
        match self {
            Self::Poison(_) | Self::Undecodable { .. } | Self::Newer { .. } => true,
            Self::Empty | Self::Busy | Self::Database(_) | Self::NoDatabase(_) | Self::Log(_) => false,
        }
    }
}

/// Which of the tables are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Each.
    All,
    /// Those that do not fit the log, or are of an older version.
    Unfit,
}

/// Builds `models` from the log's first record and swaps them in once they have caught up; tells `progress` of each
/// position reached. Returns the last one.
///
/// # Errors
/// See [`BuildError`]. What was built so far is thrown away.
pub async fn rebuild(
    database: &Database,
    log: &dyn EventLog,
    models: &[&'static SqlModel],
    which: Which,
    progress: impl FnMut(Position),
) -> Result<Position, BuildError> {
    if !store::start_building(&mut database.writer.lock().await.connection).await? {
        return Err(BuildError::Busy);
    }
    let built = build(database, log, models, which, progress).await;
    let mut writer = database.writer.lock().await;
    if built.is_err() {
        // Where that fails too, the next to open the database does it.
        let _ = discard(&mut writer, models).await;
    }
    store::stop_building(&mut writer.connection).await?;
    built
}

async fn build(
    database: &Database,
    log: &dyn EventLog,
    models: &[&'static SqlModel],
    which: Which,
    mut progress: impl FnMut(Position),
) -> Result<Position, BuildError> {
    let log_id = log_id(log).await?.ok_or(BuildError::Empty)?;
    let mut built = begin(database, log, models, which, log_id).await?;
    let mut position = Position::START;
    loop {
        let records = read_on(log, position, CHUNK_RECORDS).await?;
        let is_last = records.len() < CHUNK_RECORDS;
        let events = decode(records).await.whole()?;
        for (model, checkpoint) in &mut built {
            *checkpoint = build_step(database, model, *checkpoint, &events).await?;
        }
        position = events.last().map_or(position, |event| event.head.position);
        progress(position);
        if is_last {
            break;
        }
    }
    for (model, checkpoint) in built {
        position = position.max(swap(database, log, model, checkpoint).await?);
    }
    progress(position);
    Ok(position)
}

impl DecodedChunk {
    fn whole(self) -> Result<Vec<RecordedEvent>, BuildError> {
        match self.poison {
            None => Ok(self.events),
            Some((position, reason)) => Err(BuildError::Undecodable { position, reason }),
        }
    }
}

/// Empty tables beside the live ones; what an earlier build left there is dropped.
async fn begin(
    database: &Database,
    log: &dyn EventLog,
    models: &[&'static SqlModel],
    which: Which,
    log_id: Uuid,
) -> Result<Vec<(&'static SqlModel, Checkpoint)>, BuildError> {
    let mut begun = Vec::new();
    let mut writer = database.writer.lock().await;
    for &model in models {
        let mut transaction = writer.begin().await?;
        let live = store::checkpoint(&mut transaction, model, Slot::Live).await?;
        match fit(model, live.as_ref(), log, log_id).await? {
            Fit::Newer(version) => return Err(BuildError::Newer { name: model.name, version }),
            // Another process built it meanwhile.
            Fit::Fits if which == Which::Unfit => continue,
            Fit::Fits | Fit::Outdated | Fit::Unfit(_) => {}
        }
        begun.push((model, store::create(&mut transaction, model, Slot::Building, log_id).await?));
        transaction.commit().await?;
    }
    Ok(begun)
}

/// Catches up, and swaps the table in. Where somebody reads the live one for long, others read on, and it is tried again.
async fn swap(
    database: &Database,
    log: &dyn EventLog,
    model: &'static SqlModel,
    mut checkpoint: Checkpoint,
) -> Result<Position, BuildError> {
    loop {
        match try_to_swap(&mut *database.writer.lock().await, log, model, checkpoint).await {
            Err(BuildError::Database(error)) if is_locked_out(&error) => {
                tracing::info!(
                    "the new read model {} is ready; it takes the old one's place when nobody reads that any more",
                    model.name
                );
            }
            swapped => return swapped,
        }
        tokio::time::sleep(RETRY_PAUSE).await;
        loop {
            let records = read_on(log, checkpoint.head.position, CHUNK_RECORDS).await?;
            let events = decode(records).await.whole()?;
            let before = checkpoint;
            checkpoint = build_step(database, model, checkpoint, &events).await?;
            if checkpoint == before {
                break;
            }
        }
    }
}

/// The last catch-up and the swap, in one transaction: nobody moves the live table meanwhile, so the new one is never
/// behind it.
async fn try_to_swap(
    writer: &mut Writer,
    log: &dyn EventLog,
    model: &'static SqlModel,
    mut checkpoint: Checkpoint,
) -> Result<Position, BuildError> {
    let mut transaction = writer.begin().await?;
    store::stop_live(&mut transaction, model).await?;
    loop {
        let records = read_on(log, checkpoint.head.position, CHUNK_RECORDS).await?;
        let events = decode(records).await.whole()?;
        let Some(folded) = model.fold(checkpoint.head.position, &events)? else { break };
        let advanced = store::advance(&mut transaction, model, Slot::Building, &checkpoint, &folded).await?;
        checkpoint = advanced.ok_or(BuildError::Busy)?;
    }
    store::swap_in(&mut transaction, model).await?;
    transaction.commit().await?;
    Ok(checkpoint.head.position)
}

/// One chunk of events for one table.
async fn build_step(
    database: &Database,
    model: &'static SqlModel,
    from: Checkpoint,
    events: &[RecordedEvent],
) -> Result<Checkpoint, BuildError> {
    match step(&database.writer, model, Slot::Building, from, events).await? {
        Stepped::Advanced(checkpoint) => Ok(checkpoint),
        Stepped::Poisoned(_, poison) => Err(poison.into()),
        Stepped::Overtaken => Err(BuildError::Busy),
    }
}

/// Builds what the follower wants and what operators ask for, one after the other, for ever.
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
                // One model's poison must not keep the others from being built.
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
            // The other one builds what is wanted here as well.
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

    /// After an error a connection may be of no use any more: the follower opens another one, and the builder takes that.
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

    /// What is no fault of the request is tried again, for as long as somebody waits for it, and can be expected to. A file
    /// that is no database is set aside: that is what a rebuild is for.
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
            if let Ok(Some(log_id)) = log_id(self.log.as_ref()).await
                && let Err(error) = set_aside_if_ruined(&self.location, log_id).await
            {
                return Err(BuildError::NoDatabase(error.to_string()));
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn build(
        &self,
        models: &[&'static SqlModel],
        which: Which,
        progress: impl FnMut(Position),
    ) -> Result<Position, BuildError> {
        let database = self.database.load_full().ok_or_else(|| BuildError::NoDatabase(self.why_no_database()))?;
        let position = rebuild(&database, self.log.as_ref(), models, which, progress).await?;
        let mut failed = self.failed.lock().expect("nobody panics with it");
        models.iter().for_each(|model| drop(failed.remove(model.name)));
        drop(failed);
        self.swaps.send_modify(|swaps| *swaps += 1);
        Ok(position)
    }
    fn why_no_database(&self) -> String {
        let statuses = self.statuses.borrow();
        let mut reasons = statuses.values().filter_map(|status| match &status.phase {
            Phase::Unavailable { reason } => Some(reason.clone()),
            Phase::Starting | Phase::Following | Phase::Building | Phase::Newer { .. } | Phase::Stopped { .. } => None,
        });
        reasons.next().unwrap_or_else(|| "the database of the read models is not open yet".to_owned())
    }
}
