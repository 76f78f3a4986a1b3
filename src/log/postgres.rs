//! The log in PostgreSQL, for several nodes. Replication and failover are the work of the database's operators.
//!
//! One connection appends ([`append`]), a few read ([`read`]), and one listens for other nodes' appends ([`listen`]).
//! [`connect`] makes each of them: it finds the host that accepts writes, and makes sure that records which are read
//! there are durable. No call waits for ever: after its deadline a connection is dropped. [`append`] says what that
//! means for an append.

mod append;
mod connect;
mod errors;
mod listen;
mod read;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Head, Position, Record, Timestamp};
use sqlx::{Row, raw_sql};
use tokio::sync::watch;

use self::append::Appender;
pub use self::connect::PostgresError;
use self::connect::{Hosts, Purpose};
use self::listen::Listener;
use self::read::ReadConnections;
use super::{AppendError, EventLog, ReadError, assert_follows};
use crate::secret_url::SecretUrl;

/// How long [`EventLog::wait_past`] waits at most.
const WAIT: Duration = Duration::from_secs(1);
/// The pause before the next look at a log that was rewound or cannot be reached.
const TROUBLE_PAUSE: Duration = Duration::from_millis(20);
/// How often a read-only handle looks whether the log has grown.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A log in a database of PostgreSQL.
pub struct PostgresLog {
    hosts: Arc<Hosts>,
    appender: Appender,
    readers: ReadConnections,
    listener: Listener,
    /// The last position that was seen, for waiting tasks. `None` while nobody looks.
    last: Arc<watch::Sender<Option<Position>>>,
}

impl PostgresLog {
    /// Opens the log in the database at `url`, and makes it if it is missing.
    ///
    /// # Errors
    /// No host accepts writes, or its commits would not be durable.
    pub async fn open(url: &SecretUrl) -> Result<Self, PostgresError> {
        let hosts = Arc::new(Hosts::parse(url)?);
        let first = hosts.prepare().await?;
        let last = Arc::new(watch::channel(None).0);
        Ok(Self {
            hosts: Arc::clone(&hosts),
            appender: Appender::new(Arc::clone(&hosts), first),
            readers: ReadConnections::new(Arc::clone(&hosts), Purpose::Serving),
            listener: Listener::start(hosts, Arc::clone(&last)),
            last,
        })
    }

    /// Opens the log for reading. If no host accepts writes, a standby is used.
    ///
    /// # Errors
    /// No host can be reached.
    pub async fn open_read_only(url: &SecretUrl) -> Result<ReadOnlyPostgres, PostgresError> {
        let hosts = Arc::new(Hosts::parse(url)?);
        drop(hosts.connect(Purpose::Looking).await?);
        Ok(ReadOnlyPostgres { readers: ReadConnections::new(hosts, Purpose::Looking) })
    }
}

#[async_trait]
impl EventLog for PostgresLog {
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        assert_follows(expected, records);
        self.appender.append(expected, records).await?;
        if let Some(record) = records.last() {
            self.last.send_replace(Some(record.position));
            self.listener.tell();
        }
        Ok(())
    }

    async fn compare_head(&self, expected: &Head) -> Result<(), AppendError> {
        self.appender.compare_head(expected).await
    }

    async fn end_turn(&self) {
        self.appender.end_turn().await;
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.readers.read(after, limit).await
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.readers.head().await
    }

    async fn wait_past(&self, after: Position) {
        let mut last = self.last.subscribe();
        // A timeout and a dropped log do not matter here: this is only a hint.
        let _ = tokio::time::timeout(WAIT, last.wait_for(|last| *last != Some(after))).await;
        if *last.borrow() < Some(after) {
            // The server is gone, or shows fewer records than before. The caller finds out which, and calls again and
            // again.
            tokio::time::sleep(TROUBLE_PAUSE).await;
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        self.readers.clock().await.map(Some)
    }

    /// The mark is in its own table, so that older programs are not disturbed.
    async fn mark_unfinished(&self, is_unfinished: bool) -> Result<(), AppendError> {
        let sql = if is_unfinished {
            "CREATE TABLE IF NOT EXISTS log_unfinished ()"
        } else {
            "DROP TABLE IF EXISTS log_unfinished"
        };
        let unmarked = |why: String| AppendError::Unavailable(why);
        let mut connection = self.hosts.connect(Purpose::Serving).await.map_err(|error| unmarked(error.to_string()))?;
        raw_sql(sql).execute(&mut connection).await.map(drop).map_err(|error| unmarked(error.to_string()))
    }

    async fn is_unfinished(&self) -> Result<bool, ReadError> {
        let unread = |why: String| ReadError::Unavailable(why);
        let mut connection = self.hosts.connect(Purpose::Serving).await.map_err(|error| unread(error.to_string()))?;
        let asked = raw_sql("SELECT to_regclass('log_unfinished') IS NOT NULL").fetch_one(&mut connection).await;
        asked.and_then(|row| row.try_get(0)).map_err(|error| unread(error.to_string()))
    }

    async fn close(&self) {
        self.listener.stop();
        self.appender.close().await;
        self.readers.close().await;
    }
}

/// A log that is only read. Its records may not be durable, so nothing may be served from it.
pub struct ReadOnlyPostgres {
    readers: ReadConnections,
}

#[async_trait]
impl EventLog for ReadOnlyPostgres {
    async fn append(&self, _: &Head, _: &[Record]) -> Result<(), AppendError> {
        Err(AppendError::Unavailable("it was opened for reading".to_owned()))
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.readers.read(after, limit).await
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.readers.head().await
    }

    async fn wait_past(&self, _: Position) {
        tokio::time::sleep(LOOK_AGAIN).await;
    }

    async fn close(&self) {
        self.readers.close().await;
    }
}
