//! The log as a bystander reads it: beside a running server or in a folder that nobody holds, without the folder's lock,
//! and without changing a byte of either.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use domain::{Head, Position, Record};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio::sync::Mutex;

use super::open::{BUSY_SECONDS, LOG_FILE, ROWS_AHEAD};
use super::{OpenError, SqliteLog, last_head, read};
use crate::log::{AppendError, EventLog, ReadError};

/// SQLite's file beside the log's while someone has that open for writing.
const WAL_FILE: &str = "log.db-wal";
/// How often a bystander looks whether the log has grown.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A log that is only read. What it returns is what stands in the file, durable or not: nothing may be served from it.
#[derive(Debug)]
pub struct ReadOnlyLog {
    folder: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    readers: SqlitePool,
    /// What the file looked like when it was opened as one that nobody writes; `None` while somebody may.
    still: Option<Still>,
}

/// The file of a log that was closed in order.
#[derive(Debug, PartialEq, Eq)]
struct Still {
    bytes: u64,
    modified_at: Option<SystemTime>,
}

impl Still {
    /// `None` where records stand in the WAL: a server has the log open, or died while it had.
    fn look(folder: &Path) -> Option<Self> {
        let file = folder.join(LOG_FILE).metadata().ok()?;
        let is_alone = folder.join(WAL_FILE).metadata().map_or(true, |wal| wal.len() == 0);
        is_alone.then(|| Self { bytes: file.len(), modified_at: file.modified().ok() })
    }
}

impl Open {
    /// A file that nobody has open is read as it is (`immutable`), for SQLite would make a WAL beside it otherwise, and
    /// could not where the folder cannot be written. <https://sqlite.org/wal.html#read_only_databases>
    async fn open(folder: &Path) -> sqlx::Result<Self> {
        let still = Still::look(folder);
        let options = SqliteConnectOptions::new()
            .filename(folder.join(LOG_FILE))
            .read_only(true)
            .immutable(still.is_some())
            .busy_timeout(Duration::from_secs(BUSY_SECONDS))
            .row_buffer_size(ROWS_AHEAD)
            .disable_statement_logging();
        let readers = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        Ok(Self { readers, still })
    }
}

impl SqliteLog {
    /// Opens the log in `folder` for reading, whoever else has it open.
    ///
    /// # Errors
    /// There is none, or SQLite cannot open it.
    pub async fn open_read_only(folder: &Path) -> Result<ReadOnlyLog, OpenError> {
        Ok(ReadOnlyLog { folder: folder.to_owned(), open: Mutex::new(Open::open(folder).await?) })
    }
}

impl ReadOnlyLog {
    async fn readers(&self) -> SqlitePool {
        self.open.lock().await.readers.clone()
    }

    /// Whether what was just read counts. Where a server began to write to the file that seemed to be still, it does not,
    /// and the file is opened as one that is written.
    async fn was_steady(&self) -> Result<bool, ReadError> {
        let mut open = self.open.lock().await;
        let steady = open.still.is_none() || open.still == Still::look(&self.folder);
        if !steady {
            open.readers.close().await;
            *open = Open::open(&self.folder).await.map_err(|error| super::unread(&error))?;
        }
        Ok(steady)
    }
}

#[async_trait]
impl EventLog for ReadOnlyLog {
    async fn append(&self, _: &Head, _: &[Record]) -> Result<(), AppendError> {
        Err(AppendError::Unavailable("it was opened for reading".to_owned()))
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        loop {
            let found = read(&self.readers().await, after, limit).await;
            if self.was_steady().await? {
                return found;
            }
        }
    }

    async fn head(&self) -> Result<Head, ReadError> {
        loop {
            let found = last_head(&self.readers().await).await;
            if self.was_steady().await? {
                return found;
            }
        }
    }

    async fn wait_past(&self, _: Position) {
        tokio::time::sleep(LOOK_AGAIN).await;
    }

    async fn close(&self) {
        self.open.lock().await.readers.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::conformance::chain;

    async fn filled(folder: &Path, count: u64) -> Vec<Record> {
        let (log, records) = (SqliteLog::open(folder).await.unwrap(), chain(&Head::EMPTY, count));
        log.append(&Head::EMPTY, &records).await.unwrap();
        log.into_one_file().await.unwrap();
        records
    }

    fn names(folder: &Path) -> Vec<std::ffi::OsString> {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_log_that_nobody_holds_is_read_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let records = filled(folder.path(), 5).await;
        let log = SqliteLog::open_read_only(folder.path()).await.unwrap();
        assert_eq!(log.read(Position::START, 9).await.unwrap(), records);
        assert_eq!(log.head().await.unwrap(), records[4].head());
        log.close().await;
        assert_eq!(names(folder.path()), [LOG_FILE]);
    }

    #[tokio::test]
    async fn what_a_server_writes_is_seen_though_the_log_was_opened_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let before = filled(folder.path(), 5).await;
        let bystander = SqliteLog::open_read_only(folder.path()).await.unwrap();
        assert_eq!(bystander.head().await.unwrap(), before[4].head());
        let server = SqliteLog::open(folder.path()).await.unwrap();
        let later = chain(&before[4].head(), 300);
        server.append(&before[4].head(), &later).await.unwrap();
        assert_eq!(bystander.read(before[4].position, 999).await.unwrap(), later);
        server.into_one_file().await.unwrap();
        assert_eq!(bystander.head().await.unwrap(), later[299].head());
    }

    #[tokio::test]
    async fn what_a_server_wrote_and_moved_meanwhile_is_seen_too() {
        let folder = tempfile::tempdir().unwrap();
        let before = filled(folder.path(), 5).await;
        let bystander = SqliteLog::open_read_only(folder.path()).await.unwrap();
        assert_eq!(bystander.head().await.unwrap(), before[4].head());
        let later = chain(&before[4].head(), 300);
        let server = SqliteLog::open(folder.path()).await.unwrap();
        server.append(&before[4].head(), &later).await.unwrap();
        server.into_one_file().await.unwrap();
        assert_eq!(bystander.head().await.unwrap(), later[299].head());
    }

    #[tokio::test]
    async fn a_server_can_start_while_a_bystander_reads_and_a_bystander_appends_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let records = filled(folder.path(), 5).await;
        let bystander = SqliteLog::open_read_only(folder.path()).await.unwrap();
        bystander.read(Position::START, 2).await.unwrap();
        let _server = SqliteLog::open(folder.path()).await.unwrap();
        let more = chain(&records[4].head(), 1);
        assert!(matches!(bystander.append(&records[4].head(), &more).await, Err(AppendError::Unavailable(_))));
    }
}
