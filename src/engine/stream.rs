//! Reading a log as a pipeline: while one page is folded, the next ones are proved and decoded, and those after them
//! read, each on a core of its own where there is one. Order is kept, and so is the first error.

use std::sync::Arc;

use domain::{DecodeError, Event, HASH_ALGORITHM, Head, LOG_FORMAT, Position, Record, RecordedEvent};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::log::{EventLog, ReadError};

/// How many records are read, proved and handed over at once: few enough that a page stays in a core's cache.
pub const PAGE_RECORDS: usize = 1_024;
/// How many pages wait to be handed over: enough that no stage waits for another, and a few megabytes.
const PAGES_AHEAD: usize = 8;

/// Why a log cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// It cannot be read, or is not what was written.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// It holds what this program does not understand.
    #[error("position {position}: {reason}")]
    Undecodable { position: Position, reason: DecodeError },
    /// It was made by a program that hashes or stores records in another way.
    #[error("position 1: the log has format {format} with {hash_algorithm}, which this program does not know")]
    UnknownFormat { format: u32, hash_algorithm: String },
}

/// A page that is being proved.
type Proving<T> = JoinHandle<Result<Vec<T>, StreamError>>;

/// Reads the records after `after` to the log's end, proves each against the one before it, and hands them to `each`, a
/// page at a time and in order, as what `make` makes of them: [`decode`], or `Ok` for the bare records. `make` runs on
/// other threads; `each` runs here, and may take its time. Tells how many records there were.
///
/// # Errors
/// The log cannot be read, is damaged, or `make` or `each` refuses a record; all before it have been handed over, page
/// by page.
pub async fn stream<T: Send + 'static, E: From<StreamError>>(
    log: &Arc<dyn EventLog>,
    after: Head,
    make: fn(Record) -> Result<T, StreamError>,
    mut each: impl FnMut(Vec<T>) -> Result<(), E>,
) -> Result<u64, E> {
    let (sender, mut pages) = mpsc::channel::<Proving<T>>(PAGES_AHEAD);
    let reading = tokio::spawn(read(Arc::clone(log), after, make, sender));
    let mut count = 0;
    while let Some(proving) = pages.recv().await {
        let page = proving.await.expect("proving does not panic, and nobody aborts it")?;
        count += page.len() as u64;
        each(page)?;
    }
    reading.await.expect("reading does not panic, and nobody aborts it")?;
    Ok(count)
}

/// Sends the log's pages, each with the thread that proves it, until the end or until nobody wants more.
async fn read<T: Send + 'static>(
    log: Arc<dyn EventLog>,
    mut head: Head,
    make: fn(Record) -> Result<T, StreamError>,
    pages: mpsc::Sender<Proving<T>>,
) -> Result<(), StreamError> {
    loop {
        let records = log.read(head.position, PAGE_RECORDS).await?;
        let Some(last) = records.last().map(Record::head) else { return Ok(()) };
        let before = std::mem::replace(&mut head, last);
        let proving = tokio::task::spawn_blocking(move || prove(before, records, make));
        if pages.send(proving).await.is_err() {
            return Ok(());
        }
    }
}

/// A page is proved by itself: from the hash that the record before it says of itself, and which that one's own page proves.
fn prove<T>(
    mut head: Head,
    records: Vec<Record>,
    make: fn(Record) -> Result<T, StreamError>,
) -> Result<Vec<T>, StreamError> {
    // Collecting results would not know the length, and move a page of events each time that it grows.
    let mut made = Vec::with_capacity(records.len());
    for record in records {
        head = record.verify(&head).map_err(ReadError::from)?;
        made.push(make(record)?);
    }
    Ok(made)
}

/// The event and metadata that a record's bytes say.
///
/// # Errors
/// This program does not understand them.
pub fn decode(record: Record) -> Result<RecordedEvent, StreamError> {
    let position = record.position;
    let recorded = record.decode().map_err(|reason| StreamError::Undecodable { position, reason })?;
    if let Event::LogCreated { format, hash_algorithm, .. } = &recorded.event
        && (*format, hash_algorithm.as_str()) != (LOG_FORMAT, HASH_ALGORITHM)
    {
        return Err(StreamError::UnknownFormat { format: *format, hash_algorithm: hash_algorithm.clone() });
    }
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::conformance::chain;
    use crate::log::memory::MemoryLog;

    /// A log of two pages and a bit, and a handle on it.
    async fn log() -> (MemoryLog, Arc<dyn EventLog>) {
        let log = MemoryLog::new();
        log.append(&Head::EMPTY, &chain(&Head::EMPTY, 2 * PAGE_RECORDS as u64 + 7)).await.unwrap();
        (log.clone(), Arc::new(log))
    }

    /// The positions that were handed over, and why no more were.
    async fn streamed(log: &Arc<dyn EventLog>, after: Head) -> (Vec<u64>, Result<u64, StreamError>) {
        let mut seen = Vec::new();
        let count = stream(log, after, decode, |page| {
            seen.extend(page.iter().map(|recorded| recorded.head.position.get()));
            Ok(())
        });
        let count = count.await;
        (seen, count)
    }

    #[tokio::test]
    async fn every_record_comes_once_and_in_order_from_wherever_one_begins() {
        let (memory, log) = log().await;
        let records = memory.records();
        let length = records.len() as u64;
        let page = PAGE_RECORDS as u64;
        for begin in [0, 1, page - 1, page, page + 1, length - 1, length] {
            let after = if begin == 0 { Head::EMPTY } else { records[begin as usize - 1].head() };
            let (seen, count) = streamed(&log, after).await;
            assert!(seen.into_iter().eq(begin + 1..=length), "after {begin}");
            assert_eq!(count.unwrap(), length - begin);
        }
    }

    #[tokio::test]
    async fn a_head_that_the_log_does_not_have_is_found_at_the_next_record() {
        let (memory, log) = log().await;
        let after = Head { hash: domain::Hash::new([9; 32]), ..memory.records()[9].head() };
        let (seen, error) = streamed(&log, after).await;
        assert!(seen.is_empty());
        assert!(error.unwrap_err().to_string().contains("position 11"));
    }

    #[tokio::test]
    async fn the_first_wrong_record_is_named_though_later_pages_are_wrong_too() {
        for wrong in [1, PAGE_RECORDS, PAGE_RECORDS + 1, 2 * PAGE_RECORDS, 2 * PAGE_RECORDS + 7] {
            let (memory, log) = log().await;
            memory.edit(|records| {
                records[wrong - 1].metadata.push(' ');
                records.last_mut().unwrap().data.push(' ');
            });
            let (seen, error) = streamed(&log, Head::EMPTY).await;
            let error = error.unwrap_err().to_string();
            assert!(error.contains(&format!("position {wrong}:")), "{wrong}: {error}");
            assert_eq!(seen.len(), (wrong - 1) / PAGE_RECORDS * PAGE_RECORDS, "whole pages before it");
        }
    }

    #[tokio::test]
    async fn a_callback_that_has_enough_ends_the_reading() {
        let (_, log) = log().await;
        let enough = || StreamError::UnknownFormat { format: 9, hash_algorithm: "enough".to_owned() };
        let mut pages = 0;
        let stopped: Result<u64, StreamError> = stream(&log, Head::EMPTY, Ok, |_: Vec<Record>| {
            pages += 1;
            Err(enough())
        })
        .await;
        assert!(stopped.unwrap_err().to_string().contains("enough"));
        assert_eq!(pages, 1);
    }
}
