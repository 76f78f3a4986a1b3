//! The promises of an append.

use std::task::{Context, Poll, Waker};

use super::*;
use crate::log::{MAX_BATCH_BYTES, MAX_BATCH_COMMANDS};

/// How long an append may take that nobody asks about.
const LANDS_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn what_is_appended_is_there_for_everyone(fixture: &dyn Fixture) -> Check {
    let log = fixture.open().await;
    holds(fixture, &[]).await?;
    let mut records = chain(&Head::EMPTY, 3);
    let head = append(&*log, &Head::EMPTY, &records).await?;
    holds(fixture, &records).await?;
    // 511 = 256 + 128 + … + 1: where a backend splits batches by powers of two, it needs every one of them.
    for count in [1, 2, 511] {
        let more = chain(&records.last().map_or(head, Record::head), count);
        append(&*log, &records.last().map_or(head, Record::head), &more).await?;
        records.extend(more);
        holds(fixture, &records).await?;
    }
    Ok(())
}

pub(super) async fn another_position_is_a_conflict(fixture: &dyn Fixture) -> Check {
    let log = fixture.open().await;
    let records = chain(&Head::EMPTY, 2);
    append(&*log, &Head::EMPTY, &records).await?;
    for stale in [Head::EMPTY, records[0].head()] {
        conflicts(&*log, &stale, &chain(&stale, 1)).await?;
    }
    let ahead = chain(&records[1].head(), 1)[0].head();
    conflicts(&*log, &ahead, &chain(&ahead, 1)).await?;
    holds(fixture, &records).await
}

pub(super) async fn another_hash_is_a_conflict(fixture: &dyn Fixture) -> Check {
    let log = fixture.open().await;
    let records = chain(&Head::EMPTY, 2);
    append(&*log, &Head::EMPTY, &records).await?;
    let other_history = chain(&Head::EMPTY, 2)[1].head();
    conflicts(&*log, &other_history, &chain(&other_history, 1)).await?;
    holds(fixture, &records).await
}

pub(super) async fn a_batch_that_overlaps_is_refused_whole(fixture: &dyn Fixture) -> Check {
    let log = fixture.open().await;
    let records = chain(&Head::EMPTY, 1);
    append(&*log, &Head::EMPTY, &records).await?;
    // Positions 2 to 300 are free.
    conflicts(&*log, &Head::EMPTY, &chain(&Head::EMPTY, 300)).await?;
    holds(fixture, &records).await?;
    let next = chain(&records[0].head(), 2);
    append(&*log, &records[0].head(), &next).await?;
    holds(fixture, &[records, next].concat()).await
}

/// The sequencer polls an append once, and goes on deciding while it is carried out.
pub(super) async fn an_append_that_was_polled_once_lands(fixture: &dyn Fixture) -> Check {
    if !fixture.carries_on_unasked() {
        return Ok(());
    }
    let (log, other) = (fixture.open().await, fixture.open().await);
    // What is made once, a connection or a prepared statement, is there after the first append.
    let head = append(&*log, &Head::EMPTY, &chain(&Head::EMPTY, 1)).await?;
    let records = chain(&head, 2);
    let mut polled = Box::pin(log.append(&head, &records));
    let first = polled.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let deadline = tokio::time::Instant::now() + LANDS_WITHIN;
    while other.head().await.map_err(|error| error.to_string())? == head {
        if tokio::time::Instant::now() > deadline {
            return Err("an append that was polled once has not landed".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let outcome = if let Poll::Ready(outcome) = first { outcome } else { polled.await };
    same("what it came to", &outcome, &Ok(()))
}

pub(super) async fn comparing_and_probing_tell_another_head(fixture: &dyn Fixture) -> Check {
    let log = fixture.open().await;
    same("the head of an empty log", &log.compare_head(&Head::EMPTY).await, &Ok(()))?;
    let records = chain(&Head::EMPTY, 2);
    let head = append(&*log, &Head::EMPTY, &records).await?;
    same("comparing the head", &log.compare_head(&head).await, &Ok(()))?;
    log.end_turn().await;
    same("probing", &log.probe(&head).await, &Ok(()))?;
    for other in [Head::EMPTY, records[0].head(), chain(&Head::EMPTY, 2)[1].head(), chain(&head, 1)[0].head()] {
        same("comparing another head", &log.compare_head(&other).await, &Err(AppendError::Conflict))?;
        same("probing at another head", &log.probe(&other).await, &Err(AppendError::Conflict))?;
    }
    holds(fixture, &records).await
}

/// Nodes that append without pause, each at the newest head that it knows.
pub(super) async fn of_two_writers_one_wins_each_position(fixture: &dyn Fixture) -> Check {
    const APPENDS_PER_WRITER: usize = 16;
    let write = |log: Arc<dyn EventLog>, batch: u64| async move {
        let mut written = Vec::new();
        while written.len() < APPENDS_PER_WRITER * batch as usize {
            let head = log.head().await.map_err(|error| error.to_string())?;
            let records = chain(&head, batch);
            match log.append(&head, &records).await {
                Ok(()) => written.extend(records),
                Err(AppendError::Conflict) => tokio::task::yield_now().await,
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(written)
    };
    let (one, other) = (fixture.open().await, fixture.open().await);
    let writers = [(Arc::clone(&one), 1), (one, 3), (Arc::clone(&other), 2), (other, 1)];
    let writers: Vec<_> = writers.into_iter().map(|(log, batch)| tokio::spawn(write(log, batch))).collect();
    let mut records = Vec::new();
    for writer in writers {
        let written: Result<Vec<Record>, String> = writer.await.expect("a writer does not panic");
        records.extend(written?);
    }
    records.sort_by_key(|record| record.position);
    proves(&records).map_err(|error| format!("what the writers were told they wrote is no chain: {error}"))?;
    holds(fixture, &records).await
}

pub(super) async fn the_largest_batches_fit(fixture: &dyn Fixture) -> Check {
    /// The largest record, in bytes.
    const MAX_RECORD_BYTES: usize = 256 * 1024;
    let largest = "x".repeat(MAX_RECORD_BYTES - 1_024);
    let log = fixture.open().await;
    let (mut head, mut all) = (Head::EMPTY, Vec::new());
    for events in [
        (0..MAX_BATCH_COMMANDS as u64).map(charge).collect(),
        vec![telling(&largest)],
        vec![telling(&largest); MAX_BATCH_BYTES / MAX_RECORD_BYTES],
        (0..1_000).map(expiry).collect::<Vec<_>>(),
    ] {
        let records = chain_of(&head, events);
        head = append(&*log, &head, &records).await?;
        all.extend(records);
    }
    holds(fixture, &all).await
}

async fn conflicts(log: &dyn EventLog, expected: &Head, records: &[Record]) -> Check {
    same("an append at another head", &log.append(expected, records).await, &Err(AppendError::Conflict))
}

/// One of the many that a tick publishes at once.
fn expiry(reservation: u64) -> Event {
    domain::spec::hold_expired(reservation + 1, UserId::FIRST, [1, 2, 3, 4])
}
