//! Order, bounds and errors of reading as a pipeline.

use domain::spec::{T0, metadata, room};

use super::*;
use crate::log::conformance::chain;
use crate::log::memory::MemoryLog;

/// A log of two pages and a bit, and a handle on it.
async fn log() -> (MemoryLog, Arc<dyn EventLog>) {
    let log = MemoryLog::new();
    log.append(&Head::EMPTY, &chain(&Head::EMPTY, 2 * PAGE_RECORDS as u64 + 7)).await.unwrap();
    (log.clone(), Arc::new(log))
}

/// A log of records at these seconds.
async fn log_of(seconds: impl IntoIterator<Item = i64>) -> Arc<dyn EventLog> {
    let (memory, mut head, mut records) = (MemoryLog::new(), Head::EMPTY, Vec::new());
    for second in seconds {
        let record = Record::seal(&head, T0.plus_seconds(second), &room(1), &metadata());
        head = record.head();
        records.push(record);
    }
    memory.append(&Head::EMPTY, &records).await.unwrap();
    Arc::new(memory)
}

fn after(head: Head) -> Range {
    Range::after(Proved { head, ..Proved::NOTHING })
}

/// The positions that were handed over, and how it ended.
async fn streamed(log: &Arc<dyn EventLog>, range: Range) -> (Vec<u64>, Result<u64, String>) {
    let mut seen = Vec::new();
    let reached = stream(log, range, decode, |page| {
        seen.extend(page.iter().map(|recorded| recorded.head.position.get()));
        ControlFlow::Continue(())
    });
    let reached = reached.await;
    (seen, reached.map(|head| head.position.get()).map_err(|error| error.to_string()))
}

#[tokio::test]
async fn every_record_comes_once_and_in_order_from_wherever_one_begins() {
    let (memory, log) = log().await;
    let records = memory.records();
    let length = records.len() as u64;
    let page = PAGE_RECORDS as u64;
    for begin in [0, 1, page - 1, page, page + 1, length - 1, length] {
        let begin_head = if begin == 0 { Head::EMPTY } else { records[begin as usize - 1].head() };
        let (seen, reached) = streamed(&log, after(begin_head)).await;
        assert!(seen.into_iter().eq(begin + 1..=length), "after {begin}");
        assert_eq!(reached, Ok(length));
    }
}

#[tokio::test]
async fn reading_ends_at_the_last_position_and_time_that_were_asked_for() {
    let log = log_of([0, 1, 1, 2]).await;
    for last in 0..=5 {
        let (seen, reached) = streamed(&log, Range { last: Position::new(last), ..Range::ALL }).await;
        assert!(seen.into_iter().eq(1..=last.min(4)), "up to {last}");
        assert_eq!(reached, Ok(last.min(4)));
    }
    for (second, last) in [(-1, 0), (0, 1), (1, 3), (2, 4), (99, 4)] {
        let (seen, reached) = streamed(&log, Range { until: T0.plus_seconds(second), ..Range::ALL }).await;
        assert!(seen.into_iter().eq(1..=last), "until {second}");
        assert_eq!(reached, Ok(last));
    }
}

#[tokio::test]
async fn a_head_that_the_log_does_not_have_is_found_at_the_next_record() {
    let (memory, log) = log().await;
    let head = Head { hash: domain::Hash::new([9; 32]), ..memory.records()[9].head() };
    let (seen, reached) = streamed(&log, after(head)).await;
    assert!(seen.is_empty());
    assert!(reached.unwrap_err().contains("position 11"));
}

#[tokio::test]
async fn the_first_wrong_record_is_named_behind_all_that_are_right() {
    for wrong in [1, PAGE_RECORDS, PAGE_RECORDS + 1, 2 * PAGE_RECORDS, 2 * PAGE_RECORDS + 7] {
        let (memory, log) = log().await;
        memory.edit(|records| {
            records[wrong - 1].metadata = "{} ".into();
            records.last_mut().unwrap().data = "{} ".into();
        });
        let (seen, reached) = streamed(&log, Range::ALL).await;
        let error = reached.unwrap_err();
        assert!(error.contains(&format!("position {wrong}:")), "{wrong}: {error}");
        assert!(seen.into_iter().eq(1..wrong as u64), "{wrong}");
    }
}

#[tokio::test]
async fn time_that_goes_back_is_wrong_though_its_hash_is_right() {
    let log = log_of([0, 5, 4]).await;
    let (seen, reached) = streamed(&log, Range::ALL).await;
    assert_eq!(seen, [1, 2]);
    assert_eq!(reached, Err("position 3: its time is earlier than the time of the record before it".to_owned()));
}

#[tokio::test]
async fn who_has_enough_ends_the_reading() {
    let (_, log) = log().await;
    let mut pages = 0;
    let reached = stream(&log, Range::ALL, Ok, |_: Vec<Record>| {
        pages += 1;
        ControlFlow::Break(())
    });
    assert_eq!(reached.await.unwrap().position.get(), PAGE_RECORDS as u64);
    assert_eq!(pages, 1);
}

#[test]
fn a_program_that_ends_ends_a_stream_without_a_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (handle, (_, log)) = (runtime.handle().clone(), runtime.block_on(log()));
    runtime.shutdown_background();
    let (seen, reached) = handle.block_on(streamed(&log, Range::ALL));
    assert_eq!((seen, reached), (vec![], Err("the log cannot be read: the program ends".to_owned())));
}
