//! A log proves itself: whatever is changed, lost or swapped in it is found, and its position named.

#![expect(clippy::unwrap_used, reason = "what serves tests only is a test")]

use domain::{
    ActorName, ChainError, Event, Hash, Head, Metadata, Points, PointsCharged, Position, Record, RecordedEvent,
    Timestamp, UserId,
};
use uuid::Uuid;

fn metadata() -> Metadata {
    Metadata {
        command_id: Uuid::nil(),
        index: 0,
        count: 1,
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        actor: ActorName::System,
        node_id: Uuid::nil(),
        program: "0.1.0".into(),
        request_id: None,
        idempotency: None,
    }
}

/// A log of five charges, one a second.
fn log() -> Vec<Record> {
    let mut head = Head::EMPTY;
    let charges = (1..=5).map(|number| {
        let charged_at = Timestamp::from_millis(1_800_000_000_000).plus_seconds(number);
        let (amount, balance_after) = (Points::new(1), Points::new(number as u64));
        let charge = Event::from(PointsCharged { user_id: UserId::FIRST, amount, balance_after, charged_at });
        let record = Record::seal(&head, charged_at, &charge, &metadata());
        head = record.head();
        record
    });
    charges.collect()
}

/// The head of a log that proves itself, or what is wrong first.
fn verify(log: &[Record]) -> Result<Head, ChainError> {
    log.iter().try_fold(Head::EMPTY, |head, record| record.verify(&head))
}

fn altered(position: u64) -> Result<Head, ChainError> {
    Err(ChainError::Altered { position: Position::new(position) })
}

fn gap(missing: u64, found: u64) -> Result<Head, ChainError> {
    Err(ChainError::Gap { missing: Position::new(missing), found: Position::new(found) })
}

/// The same text with its last byte changed.
fn touched(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    String::from_utf8(bytes).unwrap()
}

#[test]
fn an_untouched_log_proves_itself_up_to_its_head() {
    let log = log();
    assert_eq!(verify(&log), Ok(log[4].head()));
    assert_eq!(verify(&log[..0]), Ok(Head::EMPTY));
}

#[test]
fn a_change_in_any_field_is_found_where_it_is() {
    let changes: [fn(&mut Record); 8] = [
        |record| record.data = touched(&record.data).into(),
        |record| record.data = format!("{} ", record.data).into(),
        |record| record.metadata = touched(&record.metadata).into(),
        |record| record.event_type = touched(&record.event_type).into(),
        |record| record.type_version += 1,
        |record| record.recorded_at = Timestamp::from_millis(record.recorded_at.millis() + 1),
        |record| std::mem::swap(&mut record.data, &mut record.metadata),
        |record| {
            let mut bytes = *record.hash.as_bytes();
            bytes[31] ^= 1;
            record.hash = Hash::new(bytes);
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        for index in 0..5 {
            let mut log = log();
            change(&mut log[index]);
            assert_eq!(verify(&log), altered(index as u64 + 1), "change {number}");
        }
    }
}

#[test]
fn a_changed_position_is_found() {
    let mut log = log();
    log[2].position = Position::new(4);
    assert_eq!(verify(&log), gap(3, 4));
    log[2].position = Position::new(2);
    assert_eq!(verify(&log), gap(3, 2));
}

#[test]
fn bytes_that_move_between_fields_are_found() {
    let mut log = log();
    let Record { event_type, data, .. } = &mut log[0];
    *event_type = format!("{event_type}{}", &data[..1]).into();
    *data = data[1..].into();
    assert_eq!(verify(&log), altered(1));
}

#[test]
fn a_lost_record_is_named() {
    let mut first_lost = log();
    first_lost.remove(0);
    assert_eq!(verify(&first_lost), gap(1, 2));
    let mut two_lost = log();
    two_lost.drain(2..4);
    assert_eq!(verify(&two_lost), gap(3, 5));
}

#[test]
fn swapped_records_are_found_also_where_they_took_each_others_position() {
    let mut swapped = log();
    swapped.swap(1, 2);
    assert_eq!(verify(&swapped), gap(2, 3));
    (swapped[1].position, swapped[2].position) = (Position::new(2), Position::new(3));
    assert_eq!(verify(&swapped), altered(2));
}

#[test]
fn a_record_of_another_history_is_found() {
    let mut other = log();
    other[1] = Record::seal(&other[0].head(), other[1].recorded_at, &decoded(&other[0]).event, &metadata());
    assert_eq!(verify(&other), altered(3));
}

fn decoded(record: &Record) -> RecordedEvent {
    record.decode().unwrap()
}

#[test]
fn the_bytes_of_a_record_are_those_of_type_data_and_metadata() {
    let record = &log()[0];
    let bytes = format!("{}{}{}", record.event_type, record.data, record.metadata).len();
    assert_eq!(record.size_bytes(), bytes);
}

#[test]
fn metadata_that_is_none_is_refused() {
    let mut record = log().remove(0);
    record.metadata = record.metadata.replace("system", "user:0").into();
    assert!(record.decode().is_err());
    record.metadata = "{}".into();
    assert!(record.decode().is_err());
}
