//! The log in one SQLite file, `log.db` in the data folder: for one machine, with nothing to install.
//!
//! One connection writes, a few only read. That nobody else writes is the work of [`FolderLock`](super::FolderLock); if
//! somebody did, the condition of every append would still hold.

mod append;
mod open;
mod read_only;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Hash, Head, Position, Record, Timestamp};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Connection, Decode, Row, Sqlite};
use tokio::sync::{Mutex, watch};

use self::append::{Batch, Writer};
pub use self::open::{LOG_FILE, OpenError};
pub use self::read_only::ReadOnlyLog;
use super::{AppendError, EventLog, ReadError, assert_follows};

/// How long [`EventLog::wait_past`] waits at most, in seconds.
const WAIT_SECONDS: u64 = 1;

/// SQLite's primary result code for a file whose pages contradict each other.
const SQLITE_CORRUPT: u32 = 11;

/// A log in one SQLite file.
#[derive(Debug)]
pub struct SqliteLog {
    writer: Arc<Mutex<Writer>>,
    readers: SqlitePool,
    /// The last position that is known, for those who wait.
    last: Arc<watch::Sender<Position>>,
}

#[async_trait]
impl EventLog for SqliteLog {
    /// The append goes on when the caller no longer waits for it, and is whole or not at all.
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        assert_follows(expected, records);
        let batch = Batch::new(*expected, records);
        let last_position = records.last().map_or(expected.position, |record| record.position);
        let (writer, last) = (Arc::clone(&self.writer), Arc::clone(&self.last));
        // A task of its own: a caller that gives up must not leave half a transaction on the connection.
        let appending = tokio::spawn(async move {
            writer.lock().await.append(batch).await?;
            last.send_if_modified(|last| {
                let moved = *last < last_position;
                *last = last_position.max(*last);
                moved
            });
            Ok(())
        });
        appending.await.unwrap_or_else(|stopped| Err(AppendError::Broken(stopped.to_string())))
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        read(&self.readers, after, limit).await
    }

    async fn head(&self) -> Result<Head, ReadError> {
        last_head(&self.readers).await
    }

    async fn wait_past(&self, after: Position) {
        let mut last = self.last.subscribe();
        let past = last.wait_for(|last| *last > after);
        // Neither a timeout nor a log that is being dropped matters: this is a hint.
        let _ = tokio::time::timeout(Duration::from_secs(WAIT_SECONDS), past).await;
    }

    /// All records move into `log.db`, so that whoever copies that file alone has the whole log.
    async fn close(&self) {
        self.readers.close().await;
        let mut writer = self.writer.lock().await;
        let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut writer.connection).await;
        if let Err(error) = moved {
            tracing::warn!("the log stays in two files, log.db and log.db-wal: {error}");
        }
    }
}

impl SqliteLog {
    /// Ends this log's use, so that all of it stands in the one file `log.db` and nothing more is written.
    ///
    /// # Errors
    /// SQLite could not move everything there.
    pub async fn into_one_file(self) -> Result<(), ReadError> {
        self.readers.close().await;
        let writer = Arc::into_inner(self.writer).expect("nobody appends to a log that is given away").into_inner();
        writer.connection.close().await.map_err(|error| unread(&error))
    }
}

/// Records after `after`, in order, at most `limit`.
async fn read(readers: &SqlitePool, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
    let error = match rows(readers, after, limit).await {
        Ok(rows) => return records(&rows),
        Err(error) => error,
    };
    if result_code(&error).is_none_or(|code| code & 0xff != SQLITE_CORRUPT) {
        return Err(unread(&error));
    }
    let position = first_unreadable(readers, after, limit).await;
    Err(ReadError::Malformed { position, reason: error.to_string() })
}

/// The last record's position and hash.
async fn last_head(readers: &SqlitePool) -> Result<Head, ReadError> {
    let last = sqlx::query("SELECT position, hash FROM log ORDER BY position DESC LIMIT 1")
        .fetch_optional(readers)
        .await
        .map_err(|error| unread(&error))?;
    last.as_ref().map_or(Ok(Head::EMPTY), head)
}

/// A range by LIMIT, not by positions: behind a gap as long as the range there must still be something to see.
async fn rows(readers: &SqlitePool, after: Position, limit: usize) -> sqlx::Result<Vec<SqliteRow>> {
    sqlx::query(
        "SELECT position, hash, recorded_at, type, type_version, data, metadata FROM log \
         WHERE position > ? ORDER BY position LIMIT ?",
    )
    .bind(i64::try_from(after.get()).unwrap_or(i64::MAX))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(readers)
    .await
}

/// Where reading a damaged file stops: SQLite itself tells only of pages. Slow, and followed by a refusal.
async fn first_unreadable(readers: &SqlitePool, after: Position, limit: usize) -> Position {
    let mut last = after;
    for _ in 0..limit {
        match rows(readers, last, 1).await.as_deref().map(|rows| rows.first().map(record)) {
            Ok(Some(Ok(record))) => last = record.position,
            Ok(Some(Err(_)) | None) | Err(_) => break,
        }
    }
    last.next()
}

fn records(rows: &[SqliteRow]) -> Result<Vec<Record>, ReadError> {
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        records.push(record(row)?);
    }
    Ok(records)
}

fn record(row: &SqliteRow) -> Result<Record, ReadError> {
    let Head { position, hash } = head(row)?;
    Ok(Record {
        position,
        hash,
        recorded_at: Timestamp::from_millis(column(row, position, 2)?),
        event_type: column(row, position, 3)?,
        type_version: column(row, position, 4)?,
        data: column(row, position, 5)?,
        metadata: column(row, position, 6)?,
    })
}

/// Every query on records begins with position and hash. Columns are told by number, since a million rows are read in a
/// second, and a name is looked up each time.
fn head(row: &SqliteRow) -> Result<Head, ReadError> {
    let number: i64 = column(row, Position::START, 0)?;
    let position = u64::try_from(number).map(Position::new).map_err(|_| ReadError::Malformed {
        position: Position::START,
        reason: format!("a record stands at {number}"),
    })?;
    let hash: &[u8] = column(row, position, 1)?;
    let hash = <[u8; 32]>::try_from(hash)
        .map(Hash::new)
        .map_err(|_| ReadError::Malformed { position, reason: format!("a hash of {} bytes", hash.len()) })?;
    Ok(Head { position, hash })
}

fn column<'r, T>(row: &'r SqliteRow, position: Position, index: usize) -> Result<T, ReadError>
where
    T: Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(index).map_err(|error| ReadError::Malformed { position, reason: error.to_string() })
}

fn unread(error: &sqlx::Error) -> ReadError {
    let busy = result_code(error).is_some_and(|code| code & 0xff == append::SQLITE_BUSY);
    if busy || matches!(error, sqlx::Error::PoolTimedOut) {
        ReadError::Unavailable(error.to_string())
    } else {
        ReadError::Broken(error.to_string())
    }
}

/// SQLite's extended result code, where SQLite spoke; its low byte is the primary one. <https://sqlite.org/rescode.html>
fn result_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}
