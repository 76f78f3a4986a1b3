//! Reading a log as a pipeline: while one page is folded, the next page is proved and decoded, and the pages after it
//! are read. Each step runs on a thread of its own. The order is kept. The first error comes after all records before
//! it.

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;

use domain::{ChainError, HASH_ALGORITHM, Head, LOG_FORMAT, LogCreated, Position, Record, RecordedEvent, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinError;

use crate::log::{EventLog, ReadError};

/// How many records a page has: few enough that a page stays in a core's cache.
pub const PAGE_RECORDS: usize = 1_024;
/// How many pages may wait before each step: enough that no step waits for another. This is a few megabytes.
const PAGES_AHEAD: usize = 4;

/// The reason why reading stopped before the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The log is damaged, or holds an event that this program does not know.
    #[error("position {position}: {reason}")]
    Wrong { position: Position, reason: String },
    /// The log could not be read.
    #[error("the log cannot be read: {0}")]
    Unreadable(String),
}

impl From<ReadError> for StreamError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged(damage) => damage.into(),
            ReadError::Malformed { position, reason } => Self::Wrong { position, reason },
            ReadError::Unavailable(reason) | ReadError::Broken(reason) => Self::Unreadable(reason),
        }
    }
}

impl From<ChainError> for StreamError {
    fn from(damage: ChainError) -> Self {
        let (position, reason) = match damage {
            ChainError::Gap { missing, found } => {
                (missing, format!("the record is missing (the next one found is {found})"))
            }
            ChainError::Altered { position } => {
                (position, "the record does not fit its hash and the records before it".to_owned())
            }
        };
        Self::Wrong { position, reason }
    }
}

/// The end of the records that are proved. The next record is proved against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proved {
    /// The last record.
    pub head: Head,
    /// The time of the last record: the next record's time is not before it.
    pub recorded_at: Timestamp,
}

impl Proved {
    /// The value before the first record.
    pub const NOTHING: Self = Self { head: Head::EMPTY, recorded_at: Timestamp::from_millis(i64::MIN) };

    /// Proves one record against those before it.
    ///
    /// # Errors
    /// The record is not the next one, or does not fit its hash.
    pub fn prove(&mut self, record: &Record) -> Result<(), StreamError> {
        self.head = record.verify(&self.head)?;
        if record.recorded_at < self.recorded_at {
            let reason = "its time is earlier than the time of the record before it".to_owned();
            return Err(StreamError::Wrong { position: record.position, reason });
        }
        self.recorded_at = record.recorded_at;
        Ok(())
    }
}

/// The records to read: those after the proved ones, up to a position and a time.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// The end of the proved records.
    pub after: Proved,
    /// The last position.
    pub last: Position,
    /// The last record's time.
    pub until: Timestamp,
}

impl Range {
    /// The whole log, up to its end at the time of the last read.
    pub const ALL: Self = Self::after(Proved::NOTHING);

    /// All records after the proved ones.
    pub const fn after(after: Proved) -> Self {
        Self { after, last: Position::new(u64::MAX), until: Timestamp::from_millis(i64::MAX) }
    }
}

/// A page of consecutive records after `make`. Beside it stands the head after them, or the error that ended the page.
type ProvedPage<T> = (Vec<T>, Result<Head, StreamError>);

/// Reads the records of `range` and proves each against the one before it. `make` converts each record on a thread of
/// its own. `each` gets the results in order, page by page, on the caller's task, and may stop the stream. Returns the
/// head of the last record.
///
/// # Errors
/// The log cannot be read, is damaged, or `make` refuses a record; every record before it was handed over.
pub async fn stream<T: Send + 'static>(
    log: &Arc<dyn EventLog>,
    range: Range,
    make: impl Fn(Record) -> Result<T, StreamError> + Send + 'static,
    mut each: impl FnMut(Vec<T>) -> ControlFlow<()>,
) -> Result<Head, StreamError> {
    let (read, to_prove) = mpsc::channel(PAGES_AHEAD);
    let (proved, mut pages) = mpsc::channel::<ProvedPage<T>>(PAGES_AHEAD);
    let reading = tokio::spawn(read_all(Arc::clone(log), range, read));
    let proving = tokio::task::spawn_blocking(move || prove_all(range, &make, to_prove, &proved));
    let mut reached = Ok(range.after.head);
    while let Some((page, proved)) = pages.recv().await {
        reached = proved;
        if each(page).is_break() || reached.is_err() {
            break;
        }
    }
    drop(pages);
    for step in [proving.await, reading.await] {
        match step.map_err(JoinError::try_into_panic) {
            Ok(()) => {}
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(_)) => return Err(StreamError::Unreadable("the program ends".to_owned())),
        }
    }
    reached
}

/// Reads page after page until the end, an error, or a closed receiver.
async fn read_all(log: Arc<dyn EventLog>, range: Range, pages: mpsc::Sender<Result<Vec<Record>, ReadError>>) {
    let (mut after, mut limit) = (range.after.head.position, PAGE_RECORDS);
    while after < range.last {
        let left = usize::try_from(range.last.get() - after.get()).unwrap_or(limit);
        let page = log.read(after, limit.min(left)).await;
        let is_over = match page.as_ref().map(|records| records.last()) {
            // Read one by one: a wrong record may stand before the one that cannot be read.
            Err(_) if limit > 1 => {
                limit = 1;
                continue;
            }
            Err(_) => true,
            Ok(None) => return,
            Ok(Some(record)) => {
                after = record.position;
                false
            }
        };
        if pages.send(page).await.is_err() || is_over {
            return;
        }
    }
}

/// Proves and converts what was read, until the end, an error, or a closed receiver.
fn prove_all<T>(
    range: Range,
    make: &impl Fn(Record) -> Result<T, StreamError>,
    mut read: mpsc::Receiver<Result<Vec<Record>, ReadError>>,
    pages: &mpsc::Sender<ProvedPage<T>>,
) {
    let mut proved = range.after;
    while let Some(records) = read.blocking_recv() {
        let mut page = Vec::new();
        let mut is_over = false;
        let result = records.map_err(StreamError::from).and_then(|records| {
            page.reserve_exact(records.len());
            for record in records {
                if record.recorded_at > range.until {
                    is_over = true;
                    break;
                }
                proved.prove(&record)?;
                page.push(make(record)?);
            }
            Ok(proved.head)
        });
        is_over |= result.is_err();
        if pages.blocking_send((page, result)).is_err() || is_over {
            return;
        }
    }
}

/// Decodes a record's event and metadata.
///
/// # Errors
/// This program does not understand them.
pub fn decode(record: impl Borrow<Record>) -> Result<RecordedEvent, StreamError> {
    let record: &Record = record.borrow();
    let wrong = |reason| StreamError::Wrong { position: record.position, reason };
    let recorded = record.decode().map_err(|error| wrong(error.to_string()))?;
    if let Some(LogCreated { format, hash_algorithm, .. }) = recorded.event.log_created()
        && (*format, hash_algorithm.as_str()) != (LOG_FORMAT, HASH_ALGORITHM)
    {
        let reason = format!("the log has format {format} with {hash_algorithm}, which this program does not know");
        return Err(wrong(reason));
    }
    Ok(recorded)
}
