//! Building tables anew, beside the live ones, and putting them in their place.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::Position;
use projections::sql::store::{self, Checkpoint, Slot};
use projections::sql::{Poison, SqlModel};
use sqlx::Connection;
use uuid::Uuid;

use super::follow::RETRY_PAUSE;
use super::requests::{self, Outcome, Request};
use super::step::{DecodedChunk, Step, decode, step};
use super::{CHUNK_RECORDS, Database, Phase, Shared, log_id};
use crate::log::{EventLog, ReadError};

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
    /// Another process builds the same table.
    #[error("another process builds {0}")]
    Overtaken(&'static str),
    /// The stored table is of a newer program.
    #[error("{name} was made by a newer program (version {version}), and is left alone")]
    Newer { name: &'static str, version: u32 },
    /// The database failed.
    #[error("the database of the read models: {0}")]
    Database(#[from] sqlx::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
}

impl BuildError {
    /// Whether trying again comes to the same.
    fn is_final(&self) -> bool {
        match self {
            Self::Poison(_) | Self::Undecodable { .. } | Self::Newer { .. } => true,
            Self::Empty | Self::Overtaken(_) | Self::Database(_) | Self::Log(_) => false,
        }
    }
}

/// Builds `models` from the log's first record and swaps them in once they have caught up; tells `progress` of each
/// position reached. Returns the last one.
///
/// # Errors
/// See [`BuildError`]. What was built so far is thrown away by the next build.
pub async fn rebuild(
    database: &Database,
    log: &dyn EventLog,
    models: &[&'static SqlModel],
    mut progress: impl FnMut(Position),
) -> Result<Position, BuildError> {
    let log_id = log_id(log).await?.ok_or(BuildError::Empty)?;
    let mut built = begin(database, models, log_id).await?;
    let mut position = Position::START;
    loop {
        let records = log.read(position, CHUNK_RECORDS).await?;
        let is_last = records.len() < CHUNK_RECORDS;
        let events = decode(records).await.whole()?;
        for (model, checkpoint) in &mut built {
            let mut writer = database.writer.lock().await;
            *checkpoint = match step(&mut writer, model, Slot::Building, *checkpoint, &events).await? {
                Step::Advanced(checkpoint) => checkpoint,
                Step::Poisoned(_, poison) => return Err(poison.into()),
                Step::Overtaken => return Err(BuildError::Overtaken(model.name)),
            };
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
    fn whole(self) -> Result<Vec<domain::RecordedEvent>, BuildError> {
        match self.poison {
            None => Ok(self.events),
            Some((position, reason)) => Err(BuildError::Undecodable { position, reason }),
        }
    }
}

/// Empty tables beside the live ones; what an earlier build left there is dropped.
async fn begin(
    database: &Database,
    models: &[&'static SqlModel],
    log_id: Uuid,
) -> Result<Vec<(&'static SqlModel, Checkpoint)>, BuildError> {
    let mut begun = Vec::new();
    let mut writer = database.writer.lock().await;
    for &model in models {
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        let live = store::checkpoint(&mut transaction, model, Slot::Live).await?;
        if let Some(newer) = live.filter(|live| live.version > model.version) {
            return Err(BuildError::Newer { name: model.name, version: newer.version });
        }
        begun.push((model, store::create(&mut transaction, model, Slot::Building, log_id).await?));
        transaction.commit().await?;
    }
    Ok(begun)
}

/// The last catch-up and the swap, in one transaction: nobody moves the live table meanwhile, so the new one is never
/// behind it.
async fn swap(
    database: &Database,
    log: &dyn EventLog,
    model: &'static SqlModel,
    mut checkpoint: Checkpoint,
) -> Result<Position, BuildError> {
    let mut writer = database.writer.lock().await;
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    loop {
        let records = log.read(checkpoint.head.position, CHUNK_RECORDS).await?;
        let events = decode(records).await.whole()?;
        let Some(folded) = model.fold(checkpoint.head.position, &events)? else { break };
        let advanced = store::advance(&mut transaction, model, Slot::Building, &checkpoint, &folded).await?;
        checkpoint = advanced.ok_or(BuildError::Overtaken(model.name))?;
    }
    store::swap_in(&mut transaction, model).await?;
    transaction.commit().await?;
    Ok(checkpoint.head.position)
}

/// Builds what the follower wants and what operators request, one after the other, for ever.
pub(super) async fn build_what_is_wanted(shared: Arc<Shared>) {
    let mut wanted = shared.wanted.subscribe();
    loop {
        let names = wanted.borrow_and_update().clone();
        if !names.is_empty() {
            shared.build_wanted(&names).await;
        } else if let Some(request) = shared.next_request() {
            shared.carry_out(&request).await;
        } else {
            let _ = tokio::time::timeout(requests::LOOK_AGAIN, wanted.changed()).await;
        }
    }
}

impl Shared {
    async fn build_wanted(&self, names: &BTreeSet<&'static str>) {
        let models: Vec<_> = self.models.iter().copied().filter(|model| names.contains(model.name)).collect();
        match self.build(&models, |_| {}).await {
            Ok(position) => {
                tracing::info!(
                    "built up to position {position}: {}",
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
            Err(error) => {
                tracing::warn!("read models could not be built, which is tried again: {error}");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }

    fn give_up(&self, model: &'static SqlModel, reason: &str) {
        tracing::error!("the projection {} cannot be built; everything else goes on: {reason}", model.name);
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

    /// A request waits until the database can be used.
    fn next_request(&self) -> Option<Request> {
        self.database.load().as_ref().and_then(|_| requests::next(&self.folder))
    }

    async fn carry_out(&self, request: &Request) {
        let models = request.models(&self.models);
        tracing::info!("rebuilding {}, as requested", request.projection);
        let end = self.log.head().await.map_or(Position::START, |head| head.position);
        let tell = |position: Position| {
            request.tell(&Outcome::Building { position: position.get(), end: end.max(position).get() });
        };
        let outcome = match self.build(&models, tell).await {
            Ok(position) => Outcome::Built { position: position.get() },
            Err(error) if error.is_final() => Outcome::Failed { reason: error.to_string() },
            Err(error) => {
                tracing::warn!("{} could not be rebuilt, which is tried again: {error}", request.projection);
                return tokio::time::sleep(RETRY_PAUSE).await;
            }
        };
        if let Outcome::Failed { reason } = &outcome {
            tracing::error!("{} could not be rebuilt: {reason}", request.projection);
        }
        request.finish(&outcome);
    }

    async fn build(
        &self,
        models: &[&'static SqlModel],
        progress: impl FnMut(Position),
    ) -> Result<Position, BuildError> {
        let database = self.database.load_full().ok_or(sqlx::Error::PoolClosed)?;
        let position = rebuild(&database, self.log.as_ref(), models, progress).await?;
        let mut failed = self.failed.lock().expect("nobody panics with it");
        models.iter().for_each(|model| drop(failed.remove(model.name)));
        drop(failed);
        self.swaps.send_modify(|swaps| *swaps += 1);
        Ok(position)
    }
}
