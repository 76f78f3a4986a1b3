//! The log in one SQLite file, `log.db` in the data folder: for one machine, with nothing to install.
//!
//! One connection writes, and a few only read, each on its own thread. [`FolderLock`](super::FolderLock) keeps other
//! processes from writing. Even without it, the condition of every append would hold.

mod append;
mod cause;
mod checkpoint;
mod in_place;
mod open;
mod read;
mod read_only;
mod room;
mod steady_clock;
#[cfg(test)]
mod tests;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Head, Position, Record, Timestamp};
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use self::append::Writer;
pub use self::open::{LOG_FILE, OpenError};
use self::read::{last_head, read};
pub use self::read_only::ReadOnlyLog;
pub use self::room::IndexRoom;
use self::steady_clock::SteadyClock;
use self::threads::{Gone, Threads};
use super::{AppendError, EventLog, ReadError, assert_follows};

/// How long [`EventLog::wait_past`] waits at most, in seconds.
const WAIT_SECONDS: u64 = 1;

/// The file's `application_id` while an import or a copy fills it: "part" as a number.
const UNFINISHED: i64 = 0x7061_7274;

/// A log in one SQLite file.
#[derive(Debug)]
pub struct SqliteLog {
    writer: Threads<Writer>,
    readers: Threads<Connection>,
    /// The last known position, for waiting tasks.
    last: Arc<watch::Sender<Position>>,
    clock: SteadyClock,
}

#[async_trait]
impl EventLog for SqliteLog {
    /// The append goes on even if the caller does not wait for it any more. It is written whole or not at all.
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        assert_follows(expected, records);
        let (expected, records, last) = (*expected, records.to_vec(), Arc::clone(&self.last));
        let (reply_to, reply) = oneshot::channel();
        self.writer.begin(move |writer| {
            let appended = writer.append(&expected, &records);
            if let (Ok(()), Some(record)) = (&appended, records.last()) {
                last.send_replace(record.position);
            }
            // The caller may be gone.
            let _ = reply_to.send(appended);
            writer.look_after();
        });
        reply.await.unwrap_or_else(|_| Err(AppendError::Broken(Gone.to_string())))
    }

    async fn probe(&self, expected: &Head) -> Result<(), AppendError> {
        let expected = *expected;
        let probed = self.writer.run(move |writer| {
            let probed = writer.probe(&expected);
            writer.look_after();
            probed
        });
        probed.await.unwrap_or_else(|gone| Err(AppendError::Broken(gone.to_string())))
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.readers.run(move |connection| read(connection, after, limit)).await?
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.readers.run(|connection| last_head(connection)).await?
    }

    /// This machine's clock at the time of the open, plus the time since by a clock that cannot be set.
    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(Some(self.clock.now()))
    }

    async fn wait_past(&self, after: Position) {
        let mut last = self.last.subscribe();
        let past = last.wait_for(|last| *last > after);
        // A timeout and a dropped log do not matter here: this is only a hint.
        let _ = tokio::time::timeout(Duration::from_secs(WAIT_SECONDS), past).await;
    }

    /// The mark is in the file itself, so that it moves with the file.
    /// <https://sqlite.org/pragma.html#pragma_application_id>
    async fn mark_unfinished(&self, is_unfinished: bool) -> Result<(), AppendError> {
        let mark = if is_unfinished { UNFINISHED } else { 0 };
        let marked = self.writer.run(move |writer| writer.connection.pragma_update(None, "application_id", mark)).await;
        let marked = marked.map_err(|gone| AppendError::Broken(gone.to_string()))?;
        marked.map_err(|error| AppendError::Unavailable(error.to_string()))
    }

    async fn is_unfinished(&self) -> Result<bool, ReadError> {
        let asked = self
            .readers
            .run(|connection| connection.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0)));
        let mark = asked.await?.map_err(|error| ReadError::Unavailable(error.to_string()))?;
        Ok(mark == UNFINISHED)
    }

    /// Moves all records into `log.db`, so that a copy of this file alone is the whole log.
    async fn close(&self) {
        if let Err(error) = self.move_into_one_file().await {
            tracing::warn!("the log stays in two files, `log.db` and `log.db-wal`: {error}");
        }
    }
}

impl SqliteLog {
    /// Closes this log, so that all of it is in the one file `log.db`, and nothing more is written.
    ///
    /// # Errors
    /// SQLite could not move everything into the file.
    pub async fn into_one_file(self) -> Result<(), ReadError> {
        self.move_into_one_file().await?;
        // The last connection to close removes the WAL, and only the writing one can do that.
        self.readers.close().await;
        self.writer.close().await;
        Ok(())
    }

    async fn move_into_one_file(&self) -> Result<(), ReadError> {
        match self.writer.run(|writer| writer.move_into_one_file()).await? {
            Ok(true) => Ok(()),
            Ok(false) => Err(ReadError::Unavailable("another process has the file open".to_owned())),
            Err(reason) => Err(ReadError::Broken(reason)),
        }
    }
}

impl From<Gone> for ReadError {
    fn from(gone: Gone) -> Self {
        Self::Broken(gone.to_string())
    }
}
