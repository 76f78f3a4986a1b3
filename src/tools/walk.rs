//! Reading a log from its first record: proved, decoded, and handed on in order.
//!
//! Three things go on at the same time: SQLite reads ahead, a thread proves and decodes, and the caller folds.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::{Event, HASH_ALGORITHM, Head, LOG_FORMAT, Position, Record, RecordedEvent, Timestamp};
use tokio::sync::mpsc;

use super::{AsOf, ToolError};
use crate::log::{EventLog, ReadError};

/// How many records are read at once.
pub const CHUNK_RECORDS: usize = 4_096;
/// How many chunks wait between two of the three.
const CHUNKS_AHEAD: usize = 2;

/// Where and why reading stopped before the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The log is not what was written, or holds what this program does not know.
    #[error("position {position}: {reason}")]
    Wrong { position: Position, reason: String },
    /// It could not be read.
    #[error("the log cannot be read: {0}")]
    Unreadable(String),
}

/// A record as it stands in the log, with what it says.
pub type Read = (Record, RecordedEvent);

/// Hands every record up to `as_of` to `each`, in order, until that breaks.
///
/// # Errors
/// The log is wrong at a position; every record before it was handed on. Or `as_of` is a position that is not there.
pub async fn walk(
    log: &Arc<dyn EventLog>,
    as_of: Option<AsOf>,
    mut each: impl FnMut(&Record, &RecordedEvent) -> ControlFlow<()>,
) -> Result<Head, ToolError> {
    let (raw, to_prove) = mpsc::channel(CHUNKS_AHEAD);
    let (proved, mut to_fold) = mpsc::channel(CHUNKS_AHEAD);
    let reading = tokio::spawn(read_on(Arc::clone(log), as_of, raw));
    let proving = tokio::task::spawn_blocking(move || prove_all(to_prove, &proved));
    let mut head = Head::EMPTY;
    let mut stopped = Ok(());
    'chunks: while let Some(chunk) = to_fold.recv().await {
        let chunk: Vec<Read> = match chunk {
            Ok(chunk) => chunk,
            Err(stop) => {
                stopped = Err(stop);
                break;
            }
        };
        for (record, recorded) in &chunk {
            if is_past(as_of, record) {
                break 'chunks;
            }
            head = record.head();
            if each(record, recorded).is_break() {
                break 'chunks;
            }
        }
    }
    drop(to_fold);
    reading.abort();
    let _ = proving.await;
    stopped?;
    match as_of {
        Some(AsOf::Position(asked)) if asked > head.position => Err(ToolError::NotYet { asked, last: head.position }),
        Some(AsOf::Position(_) | AsOf::Time(_)) | None => Ok(head),
    }
}

fn is_past(as_of: Option<AsOf>, record: &Record) -> bool {
    match as_of {
        None => false,
        Some(AsOf::Position(last)) => record.position > last,
        Some(AsOf::Time(time)) => record.recorded_at > time,
    }
}

/// Reads chunk after chunk, up to the head as it is when the reading begins: a log under load has no other end.
async fn read_on(log: Arc<dyn EventLog>, as_of: Option<AsOf>, chunks: mpsc::Sender<Result<Vec<Record>, ReadError>>) {
    let last = match (log.head().await, as_of) {
        (Ok(head), Some(AsOf::Position(asked))) => head.position.min(asked),
        (Ok(head), Some(AsOf::Time(_)) | None) => head.position,
        // A last record that is damaged is found where it stands, behind all that is right.
        (Err(_), _) => Position::new(u64::MAX),
    };
    let (mut after, mut limit) = (Position::START, CHUNK_RECORDS);
    while after < last {
        let chunk = log.read(after, limit.min(usize::try_from(last.get() - after.get()).unwrap_or(limit))).await;
        match &chunk {
            // The first wrong record may stand before the one that cannot even be read.
            Err(_) if limit > 1 => {
                limit = 1;
                continue;
            }
            Ok(records) => match records.last() {
                None => return,
                Some(record) => after = record.position,
            },
            Err(_) => {}
        }
        let is_over = chunk.is_err();
        if chunks.send(chunk).await.is_err() || is_over {
            return;
        }
    }
}

/// Proves and decodes what is read, until something is wrong or nobody folds it any more.
fn prove_all(mut raw: mpsc::Receiver<Result<Vec<Record>, ReadError>>, proved: &mpsc::Sender<Result<Vec<Read>, Stop>>) {
    let mut proving = Proving::default();
    while let Some(records) = raw.blocking_recv() {
        let mut chunk = Vec::new();
        let stop = match records {
            Err(error) => Some(Stop::from(error)),
            Ok(records) => {
                chunk.reserve(records.len());
                records.into_iter().find_map(|record| proving.prove(record).map(|read| chunk.push(read)).err())
            }
        };
        if proved.blocking_send(Ok(chunk)).is_err() {
            return;
        }
        if let Some(stop) = stop {
            let _ = proved.blocking_send(Err(stop));
            return;
        }
    }
}

/// Proves records one after another.
pub struct Proving {
    head: Head,
    recorded_at: Timestamp,
}

impl Default for Proving {
    fn default() -> Self {
        Self { head: Head::EMPTY, recorded_at: Timestamp::from_millis(i64::MIN) }
    }
}

impl Proving {
    /// Goes on behind a record that is known to be right.
    pub fn after(record: &Record) -> Self {
        Self { head: record.head(), recorded_at: record.recorded_at }
    }

    /// Proves one record against those before it, and reads it.
    ///
    /// # Errors
    /// It is not the next one, not what was hashed, or not known to this program.
    pub fn prove(&mut self, record: Record) -> Result<Read, Stop> {
        let position = record.position;
        self.head = record.verify(&self.head).map_err(ReadError::from)?;
        let wrong = |reason: String| Stop::Wrong { position, reason };
        if record.recorded_at < self.recorded_at {
            return Err(wrong("it was recorded before the record before it".to_owned()));
        }
        self.recorded_at = record.recorded_at;
        let recorded = record.decode().map_err(|error| wrong(error.to_string()))?;
        if let Event::LogCreated { format, hash_algorithm, .. } = &recorded.event
            && (*format, hash_algorithm.as_str()) != (LOG_FORMAT, HASH_ALGORITHM)
        {
            let reason = format!("the log has format {format} with {hash_algorithm}, which this program does not know");
            return Err(wrong(reason));
        }
        Ok((record, recorded))
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        use domain::ChainError::{Altered, Gap};
        match error {
            ReadError::Damaged(Gap { missing: position, found }) => {
                let reason = format!("the record is missing (the next one found is {found})");
                Self::Wrong { position, reason }
            }
            ReadError::Damaged(Altered { position }) => {
                let reason = "the record does not fit its hash and the records before it".to_owned();
                Self::Wrong { position, reason }
            }
            ReadError::Malformed { position, reason } => Self::Wrong { position, reason },
            ReadError::Unavailable(reason) | ReadError::Broken(reason) => Self::Unreadable(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::spec::{T0, metadata, room};

    use super::*;
    use crate::log::memory::MemoryLog;

    /// A log of records at these seconds, and its records.
    async fn log(seconds: impl IntoIterator<Item = i64>) -> (Arc<dyn EventLog>, Vec<Record>) {
        let (memory, mut head, mut records) = (MemoryLog::new(), Head::EMPTY, Vec::new());
        for second in seconds {
            let record = Record::seal(&head, T0.plus_seconds(second), &room(1), &metadata());
            head = record.head();
            records.push(record);
        }
        memory.append(&Head::EMPTY, &records).await.unwrap();
        (Arc::new(memory), records)
    }

    /// How many records were handed over, and how it ended.
    async fn walked(log: &Arc<dyn EventLog>, as_of: Option<AsOf>) -> (usize, Result<Head, String>) {
        let mut count = 0;
        let walked = walk(log, as_of, |record, recorded| {
            count += 1;
            assert_eq!((record.position.get() as usize, recorded.head), (count, record.head()));
            ControlFlow::Continue(())
        });
        let walked = walked.await.map_err(|error| error.to_string());
        (count, walked)
    }

    #[tokio::test]
    async fn every_record_is_handed_on_in_order() {
        let count = 2 * CHUNK_RECORDS + 7;
        let (log, records) = log((0..).take(count)).await;
        assert_eq!(walked(&log, None).await, (count, Ok(records[count - 1].head())));
    }

    #[tokio::test]
    async fn a_moment_is_a_position_or_the_last_record_of_a_time() {
        let (log, records) = log([0, 1, 1, 2]).await;
        let until = async |as_of| walked(&log, Some(as_of)).await;
        assert_eq!(until(AsOf::Position(Position::new(2))).await, (2, Ok(records[1].head())));
        assert_eq!(until(AsOf::Time(T0.plus_seconds(1))).await, (3, Ok(records[2].head())));
        assert_eq!(until(AsOf::Time(T0.plus_seconds(-1))).await, (0, Ok(Head::EMPTY)));
        assert_eq!(until(AsOf::Time(T0.plus_seconds(99))).await, (4, Ok(records[3].head())));
        let (_, not_yet) = until(AsOf::Position(Position::new(5))).await;
        assert_eq!(not_yet, Err("position 5 is not in the log yet: its last one is 4".to_owned()));
    }

    #[tokio::test]
    async fn time_that_goes_back_is_wrong_though_its_hash_is_right() {
        let (log, _) = log([0, 5, 4]).await;
        let (count, stopped) = walked(&log, None).await;
        assert_eq!((count, stopped), (2, Err("position 3: it was recorded before the record before it".to_owned())));
    }
}
