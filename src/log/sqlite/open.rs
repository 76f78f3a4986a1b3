//! Opening the log's file: what must be so before the first record is believed.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Row};
use tokio::sync::{Mutex, watch};

use super::append::Writer;
use super::{EventLog, ReadError, SqliteLog};
use crate::log::folder::sync_names;

/// The log's file in the data folder.
pub const LOG_FILE: &str = "log.db";
/// Connections that read at the same time.
const READERS: u32 = 4;
/// How long a statement waits for a lock of another process (a backup, someone's shell), in seconds.
const BUSY_SECONDS: u64 = 5;
/// Rows that SQLite's thread reads ahead of us.
const ROWS_AHEAD: usize = 1_024;
/// `PRAGMA synchronous` reads 2 for FULL: every commit is synced. <https://sqlite.org/pragma.html#pragma_synchronous>
const SYNCHRONOUS_FULL: i64 = 2;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Why the log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite cannot open or read the file.
    #[error("the log cannot be opened: {0}")]
    Storage(#[from] sqlx::Error),
    /// The file is not a log, or that of another version.
    #[error("the log's tables cannot be brought up to date: {0}")]
    Migrations(#[from] MigrateError),
    /// The file's name cannot be made durable.
    #[error("the log's folder cannot be synced: {0}")]
    Folder(#[from] io::Error),
    /// A pragma was not accepted, so that a commit would not be durable.
    #[error("the log cannot be made durable: {0}")]
    NotDurable(String),
    /// The last record is not what was written.
    #[error(transparent)]
    Damaged(#[from] ReadError),
}

impl SqliteLog {
    /// Opens the log in `folder`, or creates it. The folder exists, and is held by a [`FolderLock`](super::super::FolderLock).
    ///
    /// # Errors
    /// The file cannot be opened, is no log, or cannot be made durable.
    pub async fn open(folder: &Path) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(folder.join(LOG_FILE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(BUSY_SECONDS))
            .row_buffer_size(ROWS_AHEAD)
            .disable_statement_logging();

        let mut writer = options.connect().await?;
        settle(&mut writer).await?;
        // `run` would do, were its future known to be `Send`; sqlx has this one for that case.
        MIGRATIONS.run_direct(None, &mut writer, false).await?;
        sync_names(folder)?;

        let reading = options.create_if_missing(false).read_only(true);
        // All at once and for good: where file handles are lacking later on, what is open already goes on reading.
        let readers = SqlitePoolOptions::new().min_connections(READERS).max_connections(READERS);
        let readers = readers.idle_timeout(None).max_lifetime(None).connect_with(reading).await?;
        let (last, _) = watch::channel(domain::Position::START);
        let log = Self { writer: Arc::new(Mutex::new(Writer::new(writer))), readers, last: Arc::new(last) };
        let head = log.head().await?;
        log.last.send_replace(head.position);
        Ok(log)
    }
}

/// Makes durable what an earlier process left behind. It may have died between writing to the WAL and syncing it, and
/// what the system's cache still shows us then a power cut can take back: so everything is synced into the database
/// before anything is read. <https://sqlite.org/pragma.html#pragma_wal_checkpoint>
async fn settle(writer: &mut SqliteConnection) -> Result<(), OpenError> {
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *writer).await?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *writer).await?;
    if journal != "wal" || synchronous != SYNCHRONOUS_FULL {
        return Err(OpenError::NotDurable(format!("journal_mode is {journal}, synchronous is {synchronous}")));
    }
    let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(writer).await?;
    if checkpoint.try_get::<i64, _>("busy")? != 0 {
        return Err(OpenError::NotDurable("someone else has the file open".to_owned()));
    }
    Ok(())
}
