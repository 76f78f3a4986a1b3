//! The projector on a log in memory and a database in a folder.

use std::time::Duration;

use domain::spec::{ANN, charged, metadata};
use domain::{Head, Record, Timestamp};
use projections::sql::{MODELS, READ_MODELS_FILE};

use super::requests::{Outcome, Request};
use super::*;
use crate::log::memory::MemoryLog;

fn file(folder: &tempfile::TempDir) -> Location {
    Location::File(folder.path().join(READ_MODELS_FILE))
}

/// Appends charges, after the record that names the log.
async fn append(log: &MemoryLog, charges: u64) {
    let mut head = log.head().await.unwrap();
    let mut events = Vec::new();
    if head == Head::EMPTY {
        let (log_id, key_check) = (Uuid::from_u128(1), domain::Hash::new([0; 32]));
        let (format, hash_algorithm) = (domain::LOG_FORMAT, domain::HASH_ALGORITHM.to_owned());
        events.push(Event::LogCreated { log_id, format, hash_algorithm, key_check });
    }
    let first = head.position.get();
    events.extend((1..=charges).map(|number| charged(ANN, 1, first + number)));
    let before = head;
    let seal = |event| {
        let record = Record::seal(&head, Timestamp::from_millis(0), event, &metadata());
        head = record.head();
        record
    };
    let records: Vec<Record> = events.iter().map(seal).collect();
    log.append(&before, &records).await.unwrap();
}

async fn caught_up(projector: &Projector, log: &MemoryLog) {
    let position = log.head().await.unwrap().position;
    for model in MODELS {
        let deadline = Instant::now() + Duration::from_secs(10);
        projector.snapshot(model, position, deadline).await.map(drop).unwrap_or_else(|_| panic!("{}", model.name));
    }
}

#[tokio::test]
async fn a_request_that_was_left_before_the_server_started_is_carried_out() {
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    append(&log, 10).await;
    let request = Request::leave(folder.path(), "all").unwrap();
    let projector = Projector::new(folder.path(), file(&folder), Arc::new(log.clone()));
    let running = tokio::spawn(projector.clone().run());
    caught_up(&projector, &log).await;
    let mut outcome = None;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        outcome = request.outcome();
        if matches!(outcome, Some(Outcome::Built { .. } | Outcome::Failed { .. })) {
            break;
        }
    }
    assert_eq!(outcome, Some(Outcome::Built { position: 11 }));
    running.abort();
}

#[tokio::test]
async fn read_models_that_are_newer_than_the_log_are_built_anew() {
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    append(&log, 10).await;
    let projector = Projector::new(folder.path(), file(&folder), Arc::new(log.clone()));
    let running = tokio::spawn(projector.clone().run());
    caught_up(&projector, &log).await;
    running.abort();
    let _ = running.await;
    projector.close().await;

    log.truncate(Position::new(4));
    let found = verify(&file(&folder), &log, &MODELS, |_, _| {}).await.unwrap();
    assert!(found.iter().all(|verified| verified.fault.is_some()), "{found:?}");
    let projector = Projector::new(folder.path(), file(&folder), Arc::new(log.clone()));
    let running = tokio::spawn(projector.clone().run());
    caught_up(&projector, &log).await;
    let found = verify(&file(&folder), &log, &MODELS, |_, _| {}).await.unwrap();
    assert!(found.iter().all(|verified| verified.fault.is_none() && verified.position == 4), "{found:?}");
    running.abort();
}

#[tokio::test]
async fn read_models_that_stand_still_tell_how_far_behind_they_are() {
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    append(&log, 10).await;
    std::fs::write(folder.path().join("read-models.db"), "this is no database".repeat(100)).unwrap();
    let projector = Projector::new(folder.path(), file(&folder), Arc::new(log.clone()));
    let running = tokio::spawn(projector.clone().run());
    let mut statuses = projector.0.statuses.subscribe();
    let stand_still = |statuses: &BTreeMap<&str, Status>| {
        statuses.values().all(|status| matches!(status.phase, Phase::Unavailable { .. }))
    };
    statuses.wait_for(stand_still).await.unwrap();
    let lag = |status: &Status| status.lag(Position::new(11), Timestamp::from_millis(7_000));
    let expected = Lag { events: 11, seconds: 7 };
    assert!(projector.statuses().values().all(|status| lag(status) == expected), "{:?}", projector.statuses());
    running.abort();
}
