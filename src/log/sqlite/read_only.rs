//! The log, only for reading: beside a running server or in a folder that no process holds. It does not take the
//! folder's lock, and changes no byte.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use domain::{Head, Position, Record};
use rusqlite::{Connection, OpenFlags};

use super::open::{LOG_FILE, connect};
use super::read::{last_head, read};
use super::threads::Threads;
use super::{OpenError, SqliteLog};
use crate::log::{AppendError, EventLog, ReadError};

/// The name of SQLite's WAL, which exists while a process has the log open for writing.
const WAL_FILE: &str = "log.db-wal";
/// How often a read-only handle looks whether the log has grown.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A log that is only read. Its records may not be durable, so nothing may be served from it.
#[derive(Debug)]
pub struct ReadOnlyLog {
    reader: Threads<Reader>,
}

#[derive(Debug)]
struct Reader {
    folder: PathBuf,
    connection: Connection,
    /// The state of the file when it was opened as one that no process writes. `None` if a process may write it.
    still: Option<Still>,
}

/// The state of the file of a log that was closed in good order.
#[derive(Debug, PartialEq, Eq)]
struct Still {
    bytes: u64,
    modified_at: Option<SystemTime>,
}

impl Still {
    /// Reads the state. `None` if there are records in the WAL: a server has the log open, or died while it had.
    fn look(folder: &Path) -> Option<Self> {
        let file = folder.join(LOG_FILE).metadata().ok()?;
        let is_alone = folder.join(WAL_FILE).metadata().map_or(true, |wal| wal.len() == 0);
        is_alone.then(|| Self { bytes: file.len(), modified_at: file.modified().ok() })
    }
}

impl Reader {
    /// Opens the file. If no process has it open, it is opened as `immutable`: otherwise SQLite would make a WAL beside
    /// it, which fails in a read-only folder. <https://sqlite.org/wal.html#read_only_databases>
    fn open(folder: PathBuf) -> rusqlite::Result<Self> {
        let still = Still::look(&folder);
        let file = folder.join(LOG_FILE);
        let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = match still {
            Some(_) => connect(&immutable(&file), read_only | OpenFlags::SQLITE_OPEN_URI)?,
            None => connect(&file, read_only)?,
        };
        Ok(Self { folder, connection, still })
    }

    /// Reads with `read`. If a server has begun to write to the file since it was opened as `immutable`, the result is
    /// dropped, and the file is opened again as one that is written.
    fn steady<T>(&mut self, read: impl Fn(&Connection) -> Result<T, ReadError>) -> Result<T, ReadError> {
        loop {
            let found = read(&self.connection);
            if self.still.is_none() || self.still == Still::look(&self.folder) {
                return found;
            }
            *self = Self::open(self.folder.clone()).map_err(|error| ReadError::Broken(error.to_string()))?;
        }
    }
}

/// Makes the file's URI for SQLite, with the parameter `immutable`. Special characters are escaped.
/// <https://sqlite.org/uri.html>
fn immutable(file: &Path) -> PathBuf {
    let mut name = "file:".to_owned();
    for byte in file.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => name.push(char::from(*byte)),
            other => write!(name, "%{other:02x}").expect("a string takes all"),
        }
    }
    name.push_str("?immutable=1");
    name.into()
}

impl SqliteLog {
    /// Opens the log in `folder` for reading, also if other processes have it open.
    ///
    /// # Errors
    /// There is no log, or SQLite cannot open it.
    pub async fn open_read_only(folder: &Path) -> Result<ReadOnlyLog, OpenError> {
        let reader = Reader::open(folder.to_owned()).map_err(|error| OpenError::from(error).with_cause(folder))?;
        Ok(ReadOnlyLog { reader: Threads::start("log-reader", [reader]) })
    }
}

#[async_trait]
impl EventLog for ReadOnlyLog {
    async fn append(&self, _: &Head, _: &[Record]) -> Result<(), AppendError> {
        Err(AppendError::Unavailable("it was opened for reading".to_owned()))
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.reader.run(move |reader| reader.steady(|connection| read(connection, after, limit))).await?
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.reader.run(|reader| reader.steady(last_head)).await?
    }

    async fn wait_past(&self, _: Position) {
        tokio::time::sleep(LOOK_AGAIN).await;
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
        drop(log);
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

    #[tokio::test]
    async fn a_folder_may_have_any_name() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["a b", "what?immutable=0#x", "100%41", "표"] {
            let folder = parent.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            let records = filled(&folder, 2).await;
            let log = SqliteLog::open_read_only(&folder).await.unwrap();
            assert_eq!(log.read(Position::START, 9).await.unwrap(), records, "{name}");
            assert_eq!(names(&folder), [LOG_FILE]);
        }
    }
}
