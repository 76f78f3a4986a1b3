//! Builds tables anew beside the live ones, and puts them in their place.

use domain::{Position, RecordedEvent};
use projections::sql::store::{self, Checkpoint, Slot};
use projections::sql::{Poison, SqlModel, is_locked_out, is_no_database};
use uuid::Uuid;

use super::database::{Writer, discard};
use super::fit::{Fit, fit};
use super::follow::RETRY_PAUSE;
use super::step::{DecodedChunk, Stepped, decode, step};
use super::{CHUNK_RECORDS, Database, read_on};
use crate::log::{EventLog, ReadError};

/// The reason why a table could not be built. The live table is unchanged.
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
    /// Another process builds tables in this database.
    #[error("another process builds read models in the same database")]
    Busy,
    /// A newer program made the stored table.
    #[error("{name} was made by a newer program (version {version}), and is not changed")]
    Newer { name: &'static str, version: u32 },
    /// The database failed.
    #[error("the database of the read models: {0}")]
    Database(#[from] sqlx::Error),
    /// There is no database, for this reason.
    #[error("{0}")]
    NoDatabase(String),
    /// The database is not open yet.
    #[error("the database of the read models is not open yet")]
    NotOpenYet,
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
}

impl BuildError {
    /// True if the file of the database is damaged, so that no retry in it can succeed.
    pub fn is_ruined(&self) -> bool {
        matches!(self, Self::Database(error) if is_no_database(error))
    }

    /// True if another try would fail in the same way.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Poison(_) | Self::Undecodable { .. } | Self::Newer { .. } => true,
            Self::Empty | Self::Busy | Self::Database(_) | Self::NoDatabase(_) | Self::NotOpenYet | Self::Log(_) => {
                false
            }
        }
    }
}

/// The choice of tables to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Only tables that do not fit the log, or have an older version.
    Unfit,
}

/// Builds `models` from the log's first record on, and swaps them in when they have caught up. `progress` is called
/// with each position reached. Returns the last position.
///
/// # Errors
/// See [`BuildError`]. The unfinished tables are dropped.
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
        // If this fails too, the next process that opens the database drops them.
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
    let log_id = log.id().await?.ok_or(BuildError::Empty)?;
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

/// Makes empty tables beside the live ones. Tables of an earlier build are dropped.
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
            // Another process has built it meanwhile.
            Fit::Fits if which == Which::Unfit => continue,
            Fit::Fits | Fit::Outdated | Fit::Unfit(_) => {}
        }
        begun.push((model, store::create(&mut transaction, model, Slot::Building, log_id).await?));
        transaction.commit().await?;
    }
    Ok(begun)
}

/// Catches up, and swaps the table in. If a reader holds the live table for long, this waits and tries again, so that
/// other readers can go on.
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
                    "the new read model {} is ready; it replaces the old one when nobody reads that any more",
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

/// Does the last catch-up and the swap in one transaction. The live table cannot move meanwhile, so the new one is
/// never behind it.
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

/// Writes one chunk of events into one table.
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
