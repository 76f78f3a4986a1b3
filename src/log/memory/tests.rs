//! What a fault does, and to which append.

use super::*;
use crate::log::conformance::chain;

#[tokio::test]
async fn a_fault_is_for_one_append_and_says_what_it_wrote() {
    for (fault, error, written) in [
        (Fault::Unavailable, AppendError::Unavailable("injected".to_owned()), 0),
        (Fault::UnknownNeverLands, AppendError::Unknown("injected".to_owned()), 0),
        (Fault::UnknownLanded, AppendError::Unknown("injected".to_owned()), 2),
        (Fault::Full, AppendError::Full("injected".to_owned()), 0),
        (Fault::Overtaken(Box::new(some_event())), AppendError::Conflict, 1),
    ] {
        let log = MemoryLog::new();
        log.fail(fault);
        assert_eq!(log.append(&Head::EMPTY, &chain(&Head::EMPTY, 2)).await, Err(error));
        assert_eq!(log.records().len(), written);
        let head = log.head().await.unwrap();
        assert_eq!(log.append(&head, &chain(&head, 1)).await, Ok(()));
    }
}

#[tokio::test]
async fn a_late_append_lands_after_the_next_reading() {
    let (log, records) = (MemoryLog::new(), chain(&Head::EMPTY, 2));
    log.fail(Fault::UnknownLandsLater);
    assert!(matches!(log.append(&Head::EMPTY, &records).await, Err(AppendError::Unknown(_))));
    assert_eq!(log.read(Position::START, 9).await.unwrap(), []);
    assert_eq!(log.read(Position::START, 9).await.unwrap(), records);
}

#[tokio::test]
async fn a_late_append_never_lands_behind_another_head() {
    let (log, others) = (MemoryLog::new(), chain(&Head::EMPTY, 1));
    log.fail(Fault::UnknownLandsLater);
    log.append(&Head::EMPTY, &chain(&Head::EMPTY, 2)).await.unwrap_err();
    log.append(&Head::EMPTY, &others).await.unwrap();
    log.land();
    assert_eq!(log.records(), others);
}

#[tokio::test]
async fn a_broken_log_stays_broken() {
    let log = MemoryLog::new();
    log.fail(Fault::Broken);
    for _ in 0..2 {
        let result = log.append(&Head::EMPTY, &chain(&Head::EMPTY, 1)).await;
        assert_eq!(result, Err(AppendError::Broken("injected".to_owned())));
    }
}

#[tokio::test]
async fn a_rewound_log_has_an_earlier_head() {
    let (log, records) = (MemoryLog::new(), chain(&Head::EMPTY, 3));
    log.append(&Head::EMPTY, &records).await.unwrap();
    log.truncate(Position::new(1));
    assert_eq!(log.head().await.unwrap(), records[0].head());
}

#[tokio::test]
async fn a_delayed_append_happens_after_its_delay() {
    let delay = Duration::from_millis(30);
    let (log, started) = (MemoryLog::new(), std::time::Instant::now());
    log.fail(Fault::Delay(delay));
    log.append(&Head::EMPTY, &chain(&Head::EMPTY, 1)).await.unwrap();
    assert!(started.elapsed() >= delay);
}

fn some_event() -> Event {
    Event::from(ConcertPublished {
        concert_id: domain::ConcertId::FIRST,
        name: String::new(),
        artist: String::new(),
        venue: String::new(),
    })
}
