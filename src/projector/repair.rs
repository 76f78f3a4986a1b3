//! Repairs the rows of one user or one schedule while the table serves. The log is folded into a temporary table. Rows
//! that differ are corrected in one transaction, during which the live table does not move.

use std::time::Duration;

use domain::Position;
use projections::sql::store::{self, Checkpoint, Slot};
use projections::sql::{Connection, MODELS, Part, Poison, SetRight, SqlModel};
use serde::Serialize;
use sqlx::migrate::MigrateError;

use super::fit::{Fit, fit};
use super::step::decode;
use super::{CHUNK_RECORDS, Database, Phase, Projector, read_on};
use crate::log::{EventLog, ReadError};

/// How long a repair waits for a table that is being built.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// The result of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repaired {
    /// The read model.
    pub projection: &'static str,
    /// The position that the table has reached.
    pub position: Position,
    /// The number of rows that were compared.
    pub rows: u64,
    /// The number of rows that were missing, superfluous or different.
    pub repaired: u64,
}

/// The reason why rows were not repaired. They are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// There is no such read model.
    #[error("there is no read model of this name")]
    Unknown,
    /// The rows of this model do not name users, or schedules.
    #[error("the rows of {0} cannot be selected by this option")]
    NamesNone(&'static str),
    /// The table belongs to another log, or has another version: it is to be built anew.
    #[error("the table {0} does not fit the log, and must be rebuilt")]
    Unfit(&'static str),
    /// There is no database.
    #[error("the database of the read models is not open")]
    NoDatabase,
    /// The database failed.
    #[error("the database of the read models: {0}")]
    Database(#[from] sqlx::Error),
    /// There is no room for the temporary table.
    #[error("the temporary table cannot be made: {0}")]
    NoRoom(#[from] MigrateError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// An event cannot be read.
    #[error("position {position}: {reason}")]
    Undecodable { position: Position, reason: String },
    /// An event cannot be taken in.
    #[error(transparent)]
    Poison(#[from] Poison),
}

impl Projector {
    /// Compares the part's rows of the read model `name` with the log, and corrects them.
    ///
    /// # Errors
    /// See [`RepairError`].
    pub async fn repair(&self, name: &str, part: Part) -> Result<Repaired, RepairError> {
        let model = MODELS.iter().copied().find(|model| model.name == name).ok_or(RepairError::Unknown)?;
        if !model.has_rows_of(part) {
            return Err(RepairError::NamesNone(model.name));
        }
        let _one_at_a_time = self.0.repairing.lock().await;
        let mut statuses = self.0.statuses.subscribe();
        let decided = statuses.wait_for(|statuses| {
            statuses.get(model.name).is_none_or(|status| status.is_hopeless() || status.phase == Phase::Following)
        });
        // The result is checked below, also after a timeout.
        let _ = tokio::time::timeout(READY_WITHIN, decided).await.map(drop);
        let database = self.0.database.load_full().ok_or(RepairError::NoDatabase)?;
        repair(&database, self.0.log.as_ref(), model, part).await
    }
}

async fn repair(
    database: &Database,
    log: &dyn EventLog,
    model: &'static SqlModel,
    part: Part,
) -> Result<Repaired, RepairError> {
    let log_id = log.id().await?.unwrap_or_default();
    let mut fresh = Fresh::of(model, part).await?;
    loop {
        let stored = {
            let mut writer = database.writer.lock().await;
            store::checkpoint(&mut writer.connection.begin_reading().await?, model, Slot::Live).await?
        };
        let (Fit::Fits, Some(checkpoint)) = (fit(model, stored.as_ref(), log, log_id).await?, stored) else {
            return Err(RepairError::Unfit(model.name));
        };
        fresh.go_on(log, checkpoint.head.position).await?;
        let mut writer = database.writer.lock().await;
        let mut live = writer.begin().await?;
        let Some(checkpoint) = store::lock_checkpoint(&mut live, model).await?.filter(|now| is_same(now, &checkpoint))
        else {
            continue;
        };
        let position = checkpoint.head.position;
        if position.get() - fresh.reached.get() > CHUNK_RECORDS as u64 {
            // The table has moved meanwhile. Read on without the lock, so that nobody waits.
            continue;
        }
        fresh.go_on(log, position).await?;
        let SetRight { rows, repaired } =
            model.set_right(part, &mut live, &mut fresh.table.begin_reading().await?).await?;
        live.commit().await?;
        return Ok(Repaired { projection: model.name, position, rows, repaired });
    }
}

/// True if both are checkpoints of the same table, possibly at different positions.
fn is_same(now: &Checkpoint, before: &Checkpoint) -> bool {
    (now.version, now.log_id) == (before.version, before.log_id) && now.head.position >= before.head.position
}

/// A temporary table with the part's rows, folded from the log.
struct Fresh {
    table: Connection,
    model: &'static SqlModel,
    part: Part,
    reached: Position,
}

impl Fresh {
    async fn of(model: &'static SqlModel, part: Part) -> Result<Self, RepairError> {
        let mut table = Connection::temporary().await?;
        let mut transaction = table.begin().await?;
        store::create(&mut transaction, model, Slot::Live, uuid::Uuid::nil()).await?;
        transaction.commit().await?;
        Ok(Self { table, model, part, reached: Position::START })
    }

    /// Folds the log up to `until`.
    async fn go_on(&mut self, log: &dyn EventLog, until: Position) -> Result<(), RepairError> {
        while self.reached < until {
            let left = usize::try_from(until.get() - self.reached.get()).unwrap_or(CHUNK_RECORDS);
            let chunk = decode(read_on(log, self.reached, left.min(CHUNK_RECORDS)).await?).await;
            if let Some((position, reason)) = chunk.poison {
                return Err(RepairError::Undecodable { position, reason });
            }
            let Some(last) = chunk.events.last().map(|event| event.head.position) else {
                return Err(RepairError::Unfit(self.model.name));
            };
            let its_own = chunk.events.iter().filter(|recorded| self.part.may_be_changed_by(&recorded.event));
            let changes = self.model.changes(its_own)?;
            let mut transaction = self.table.begin().await?;
            store::write_all(&mut transaction, self.model, Slot::Live, &changes).await?;
            transaction.commit().await?;
            self.reached = last;
        }
        Ok(())
    }
}
