//! Setting the rows of one user or one schedule right, while all else serves: the log is folded beside the live table, and
//! what differs is written in one transaction, in which nobody moves that table.

use std::time::Duration;

use domain::Position;
use projections::sql::store::{self, Checkpoint, Slot};
use projections::sql::{Connection, MODELS, Part, Poison, SetRight, SqlModel};
use serde::Serialize;
use sqlx::migrate::MigrateError;

use super::fit::{Fit, fit};
use super::step::decode;
use super::{CHUNK_RECORDS, Database, Phase, Projector, log_id, read_on};
use crate::log::{EventLog, ReadError};

/// How long a table is waited for that is being built.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What was compared, and what of it was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repaired {
    /// The read model.
    pub projection: &'static str,
    /// Up to where it has the log.
    pub position: Position,
    /// Rows that were compared.
    pub rows: u64,
    /// Rows that were missing, too many, or different.
    pub repaired: u64,
}

/// Why rows were not set right. They are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// There is no such read model.
    #[error("there is no read model of this name")]
    Unknown,
    /// Its rows name no user, or no schedule.
    #[error("the rows of {0} name none")]
    NamesNone(&'static str),
    /// Its table is of another log, or of another program: it is built anew.
    #[error("the table {0} does not fit the log, and is made anew")]
    Unfit(&'static str),
    /// There is no database.
    #[error("the database of the read models is not open")]
    NoDatabase,
    /// The database failed.
    #[error("the database of the read models: {0}")]
    Database(#[from] sqlx::Error),
    /// There is no room for a table beside it.
    #[error("no table can be made beside it: {0}")]
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
    /// Compares the part's rows of the read model called `name` with the log, and sets them right.
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
        // What is decided, and whether in time, is seen below.
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
    let log_id = log_id(log).await?.unwrap_or_default();
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
        let Some(checkpoint) = store::stand_still(&mut live, model).await?.filter(|now| is_same(now, &checkpoint))
        else {
            continue;
        };
        let position = checkpoint.head.position;
        if position.get() - fresh.reached.get() > CHUNK_RECORDS as u64 {
            // It has moved far meanwhile: nobody is kept waiting while that is read.
            continue;
        }
        fresh.go_on(log, position).await?;
        let SetRight { rows, repaired } =
            model.set_right(part, &mut live, &mut fresh.table.begin_reading().await?).await?;
        live.commit().await?;
        return Ok(Repaired { projection: model.name, position, rows, repaired });
    }
}

/// Whether it is the same table, be it further on.
fn is_same(now: &Checkpoint, before: &Checkpoint) -> bool {
    (now.version, now.log_id) == (before.version, before.log_id) && now.head.position >= before.head.position
}

/// A table of the part's rows, as the log makes them.
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

    /// Folds on to `until`.
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
