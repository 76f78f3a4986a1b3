//! Walks through a log from its first record up to a moment.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::{Head, Position, Record};

use super::AsOf;
use crate::engine::{Proved, Range, StreamError, stream};
use crate::log::EventLog;

/// The reason why a moment of a log cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The log is damaged at a position, or cannot be read.
    #[error(transparent)]
    Stopped(#[from] StreamError),
    /// The log does not reach the moment.
    #[error("position {asked} is not in the log yet: its last one is {last}")]
    NotYet { asked: Position, last: Position },
}

/// The range of all records up to `as_of`. If that is after the current head, the range ends at the current head, since
/// a log under load grows all the time.
pub async fn range(log: &Arc<dyn EventLog>, as_of: Option<AsOf>) -> Range {
    // If the last record is damaged, the walk finds it after all good records.
    let end = log.head().await.map_or(Range::ALL.last, |head| head.position);
    match as_of {
        None => Range { last: end, ..Range::ALL },
        Some(AsOf::Position(asked)) => Range { last: end.min(asked), ..Range::ALL },
        Some(AsOf::Time(until)) => Range { last: end, until, ..Range::ALL },
    }
}

/// Converts every record up to `as_of` with `make`, and hands the results to `each` in order, until `each` breaks.
///
/// # Errors
/// The log is damaged at a position; every record before it was handed on. Or `as_of` is a position after the head.
pub async fn walk<T: Send + 'static>(
    log: &Arc<dyn EventLog>,
    as_of: Option<AsOf>,
    make: impl Fn(Record) -> Result<T, StreamError> + Send + 'static,
    each: impl FnMut(&T) -> ControlFlow<()>,
) -> Result<Head, PastError> {
    walk_on(log, Proved::NOTHING, as_of, make, each).await
}

/// Walks through the records after the proved ones.
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
