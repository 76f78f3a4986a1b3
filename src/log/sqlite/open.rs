//! Opens the log's file, with all checks that come before the first record is read.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, ffi};
use tokio::sync::watch;

use super::append::{Writer, touch};
use super::cause;
use super::checkpoint::{BUSY_SECONDS, MAX_IDLE_WAL_BYTES, checkpoint};
use super::read::{last_head, primary_code};
use super::room::IndexRoom;
use super::steady_clock::SteadyClock;
use super::threads::{Gone, Threads};
use super::{ReadError, SqliteLog};
use crate::log::MAX_BATCH_BYTES;
use crate::log::folder::sync_names;

/// The log's file in the data folder.
pub const LOG_FILE: &str = "log.db";
/// The number of connections that read at the same time.
const READERS: usize = 4;
/// `PRAGMA synchronous` reads 2 for FULL: every commit is synced. <https://sqlite.org/pragma.html#pragma_synchronous>
const SYNCHRONOUS_FULL: i64 = 2;

/// The migrations: each takes the tables one version further. `PRAGMA user_version` holds the version.
const MIGRATIONS: [&str; 1] = [include_str!("../../../migrations/sqlite/0001_log.sql")];

/// The reason why the log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite cannot open or read the file, or it is not a log.
    #[error("the log cannot be opened: {0}")]
    Storage(#[from] rusqlite::Error),
    /// The disk cannot be read.
    #[error("the log cannot be read: {0}")]
    Disk(String),
    /// A newer program has changed the tables.
    #[error("the log's tables are of version {0}, which this program does not know")]
    Newer(u32),
    /// The file's name cannot be made durable.
    #[error("the log's folder cannot be synced: {0}")]
    Folder(#[from] io::Error),
    /// There is no room for the WAL index, which SQLite maps into memory.
    #[error("the log cannot be opened: there is no room for the files beside it: {0}")]
    NoRoom(io::Error),
    /// A pragma was not accepted, so that a commit would not be durable.
    #[error("the log cannot be made durable: {0}")]
    NotDurable(String),
    /// The last record is damaged.
    #[error(transparent)]
    Damaged(#[from] ReadError),
}

impl OpenError {
    /// Adds the system's error, if SQLite says only that the disk failed.
    pub(super) fn with_cause(self, folder: &Path) -> Self {
        let is_silent = matches!(&self, Self::Storage(error) if primary_code(error) == Some(ffi::SQLITE_IOERR));
        let said = if is_silent { cause::of_reading(&folder.join(LOG_FILE)) } else { None };
        said.map_or(self, Self::Disk)
    }
}

impl SqliteLog {
    /// Opens the log in `folder`, or creates it. The folder must exist, and must be locked by a
    /// [`FolderLock`](super::super::FolderLock).
    ///
    /// # Errors
    /// The file cannot be opened, is not a log, or cannot be made durable.
    pub async fn open(folder: &Path) -> Result<Self, OpenError> {
        let folder = folder.to_owned();
        let opening = tokio::task::spawn_blocking(move || open(&folder).map_err(|error| error.with_cause(&folder)));
        opening.await.unwrap_or_else(|_| Err(ReadError::from(Gone).into()))
    }
}

fn open(folder: &Path) -> Result<SqliteLog, OpenError> {
    let file = folder.join(LOG_FILE);
    let mut room = IndexRoom::before_opening(&file).map_err(OpenError::NoRoom)?;
    let mut writer = connect(&file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    settle(&writer)?;
    migrate(&mut writer)?;
    sync_names(folder)?;
    room.make(MAX_BATCH_BYTES as u64).map_err(OpenError::NoRoom)?;
    let last = watch::Sender::new(last_head(&writer)?.position);
    // Open all of them now and keep them: if file handles run out later, these go on reading.
    let readers: Result<Vec<_>, _> = (0..READERS).map(|_| connect(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)).collect();
    let (writer, readers) =
        (Threads::start("log-writer", [Writer::new(writer, &file, room)]), Threads::start("log-reader", readers?));
    Ok(SqliteLog { writer, readers, last: Arc::new(last), clock: SteadyClock::start() })
}

/// Opens a connection that only one thread at a time will use.
pub(super) fn connect(file: &Path, how: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, how | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
    Ok(connection)
}

/// Makes durable what an earlier process left in the WAL. That process may have died between writing the WAL and
/// syncing it; then a power cut could still lose records that the system's cache shows. So everything is synced into
/// the database before anything is read. Another reader (a shell, Litestream) can prevent that. Then an empty commit
/// syncs the WAL with all its content.
fn settle(writer: &Connection) -> Result<(), OpenError> {
    let journal: String = writer.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    writer.pragma_update(None, "synchronous", "full")?;
    let synchronous: i64 = writer.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if journal != "wal" || synchronous != SYNCHRONOUS_FULL {
        return Err(OpenError::NotDurable(format!("journal_mode is {journal}, synchronous is {synchronous}")));
    }
    writer.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    writer.pragma_update_and_check(None, "journal_size_limit", MAX_IDLE_WAL_BYTES as i64, |_| Ok(()))?;
    writer.busy_timeout(Duration::ZERO)?;
    let is_moved = checkpoint(writer, "TRUNCATE");
    writer.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
    if !is_moved? {
        touch(writer)?;
    }
    Ok(())
}

/// Brings the tables up to date.
fn migrate(writer: &mut Connection) -> Result<(), OpenError> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // The first programs kept the version in another table, and knew only version 1.
    let version = version.max(transaction.table_exists(None, "log")?.into());
    if version > MIGRATIONS.len() as u32 {
        return Err(OpenError::Newer(version));
    }
    for (number, migration) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > version) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    Ok(transaction.commit()?)
}
