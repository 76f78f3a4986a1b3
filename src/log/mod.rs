//! The log: the only truth. This module handles records, and does not know what they mean.
//!
//! [`EventLog`] says what a backend must promise. Every backend passes the suite in `conformance.rs`.

mod address;
#[cfg(test)]
pub(crate) mod conformance;
mod disk;
mod folder;
#[cfg(feature = "kurrentdb")]
mod kurrent;
#[cfg(test)]
pub(crate) mod memory;
mod open;
mod postgres;
mod record_line;
mod sqlite;

use async_trait::async_trait;
use domain::{ChainError, Head, Position, Record, Timestamp};
use uuid::Uuid;

pub use self::address::{LogAddress, LogPlace, NotALog};
pub use self::disk::is_full;
pub use self::folder::{FolderError, FolderLock, sync_names};
pub use self::open::{OpenError, must_exist, open, open_read_only, open_to_fill};
pub use self::postgres::{PostgresError, PostgresLog, ReadOnlyPostgres};
pub use self::record_line::{RecordLine, named_users, names_user};
pub use self::sqlite::{IndexRoom, LOG_FILE, OpenError as SqliteOpenError, ReadOnlyLog, SqliteLog};

/// The largest batch that is appended at once, in commands.
pub const MAX_BATCH_COMMANDS: usize = 1_024;
/// The largest batch that is appended at once, in bytes of type, data and metadata. A single command may exceed it.
pub const MAX_BATCH_BYTES: usize = 768 * 1024;

/// One log, totally ordered and without gaps: positions are 1, 2, 3, ….
///
/// The records that `read` and `head` return are durable: if a backend finds records that a crash could still lose (a
/// WAL that was never synced, commits that a standby does not have), it makes them durable before it returns them.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Appends all of `records`, at least one, after `expected`, durably, or none. After [`AppendError::Conflict`] the
    /// record that caused it can be read. A backend with turns keeps the caller's turn until the next append or
    /// [`end_turn`](Self::end_turn), at most 100 ms.
    ///
    /// An append that was polled once has begun: the backend has the records, as long as no other append is on its way.
    /// So a caller may poll it once, do other work, and ask for the outcome later. Meanwhile the records are written.
    ///
    /// # Errors
    /// Each variant of [`AppendError`] says what is known about the records.
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError>;

    /// Compares the head with `expected`, for commands that write nothing but depend on the head. It ends a turn.
    ///
    /// # Errors
    /// [`AppendError::Conflict`]: the head has moved. Another error: the head could not be read.
    async fn compare_head(&self, expected: &Head) -> Result<(), AppendError> {
        let head = self.head().await?;
        if head == *expected { Ok(()) } else { Err(AppendError::Conflict) }
    }

    /// Gives back the turn that a conflict left to this caller, if the backend has turns.
    async fn end_turn(&self) {}

    /// Finds out whether a failed log accepts appends again, and compares its head with `expected`.
    ///
    /// # Errors
    /// The error that an [`append`](Self::append) would have.
    async fn probe(&self, expected: &Head) -> Result<(), AppendError> {
        self.compare_head(expected).await
    }

    /// Reads records after `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// The log cannot be reached, or what it holds is not what was written.
    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError>;

    /// Reads the record at `position`. `None` if the log does not hold it.
    ///
    /// # Errors
    /// The log cannot be reached, or what it holds is not what was written.
    async fn record(&self, position: Position) -> Result<Option<Record>, ReadError> {
        let Some(before) = position.get().checked_sub(1) else { return Ok(None) };
        let records = self.read(Position::new(before), 1).await?;
        Ok(records.into_iter().find(|record| record.position == position))
    }

    /// Reads the log's id from its first record. `None` if there is none that can be decoded; the nil id if it is another
    /// event than the one that a log begins with.
    ///
    /// # Errors
    /// The log cannot be reached, or what it holds is not what was written.
    async fn id(&self) -> Result<Option<Uuid>, ReadError> {
        let first = self.read(Position::START, 1).await?;
        let event = first.first().and_then(|record| record.decode().ok()).map(|recorded| recorded.event);
        Ok(event.map(|event| event.log_created().map_or(Uuid::nil(), |created| created.log_id)))
    }

    /// Reads the last record's position and hash.
    ///
    /// # Errors
    /// The log cannot be reached, or what it holds is not what was written.
    async fn head(&self) -> Result<Head, ReadError>;

    /// Returns when the head is past `after`, or after a while. It is a hint to read, not a promise.
    async fn wait_past(&self, after: Position);

    /// True if other nodes append to this log as well. Then a node's state may be older than another node's answers.
    fn is_shared(&self) -> bool {
        false
    }

    /// Reads the clock of the database that holds the log, if that is not this machine's clock. Some databases tell the
    /// time only with a write: then `None` until the first write.
    ///
    /// # Errors
    /// The log cannot be reached.
    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(None)
    }

    /// Stores with the log that an import or a copy fills it, or that it is complete again. A log that is not complete
    /// is not served.
    ///
    /// # Errors
    /// The mark cannot be stored.
    async fn mark_unfinished(&self, _: bool) -> Result<(), AppendError> {
        Ok(())
    }

    /// Returns true if an import or a copy has begun to fill the log, and has not ended.
    ///
    /// # Errors
    /// The log cannot be read.
    async fn is_unfinished(&self) -> Result<bool, ReadError> {
        Ok(false)
    }

    /// Tidies up before the program ends. The log is not used afterwards. Durability never depends on this.
    async fn close(&self) {}
}

/// The reason why an append was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The head has moved. Nothing was written.
    #[error("the log's head has moved")]
    Conflict,
    /// The reply was lost: the records may be in the log, now or later. Only a record at the next position settles
    /// this.
    #[error("the outcome is not known: {0}")]
    Unknown(String),
    /// The log could not be reached. Nothing was written.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
    /// There is no room. Nothing was written.
    #[error("the log has no room left: {0}")]
    Full(String),
    /// The storage failed (a write or an fsync). The process does not know what is durable, so it must not serve it.
    #[error("the log's storage failed: {0}")]
    Broken(String),
}

impl AppendError {
    /// All values of [`AppendError::name`].
    pub const NAMES: [&str; 5] = ["conflict", "unknown", "unavailable", "full", "broken"];

    /// The name in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Unknown(_) => "unknown",
            Self::Unavailable(_) => "unavailable",
            Self::Full(_) => "full",
            Self::Broken(_) => "broken",
        }
    }
}

/// The reason why the log could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The log could not be reached.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
    /// A record is missing or is not what was written.
    #[error("the log is damaged: {0}")]
    Damaged(#[from] ChainError),
    /// A record does not have the shape of a record.
    #[error("the log is damaged: position {position}: {reason}")]
    Malformed { position: Position, reason: String },
    /// The storage failed.
    #[error("the log's storage failed: {0}")]
    Broken(String),
}

/// Converts the error of a read that an append needs. Nothing was written.
impl From<ReadError> for AppendError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(reason) => Self::Unavailable(reason),
            damaged @ (ReadError::Damaged(_) | ReadError::Malformed { .. } | ReadError::Broken(_)) => {
                Self::Broken(damaged.to_string())
            }
        }
    }
}

/// Asserts that the records come right after the expected head. Every backend calls this.
fn assert_follows(expected: &Head, records: &[Record]) {
    assert!(!records.is_empty(), "an append has records");
    for (position, record) in (expected.position.get() + 1..).zip(records) {
        assert_eq!(record.position.get(), position, "a batch has the positions after its expected head");
    }
}
