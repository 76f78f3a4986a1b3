//! The tables of the read models and their checkpoints. Each pair is changed in one transaction.
//!
//! A writer names the checkpoint from which it goes on. If another one is stored, another writer was faster, and
//! nothing is written. So several projectors on one database write each event once.

use domain::{Head, NotAnId, Position};
use uuid::Uuid;

use super::write::write;
use super::{Change, Connection, Folded, Row, SqlModel, Transaction, Value};

/// The lock that a process holds while it builds tables in a schema.
const BUILDING: &str = "hashtextextended(current_schema() || '.building', 0)";
/// How long a swap waits for readers of the live table. Then it lets waiting readers pass, and tries again.
const SWAP_WAIT: &str = "SET LOCAL lock_timeout = '500ms'";

/// One of a model's two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The table that queries read.
    Live,
    /// The table that is being built beside it.
    Building,
}

impl Slot {
    fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Building => "building",
        }
    }

    fn table(self, model: &SqlModel) -> String {
        match self {
            Self::Live => model.name.to_owned(),
            Self::Building => format!("{}_building", model.name),
        }
    }
}

/// The checkpoint of a table: the last event in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The version of the model that made the table.
    pub version: u32,
    /// The log's id.
    pub log_id: Uuid,
    /// The last event in it.
    pub head: Head,
}

impl Checkpoint {
    fn of(row: &Row) -> sqlx::Result<Self> {
        let log_id = row.text("log_id")?.parse().map_err(|error: uuid::Error| sqlx::Error::Decode(error.into()))?;
        let version = row.number("version")?.try_into();
        let version = version.map_err(|error: std::num::TryFromIntError| sqlx::Error::Decode(error.into()))?;
        let head = Head { position: Position::new(row.number("position")?), hash: row.hash("hash")? };
        Ok(Self { version, log_id, head })
    }

    /// The values of the columns: version, log id, position, hash.
    fn values(&self) -> [Value; 4] {
        let position = number(self.head.position.get());
        let (log_id, hash) = (self.log_id.to_string(), *self.head.hash.as_bytes());
        [i64::from(self.version).into(), log_id.as_str().into(), position.into(), hash.into()]
    }
}

/// The order of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    Descending,
    /// The oldest first.
    Ascending,
}

impl Order {
    /// The key after which a page begins: `after`, or a value before all keys.
    pub(super) fn bound(self, after: Option<u64>) -> i64 {
        let first = match self {
            Self::Descending => i64::MAX,
            Self::Ascending => 0,
        };
        after.map_or(first, |after| i64::try_from(after).unwrap_or(i64::MAX))
    }
}

/// Converts an id to a column's value.
pub(super) fn number(id: impl Into<u64>) -> i64 {
    i64::try_from(id.into()).expect("ids end at 2^53-1")
}

/// Converts a column's value to an id.
pub(super) fn id<Id: TryFrom<u64, Error = NotAnId>>(number: u64) -> sqlx::Result<Id> {
    Id::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Takes the right to build tables. On a server only one connection has it, until [`stop_building`] or the connection's
/// end. In a file no other process builds, since the process that writes it holds the data folder.
///
/// # Errors
/// The database fails.
pub async fn start_building(connection: &mut Connection) -> sqlx::Result<bool> {
    let Connection::Postgres(connection) = connection else { return Ok(true) };
    let take = sqlx::AssertSqlSafe(format!("SELECT pg_try_advisory_lock({BUILDING})"));
    sqlx::query_scalar(take).fetch_one(connection).await
}

/// Gives the right to build tables back.
///
/// # Errors
/// The database fails.
pub async fn stop_building(connection: &mut Connection) -> sqlx::Result<()> {
    let Connection::Postgres(connection) = connection else { return Ok(()) };
    let give = sqlx::AssertSqlSafe(format!("SELECT pg_advisory_unlock({BUILDING})"));
    sqlx::query(give).execute(connection).await.map(drop)
}

/// Reads the checkpoint of a table. `None` if the table does not exist, even if it has a checkpoint.
///
/// # Errors
/// The database fails.
pub async fn checkpoint(
    transaction: &mut Transaction<'_>,
    model: &SqlModel,
    slot: Slot,
) -> sqlx::Result<Option<Checkpoint>> {
    let query = match transaction {
        Transaction::Sqlite(_) => {
            "SELECT version, log_id, position, hash FROM checkpoints WHERE name = $1 AND slot = $2 \
             AND EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND sqlite_master.name = $3)"
        }
        Transaction::Postgres(_) => {
            "SELECT version, log_id, position, hash FROM checkpoints WHERE name = $1 AND slot = $2 \
             AND to_regclass($3) IS NOT NULL"
        }
    };
    let table = slot.table(model);
    let rows = transaction.rows(query, &[model.name.into(), slot.name().into(), table.as_str().into()]).await?;
    rows.first().map(Checkpoint::of).transpose()
}

/// Returns true if the live table was ever made, even if it is gone now.
///
/// # Errors
/// The database fails.
pub async fn was_built(transaction: &mut Transaction<'_>, model: &SqlModel) -> sqlx::Result<bool> {
    let query = "SELECT 1 FROM checkpoints WHERE name = $1 AND slot = $2";
    let rows = transaction.rows(query, &[model.name.into(), Slot::Live.name().into()]).await?;
    Ok(!rows.is_empty())
}

/// Reads the checkpoint of the live table, and locks the table against a swap: all that the transaction reads is as of
/// that position. It must be the first query of the transaction.
///
/// # Errors
/// The database fails.
pub async fn hold(transaction: &mut Transaction<'_>, model: &SqlModel) -> sqlx::Result<Option<Checkpoint>> {
    if !transaction.hold(&Slot::Live.table(model)).await? {
        return Ok(None);
    }
    checkpoint(transaction, model, Slot::Live).await
}

/// Makes an empty table of the model, in the caller's transaction.
///
/// # Errors
/// The database fails.
pub async fn create(
    transaction: &mut Transaction<'_>,
    model: &SqlModel,
    slot: Slot,
    log_id: Uuid,
) -> sqlx::Result<Checkpoint> {
    let table = slot.table(model);
    let make = format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({})", transaction.columns(model.columns));
    transaction.run(make).await?;
    forget(transaction, model, slot).await?;
    let checkpoint = Checkpoint { version: model.version, log_id, head: Head::EMPTY };
    let insert =
        "INSERT INTO checkpoints (name, slot, version, log_id, position, hash) VALUES ($1, $2, $3, $4, $5, $6)";
    let [version, log_id, position, hash] = checkpoint.values();
    transaction.execute(insert, &[model.name.into(), slot.name().into(), version, log_id, position, hash]).await?;
    Ok(checkpoint)
}

/// Moves the table on from the checkpoint `expected`, in the caller's transaction. `None` if the table has another
/// checkpoint: then the transaction must not be committed.
///
/// # Errors
/// The database fails.
pub async fn advance(
    transaction: &mut Transaction<'_>,
    model: &SqlModel,
    slot: Slot,
    expected: &Checkpoint,
    folded: &Folded,
) -> sqlx::Result<Option<Checkpoint>> {
    let update = "UPDATE checkpoints SET position = $1, hash = $2 WHERE name = $3 AND slot = $4 AND version = $5 \
                  AND log_id = $6 AND position = $7 AND hash = $8";
    let next = Checkpoint { head: folded.head, ..*expected };
    let ([.., position, hash], [version, log_id, before, hash_before]) = (next.values(), expected.values());
    let values = [position, hash, model.name.into(), slot.name().into(), version, log_id, before, hash_before];
    if transaction.execute(update, &values).await? != 1 {
        return Ok(None);
    }
    write_all(transaction, model, slot, &folded.changes).await?;
    Ok(Some(next))
}

/// Writes rows without moving the checkpoint, in the caller's transaction.
///
/// # Errors
/// The database fails.
pub async fn write_all(
    transaction: &mut Transaction<'_>,
    model: &SqlModel,
    slot: Slot,
    changes: &[Change],
) -> sqlx::Result<()> {
    let table = slot.table(model);
    for change in changes {
        write(transaction, &table, change).await?;
    }
    Ok(())
}

/// Reads the live table's checkpoint, and locks it until the end of the caller's transaction. The transaction must be
/// one that writes; in a file only one such transaction runs at a time.
///
/// # Errors
/// The database fails.
pub async fn lock_checkpoint(transaction: &mut Transaction<'_>, model: &SqlModel) -> sqlx::Result<Option<Checkpoint>> {
    if let Transaction::Postgres(_) = transaction {
        let row = "SELECT position FROM checkpoints WHERE name = $1 AND slot = $2 FOR UPDATE";
        transaction.rows(row, &[model.name.into(), Slot::Live.name().into()]).await?;
    }
    checkpoint(transaction, model, Slot::Live).await
}

/// Locks the live table until the end of the caller's transaction: no other transaction reads or moves it.
///
/// # Errors
/// The database's; [`super::is_locked_out`] if readers hold the table for too long.
pub async fn stop_live(transaction: &mut Transaction<'_>, model: &SqlModel) -> sqlx::Result<()> {
    if let Transaction::Sqlite(_) = transaction {
        // In a file, a transaction that writes is the only one.
        return Ok(());
    }
    let row =
        "SELECT position FROM checkpoints WHERE name = $1 AND slot = $2 AND to_regclass($1) IS NOT NULL FOR UPDATE";
    let is_there = !transaction.rows(row, &[model.name.into(), Slot::Live.name().into()]).await?.is_empty();
    if is_there {
        let table = Slot::Live.table(model);
        transaction.run(format!("{SWAP_WAIT}; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await?;
    }
    Ok(())
}

/// Replaces the live table by the one that was built, in the caller's transaction.
///
/// # Errors
/// The database fails.
pub async fn swap_in(transaction: &mut Transaction<'_>, model: &SqlModel) -> sqlx::Result<()> {
    let (live, building) = (Slot::Live.table(model), Slot::Building.table(model));
    transaction.run(format!("DROP TABLE IF EXISTS {live}; ALTER TABLE {building} RENAME TO {live}")).await?;
    forget(transaction, model, Slot::Live).await?;
    let update = "UPDATE checkpoints SET slot = $1 WHERE name = $2 AND slot = $3";
    let values = [Slot::Live.name(), model.name, Slot::Building.name()].map(Value::from);
    transaction.execute(update, &values).await.map(drop)
}

/// Drops the table that a build has left beside the live one, in the caller's transaction.
///
/// # Errors
/// The database fails.
pub async fn discard(transaction: &mut Transaction<'_>, model: &SqlModel) -> sqlx::Result<()> {
    transaction.run(format!("DROP TABLE IF EXISTS {}", Slot::Building.table(model))).await?;
    forget(transaction, model, Slot::Building).await
}

async fn forget(transaction: &mut Transaction<'_>, model: &SqlModel, slot: Slot) -> sqlx::Result<()> {
    let delete = "DELETE FROM checkpoints WHERE name = $1 AND slot = $2";
    transaction.execute(delete, &[model.name.into(), slot.name().into()]).await.map(drop)
}
