//! The database of the read models: tables and their checkpoints, each moved in one transaction.
//!
//! Whoever writes says which checkpoint they go on from; where another is stored, another writer was faster, and nothing
//! is written. So several projectors on one database do each event once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{Hash, Head, NotAnId, Position};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use uuid::Uuid;

use super::write::write;
use super::{Folded, SqlModel};

/// The file in the data folder, beside the log's.
pub const READ_MODELS_FILE: &str = "read-models.db";
/// Connections that read at the same time.
const READERS: u32 = 4;
/// How long a statement waits for another process's lock, and a query for a connection, in seconds.
const BUSY_SECONDS: u64 = 5;
/// A statement for each power of two up to 256, of each table and of the one that is built beside it.
const STATEMENTS: usize = 256;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite/read_models");

/// Which of a model's two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The one that queries read.
    Live,
    /// The one that is built beside it.
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

/// Up to where a table has the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Of the model that made the table.
    pub version: u32,
    /// Which log.
    pub log_id: Uuid,
    /// The last event in it.
    pub head: Head,
}

/// Which way a page goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    Descending,
    /// The oldest first.
    Ascending,
}

impl Order {
    /// What keys are compared with: `after`, or what is before all of them.
    pub(super) fn bound(self, after: Option<u64>) -> i64 {
        let first = match self {
            Self::Descending => i64::MAX,
            Self::Ascending => 0,
        };
        after.map_or(first, |after| i64::try_from(after).unwrap_or(i64::MAX))
    }
}

/// An id as a column holds it.
pub(super) fn number(id: impl Into<u64>) -> i64 {
    i64::try_from(id.into()).expect("ids end at 2^53-1")
}

/// A column's number as an id.
pub(super) fn id<Id: TryFrom<u64, Error = NotAnId>>(number: u64) -> sqlx::Result<Id> {
    Id::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Opens the database for writing, created if missing. It may lose its last transactions in a power cut, never a part of
/// one: what is lost is folded again.
///
/// # Errors
/// The file cannot be opened, or is something else.
pub async fn open(path: &Path) -> Result<SqliteConnection, MigrateError> {
    let options = options(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let mut connection = options.statement_cache_capacity(STATEMENTS).connect().await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await?;
    Ok(connection)
}

/// Connections for queries, on a database that is there.
///
/// # Errors
/// It cannot be opened.
pub async fn readers(path: &Path) -> sqlx::Result<SqlitePool> {
    let pool = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(Duration::from_secs(BUSY_SECONDS));
    pool.connect_with(options(path).read_only(true)).await
}

/// A connection for whoever only looks, beside a server or without one. A file that nobody has open is read as it is
/// (`immutable`): SQLite would make a WAL beside it otherwise. <https://sqlite.org/wal.html#read_only_databases>
///
/// # Errors
/// It cannot be opened.
pub async fn bystander(path: &Path) -> sqlx::Result<SqliteConnection> {
    let wal = PathBuf::from(format!("{}-wal", path.display()));
    let is_alone = wal.metadata().map_or(true, |wal| wal.len() == 0);
    options(path).read_only(true).immutable(is_alone).connect().await
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(BUSY_SECONDS))
        .disable_statement_logging()
}

/// Up to where the table is; `None` where there is none. Read first in a transaction, it is that of the rows read after.
///
/// # Errors
/// The database's.
pub async fn checkpoint(
    connection: &mut SqliteConnection,
    model: &SqlModel,
    slot: Slot,
) -> sqlx::Result<Option<Checkpoint>> {
    let query = "SELECT version, log_id, position, hash FROM checkpoints WHERE name = $1 AND slot = $2";
    let row = sqlx::query(query).bind(model.name).bind(slot.name()).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let hash: Vec<u8> = row.try_get("hash")?;
    let hash = hash.try_into().map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))?;
    let log_id: &str = row.try_get("log_id")?;
    Ok(Some(Checkpoint {
        version: row.try_get("version")?,
        log_id: log_id.parse().map_err(|error: uuid::Error| sqlx::Error::Decode(error.into()))?,
        head: Head { position: Position::new(row.try_get("position")?), hash: Hash::new(hash) },
    }))
}

/// Makes the model's table anew, with nothing of the log in it yet, in the caller's transaction.
///
/// # Errors
/// The database's.
pub async fn create(
    connection: &mut SqliteConnection,
    model: &SqlModel,
    slot: Slot,
    log_id: Uuid,
) -> sqlx::Result<Checkpoint> {
    let table = slot.table(model);
    let make = format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({})", model.columns);
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut *connection).await?;
    forget(connection, model, slot).await?;
    let checkpoint = Checkpoint { version: model.version, log_id, head: Head::EMPTY };
    let insert =
        "INSERT INTO checkpoints (name, slot, version, log_id, position, hash) VALUES ($1, $2, $3, $4, $5, $6)";
    sqlx::query(insert)
        .bind(model.name)
        .bind(slot.name())
        .bind(model.version)
        .bind(log_id.to_string())
        .bind(0_i64)
        .bind(checkpoint.head.hash.as_bytes().as_slice())
        .execute(connection)
        .await?;
    Ok(checkpoint)
}

/// Moves the table from `expected` on, in the caller's transaction; `None` where it is not there any more: then the
/// transaction must not be committed.
///
/// # Errors
/// The database's.
pub async fn advance(
    connection: &mut SqliteConnection,
    model: &SqlModel,
    slot: Slot,
    expected: &Checkpoint,
    folded: &Folded,
) -> sqlx::Result<Option<Checkpoint>> {
    let update = "UPDATE checkpoints SET position = $1, hash = $2 WHERE name = $3 AND slot = $4 AND version = $5 \
                  AND log_id = $6 AND position = $7 AND hash = $8";
    let moved = sqlx::query(update)
        .bind(number(folded.head.position.get()))
        .bind(folded.head.hash.as_bytes().as_slice())
        .bind(model.name)
        .bind(slot.name())
        .bind(expected.version)
        .bind(expected.log_id.to_string())
        .bind(number(expected.head.position.get()))
        .bind(expected.head.hash.as_bytes().as_slice())
        .execute(&mut *connection)
        .await?;
    if moved.rows_affected() != 1 {
        return Ok(None);
    }
    let table = slot.table(model);
    for change in &folded.changes {
        write(connection, &table, change).await?;
    }
    Ok(Some(Checkpoint { head: folded.head, ..*expected }))
}

/// Puts the table that was built in the live one's place, in the caller's transaction.
///
/// # Errors
/// The database's.
pub async fn swap_in(connection: &mut SqliteConnection, model: &SqlModel) -> sqlx::Result<()> {
    let (live, building) = (Slot::Live.table(model), Slot::Building.table(model));
    let swap = format!("DROP TABLE IF EXISTS {live}; ALTER TABLE {building} RENAME TO {live}");
    sqlx::raw_sql(AssertSqlSafe(swap)).execute(&mut *connection).await?;
    forget(connection, model, Slot::Live).await?;
    let update = "UPDATE checkpoints SET slot = $1 WHERE name = $2 AND slot = $3";
    let update = sqlx::query(update).bind(Slot::Live.name()).bind(model.name).bind(Slot::Building.name());
    update.execute(connection).await.map(drop)
}

async fn forget(connection: &mut SqliteConnection, model: &SqlModel, slot: Slot) -> sqlx::Result<()> {
    let delete = sqlx::query("DELETE FROM checkpoints WHERE name = $1 AND slot = $2");
    delete.bind(model.name).bind(slot.name()).execute(connection).await.map(drop)
}

/// Whether the database refused a row, so that the same rows would be refused again.
pub fn is_refusal(error: &sqlx::Error) -> bool {
    use sqlx::error::ErrorKind::{CheckViolation, NotNullViolation, UniqueViolation};
    let kind = error.as_database_error().map(|error| error.kind());
    matches!(kind, Some(CheckViolation | NotNullViolation | UniqueViolation))
}
