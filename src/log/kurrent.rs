//! The log in KurrentDB: one stream, for several nodes, on one server or a cluster.
//!
//! A record's position is its event's revision + 1. The server's condition of an append is the revision of the head.
//! This module adds the hash to the condition: before a connection's first append at a head, it reads the record there
//! and compares the hash.
//!
//! Readers on the leader see only records that are on the disks of a majority. So a record that was read is durable.

mod connection;
mod envelope;
mod examine;
mod failure;
mod fair_pauses;
mod follow;
mod leader;
mod marks;
mod protocol;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::{Head, Position, Record, Timestamp};
use tokio::task::JoinHandle;

use self::connection::{Appended, Connection, Patience};
use self::envelope::{propose, record, size_bytes};
use self::examine::{Keeping, Writers, examine_on_any};
use self::failure::Failure;
use self::fair_pauses::FairPauses;
use self::follow::Follower;
use self::leader::Leader;
use self::settings::Settings;
use super::{AppendError, EventLog, ReadError, assert_follows};
use crate::secret_url::SecretUrl;

/// The server's default limit of one append, as [`size_bytes`] counts.
const MAX_APPEND_BYTES: usize = 1024 * 1024;
/// How often an append is sent on to another node before it counts as refused.
const MAX_HOPS: usize = 4;
/// The first and the longest pause between two looks for the record that caused a conflict. On one node most records
/// can be read after 2 ms, and all after 11 ms; on three nodes it takes longer (measured).
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(16);

/// A log in KurrentDB.
pub struct KurrentLog {
    leader: Arc<Leader>,
    follower: Arc<Follower>,
    keeping: Arc<Keeping>,
    tasks: [JoinHandle<()>; 2],
    pauses: FairPauses,
    writers: Writers,
}

/// The record that caused a conflict.
enum Cause {
    /// The record can be read, or the log is not the one that was served: the next read shows which.
    IsThere,
    /// Another node has become the leader, and may not have the record.
    MayBeGone,
}

/// The reason why a log in KurrentDB cannot be used. No variant holds credentials.
#[derive(Debug, thiserror::Error)]
pub enum KurrentError {
    /// The URL is malformed or not supported.
    #[error("the log's URL cannot be used: {0}")]
    Url(String),
    /// No server answers. `how` says whether TLS was used, since a wrong choice of TLS is the usual cause.
    #[error("KurrentDB cannot be reached {how}: {why}")]
    Unreachable { how: &'static str, why: String },
    /// A server answers, but does not serve yet.
    #[error("KurrentDB does not serve yet: {0}")]
    NotReady(String),
    /// A server answers, but refuses the credentials.
    #[error("KurrentDB refuses: {0}")]
    Refused(String),
    /// The stream holds something else.
    #[error("the stream {stream:?} is not a log of Reprise: {why}")]
    NotALog { stream: String, why: String },
    /// The stream lost its first events, or is about to.
    #[error("the stream {stream:?} is not a complete log: {why}")]
    Truncated { stream: String, why: String },
}

impl KurrentLog {
    /// Opens the log that a URL names. The first append makes the stream.
    ///
    /// # Errors
    /// The URL is wrong, no server answers, or the stream cannot be a log.
    pub async fn open(url: &SecretUrl) -> Result<Self, KurrentError> {
        Self::open_with(url.expose(), Patience::DEFAULT).await
    }

    /// Warns if everyone whom the server admits may write to the stream.
    pub fn warn_if_open_to_all(&self) {
        if self.writers == Writers::Everybody {
            tracing::warn!(
                "every user of KurrentDB may write to the stream {:?}, and one event of another program makes the log \
                 unusable; restrict the stream by its `$acl` (docs/logs.md)",
                self.leader.stream()
            );
        }
    }

    async fn open_with(url: &str, patience: Patience) -> Result<Self, KurrentError> {
        let leader = Arc::new(Leader::new(Settings::parse(url).map_err(KurrentError::Url)?, patience));
        let writers = examine_on_any(&leader).await?;
        let (follower, keeping) = (Arc::new(Follower::new()), Arc::new(Keeping::default()));
        let tasks = [
            tokio::spawn(Arc::clone(&follower).follow(Arc::clone(&leader))),
            tokio::spawn(Arc::clone(&keeping).watch(Arc::clone(&leader))),
        ];
        Ok(Self { leader, follower, keeping, tasks, pauses: FairPauses::default(), writers })
    }

    /// Returns a connection for an append at `expected`, after the hash there was compared on it.
    async fn proved(&self, expected: &Head) -> Result<Arc<Connection>, AppendError> {
        let connection = self.leader.connection().await;
        let connection = connection.map_err(|failure| AppendError::Unavailable(failure.to_string()))?;
        if connection.proved() == *expected {
            return Ok(connection);
        }
        let Some(revision) = expected.position.get().checked_sub(1) else { return Ok(connection) };
        let (connection, records) = self.read_from(revision, 1).await?;
        let found = records.first().map_or(Head::EMPTY, Record::head);
        if found == *expected { Ok(connection) } else { Err(AppendError::Conflict) }
    }

    /// Reads records from a revision on. Returns also the connection on which they were read.
    async fn read_from(&self, revision: u64, limit: usize) -> Result<(Arc<Connection>, Vec<Record>), ReadError> {
        let (stream, limit) = (self.leader.stream(), limit as u64);
        let reading = self.leader.call(|connection| async move {
            let events = none_if_deleted(connection.read_forwards(stream, revision, limit).await)?;
            Ok((connection, events))
        });
        let (connection, events) = reading.await.map_err(|failure| ReadError::Unavailable(failure.to_string()))?;
        let records: Vec<Record> = events.into_iter().map(record).collect::<Result<_, _>>()?;
        if let Some(last) = records.last() {
            connection.prove(last.head());
        }
        Ok((connection, records))
    }

    /// Waits until the record that caused a conflict can be read: writers are told of a record before readers see it.
    ///
    /// # Errors
    /// The record does not come in time, or the log cannot be read. Nothing was written in either case.
    async fn cause(&self, expected: &Head, told_on: &Arc<Connection>) -> Result<Cause, AppendError> {
        let own = usize::from(expected.position > Position::START);
        let given_up_at = Instant::now() + self.leader.patience().append;
        let mut pause = FIRST_LOOK;
        loop {
            let (connection, found) = match self.read_from(expected.position.get() - own as u64, own + 1).await {
                Ok(read) => read,
                Err(ReadError::Unavailable(reason)) => return Err(AppendError::Unavailable(reason)),
                // The next read finds the fault and names it.
                Err(ReadError::Damaged(_) | ReadError::Malformed { .. } | ReadError::Broken(_)) => {
                    return Ok(Cause::IsThere);
                }
            };
            let is_rewound = own == 1 && found.first().map(Record::head) != Some(*expected);
            if is_rewound || found.len() > own {
                return Ok(Cause::IsThere);
            }
            if !Arc::ptr_eq(&connection, told_on) {
                return Ok(Cause::MayBeGone);
            }
            if Instant::now() > given_up_at {
                return Err(AppendError::Unavailable("the cause of a conflict cannot be read".to_owned()));
            }
            tokio::time::sleep(pause).await;
            pause = LAST_LOOK.min(pause * 2);
        }
    }

    async fn append_records(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        let messages: Vec<_> = records.iter().map(propose).collect();
        let size: usize = messages.iter().map(size_bytes).sum();
        assert!(size <= MAX_APPEND_BYTES, "a batch of {size} bytes is more than the server takes at once");
        let last = records.last().map_or(*expected, Record::head);
        let mut failed = String::new();
        for _ in 0..MAX_HOPS {
            let connection = self.proved(expected).await?;
            let revision = expected.position.get().checked_sub(1);
            let started = Instant::now();
            match connection.append(self.leader.stream(), revision, messages.clone()).await {
                Ok(Appended::At(revision)) if Position::new(revision).next() == last.position => {
                    connection.prove(last);
                    self.follower.reached(last.position);
                    self.pauses.won(started.elapsed());
                    return Ok(());
                }
                // A deleted stream goes on at the revision where it ended.
                Ok(Appended::At(revision)) => {
                    let reason =
                        format!("the records were written up to revision {revision}: the stream was deleted before");
                    return Err(AppendError::Broken(reason));
                }
                Ok(Appended::Conflict) => {
                    self.pauses.lost();
                    match self.cause(expected, &connection).await? {
                        Cause::IsThere => return Err(AppendError::Conflict),
                        Cause::MayBeGone => failed = "the leader changed while it reported a conflict".to_owned(),
                    }
                }
                Err(failure) => {
                    self.leader.leave(&connection, &failure).await;
                    match failure {
                        Failure::NotLeader(_) | Failure::NotSent(_) => failed = failure.to_string(),
                        // The next read finds that the log does not hold what was served any more.
                        Failure::Deleted => return Err(AppendError::Conflict),
                        Failure::Refused(reason) => return Err(AppendError::Unavailable(reason)),
                        Failure::Lost(reason) => return Err(AppendError::Unknown(reason)),
                    }
                }
            }
        }
        Err(AppendError::Unavailable(failed))
    }
}

#[async_trait]
impl EventLog for KurrentLog {
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        assert_follows(expected, records);
        self.keeping.check().map_err(AppendError::Unavailable)?;
        self.pauses.wait().await;
        self.append_records(expected, records).await
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.keeping.check().map_err(ReadError::Unavailable)?;
        // The server refuses a count of 0.
        if limit == 0 { Ok(Vec::new()) } else { Ok(self.read_from(after.get(), limit).await?.1) }
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.keeping.check().map_err(ReadError::Unavailable)?;
        let stream = self.leader.stream();
        let reading = self.leader.call(|connection| async move {
            let event = none_if_deleted(connection.read_last(stream).await)?;
            Ok((connection, event))
        });
        let (connection, event) = reading.await.map_err(|failure| ReadError::Unavailable(failure.to_string()))?;
        let head = event.map(record).transpose()?.map_or(Head::EMPTY, |record| record.head());
        connection.prove(head);
        Ok(head)
    }

    async fn wait_past(&self, after: Position) {
        self.follower.wait_past(after).await;
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn mark_unfinished(&self, is_unfinished: bool) -> Result<(), AppendError> {
        let marked = self.leader.mark_unfinished(is_unfinished).await;
        marked.map_err(|failure| AppendError::Unavailable(failure.to_string()))
    }

    async fn is_unfinished(&self) -> Result<bool, ReadError> {
        self.leader.is_unfinished().await.map_err(|failure| ReadError::Unavailable(failure.to_string()))
    }

    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(self.follower.clock())
    }
}

impl Drop for KurrentLog {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Treats a deleted stream as an empty one. A node that has served it then notices the loss.
fn none_if_deleted<T: Default>(read: Result<T, Failure>) -> Result<T, Failure> {
    match read {
        Err(Failure::Deleted) => Ok(T::default()),
        read => read,
    }
}
