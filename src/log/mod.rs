//! The log: the only truth. This room knows records, never what they mean.
//!
//! Every backend passes the one suite in `conformance.rs`; what it must hold is written on [`EventLog`].

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

pub use self::address::{LogAddress, LogPlace, NotALog};
pub use self::disk::is_full;
pub use self::folder::{FolderError, FolderLock, sync_names};
pub use self::open::{OpenError, must_exist, open, open_read_only, open_to_fill};
pub use self::postgres::{PostgresError, PostgresLog, ReadOnlyPostgres};
pub use self::record_line::{RecordLine, named_users, names_user};
pub use self::sqlite::{IndexRoom, LOG_FILE, OpenError as SqliteOpenError, ReadOnlyLog, SqliteLog};

/// The largest batch that is appended at once, in commands.
pub const MAX_BATCH_COMMANDS: usize = 1_024;
/// The largest batch that is appended at once, in bytes of type, data and metadata. One command alone may pass it.
pub const MAX_BATCH_BYTES: usize = 768 * 1024;

/// One log, totally ordered and without gaps: positions are 1, 2, 3, ….
///
/// What `read` and `head` return is durable: a backend that finds records which a crash could still take back (a WAL
/// that was never synced, commits that a standby does not have) makes them durable before it returns them.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Appends all of `records`, at least one, after `expected`, durably, or none. After [`AppendError::Conflict`] what
    /// caused it can be read, and a backend that gives turns keeps its own until the caller's next append or
    /// [`end_turn`](Self::end_turn), at most 100 ms.
    ///
    /// An append that was polled once has begun: whatever carries it out has the records, as long as nothing else is on its
    /// way. So a caller may poll it once, do other work, and ask later how it went; the records land meanwhile.
    ///
    /// # Errors
    /// Each variant of [`AppendError`] says what is known of the records.
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError>;

    /// Compares the head with `expected`, which is what those rest on who write nothing. It ends a turn.
    ///
    /// # Errors
    /// [`AppendError::Conflict`]: it is another one. Else it could not be read.
    async fn compare_head(&self, expected: &Head) -> Result<(), AppendError> {
        let head = self.head().await?;
        if head == *expected { Ok(()) } else { Err(AppendError::Conflict) }
    }

    /// Gives back the turn that a conflict left to this caller, where a backend gives turns.
    async fn end_turn(&self) {}

    /// Finds out whether a log that failed takes appends again, and compares its head with `expected`.
    ///
    /// # Errors
    /// As [`append`](Self::append) of something would say.
    async fn probe(&self, expected: &Head) -> Result<(), AppendError> {
        self.compare_head(expected).await
    }

    /// Records after `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// The log cannot be reached, or what it holds is not what was written.
    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError>;

    /// The last record's position and hash.
    ///
    /// # Errors
    /// The log cannot be reached, or what it holds is not what was written.
    async fn head(&self) -> Result<Head, ReadError>;

    /// Returns once the head is past `after`, or after a while: a hint to read, never a promise.
    async fn wait_past(&self, after: Position);

    /// Whether others append to this log too: what a node has folded may then lag behind what was answered elsewhere.
    fn is_shared(&self) -> bool {
        false
    }

    /// What the clock of the engine that holds the log shows, where that is not this machine's own. For an engine that
    /// tells the time only with what is written, `None` until something was.
    ///
    /// # Errors
    /// The log cannot be reached.
    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(None)
    }

    /// Remembers, with the log, that an import or a copy fills it, or that it is whole again. What is not whole is served by
    /// nobody.
    ///
    /// # Errors
    /// It cannot be remembered.
    async fn mark_unfinished(&self, _: bool) -> Result<(), AppendError> {
        Ok(())
    }

    /// Whether an import or a copy has begun to fill the log, and has not ended.
    ///
    /// # Errors
    /// The log cannot be read.
    async fn is_unfinished(&self) -> Result<bool, ReadError> {
        Ok(false)
    }

    /// Tidies up before the program ends; the log is not used afterwards. Nothing durable ever depends on it.
    async fn close(&self) {}
}

/// Why an append was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The head is another one. Nothing was written.
    #[error("the log's head has moved")]
    Conflict,
    /// The reply was lost: the records may stand in the log, now or later. Only a record at the next position settles it.
    #[error("the outcome is not known: {0}")]
    Unknown(String),
    /// The log could not be reached. Nothing was written.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
    /// There is no room. Nothing was written.
    #[error("the log has no room left: {0}")]
    Full(String),
    /// The storage itself failed (a write or an fsync): what this process cannot know, it must not serve.
    #[error("the log's storage failed: {0}")]
    Broken(String),
}

impl AppendError {
    /// All that [`AppendError::name`] can say.
    pub const NAMES: [&str; 5] = ["conflict", "unknown", "unavailable", "full", "broken"];

    /// As it is counted.
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

/// Why the log could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The log could not be reached.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
    /// A record is missing or is not what was written.
    #[error("the log is damaged: {0}")]
    Damaged(#[from] ChainError),
    /// A record is not even of a record's shape.
    #[error("the log is damaged: position {position}: {reason}")]
    Malformed { position: Position, reason: String },
    /// The storage itself failed.
    #[error("the log's storage failed: {0}")]
    Broken(String),
}

/// What reading for an append could not tell: nothing was written.
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

/// A batch is made of the records right after the head that it was decided on. Every backend holds its caller to that.
fn assert_follows(expected: &Head, records: &[Record]) {
    assert!(!records.is_empty(), "an append has records");
    for (position, record) in (expected.position.get() + 1..).zip(records) {
        assert_eq!(record.position.get(), position, "a batch has the positions after its expected head");
    }
}
