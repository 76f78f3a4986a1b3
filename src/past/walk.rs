//! A log from its first record up to a moment, one record at a time.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::{Head, Position, Record};

use super::AsOf;
use crate::engine::{Proved, Range, StreamError, stream};
use crate::log::EventLog;

/// Why a moment of a log cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The log is wrong at a position, or cannot be read.
    #[error(transparent)]
    Stopped(#[from] StreamError),
    /// The log does not reach it.
    #[error("position {asked} is not in the log yet: its last one is {last}")]
    NotYet { asked: Position, last: Position },
}

/// All records up to `as_of`. Where that is beyond the head as it is now, the head is the end: a log under load has no
/// other.
pub async fn range(log: &Arc<dyn EventLog>, as_of: Option<AsOf>) -> Range {
    // A last record that is damaged is found where it stands, behind all that is right.
    let end = log.head().await.map_or(Range::ALL.last, |head| head.position);
    match as_of {
        None => Range { last: end, ..Range::ALL },
        Some(AsOf::Position(asked)) => Range { last: end.min(asked), ..Range::ALL },
        Some(AsOf::Time(until)) => Range { last: end, until, ..Range::ALL },
    }
}

/// Hands every record up to `as_of` to `each`, in order, as what `make` makes of it, until that breaks.
///
/// # Errors
/// The log is wrong at a position; every record before it was handed on. Or `as_of` is a position that is not there.
pub async fn walk<T: Send + 'static>(
    log: &Arc<dyn EventLog>,
    as_of: Option<AsOf>,
    make: impl Fn(Record) -> Result<T, StreamError> + Send + 'static,
    each: impl FnMut(&T) -> ControlFlow<()>,
) -> Result<Head, PastError> {
    walk_on(log, Proved::NOTHING, as_of, make, each).await
}

/// The same with the records after what is proved already.
pub async fn walk_on<T: Send + 'static>(
    log: &Arc<dyn EventLog>,
    after: Proved,
    as_of: Option<AsOf>,
    make: impl Fn(Record) -> Result<T, StreamError> + Send + 'static,
    mut each: impl FnMut(&T) -> ControlFlow<()>,
) -> Result<Head, PastError> {
    let range = Range { after, ..range(log, as_of).await };
    let reached = stream(log, range, make, |page| page.iter().try_for_each(&mut each)).await?;
    match as_of {
        Some(AsOf::Position(asked)) if asked > reached.position => {
            Err(PastError::NotYet { asked, last: reached.position })
        }
        Some(AsOf::Position(_) | AsOf::Time(_)) | None => Ok(reached),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{PAGE_RECORDS, decode};
    use crate::log::conformance::chain;
    use crate::log::memory::MemoryLog;

    #[tokio::test]
    async fn every_record_up_to_a_position_is_handed_on_in_order_and_one_that_is_not_there_is_refused() {
        let count = 2 * PAGE_RECORDS as u64 + 7;
        let (memory, records) = (MemoryLog::new(), chain(&Head::EMPTY, count));
        memory.append(&Head::EMPTY, &records).await.unwrap();
        let log: Arc<dyn EventLog> = Arc::new(memory);
        for asked in [None, Some(0), Some(1), Some(count - 1), Some(count), Some(count + 1)] {
            let mut seen = 0;
            let as_of = asked.map(|position| AsOf::Position(Position::new(position)));
            let walked = walk(&log, as_of, decode, |recorded| {
                seen += 1;
                assert_eq!(recorded.head.position.get(), seen);
                ControlFlow::Continue(())
            });
            let walked = walked.await.map(|head| head.position.get()).map_err(|error| error.to_string());
            let last = asked.map_or(count, |asked| asked.min(count));
            let not_yet = format!("position {} is not in the log yet: its last one is {count}", count + 1);
            let expected = if asked == Some(count + 1) { Err(not_yet) } else { Ok(last) };
            assert_eq!((seen, walked), (last, expected));
        }
    }
}
