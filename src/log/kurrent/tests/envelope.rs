//! What a record is on the wire.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::spec::{T0, charged, expired, hold_expired, left, let_in};
use domain::{ActorName, Metadata, UserId};

use super::super::protocol::{CONTENT_TYPE, RecordedEvent, TYPE};
use super::*;
use crate::log::MAX_BATCH_BYTES;
use crate::log::conformance::chain;

fn stored(record: &Record) -> RecordedEvent {
    let message = propose(record);
    RecordedEvent {
        id: message.id,
        revision: record.position.get() - 1,
        metadata: message.metadata,
        custom_metadata: message.custom_metadata,
        data: message.data,
        ..Default::default()
    }
}

#[test]
fn data_and_metadata_come_back_to_the_byte() {
    for text in ["{}", r#"{ "a" : [1 ,2] }"#, " {\"metadata\":1}\n", r#"{"x":"}","metadata":{}}"#, "no JSON", "", "}"] {
        let mut sealed = chain(&Head::EMPTY, 1).remove(0);
        sealed.metadata = text.into();
        sealed.data = text.into();
        assert_eq!(record(stored(&sealed)), Ok(sealed));
    }
}

#[test]
fn the_envelope_is_json_for_those_who_look() {
    let sealed = chain(&Head::EMPTY, 1).remove(0);
    let message = propose(&sealed);
    let envelope: serde_json::Value = serde_json::from_slice(&message.custom_metadata).unwrap();
    assert_eq!(envelope["at"], sealed.recorded_at.millis());
    assert_eq!(envelope["v"], sealed.type_version);
    assert_eq!(STANDARD_NO_PAD.decode(envelope["hash"].as_str().unwrap()).unwrap(), sealed.hash.as_bytes());
    assert_eq!(envelope["metadata"], serde_json::from_str::<serde_json::Value>(&sealed.metadata).unwrap());
    let told = HashMap::from([
        (TYPE.to_owned(), sealed.event_type.into_owned()),
        (CONTENT_TYPE.to_owned(), "application/json".to_owned()),
    ]);
    assert_eq!(message.metadata, told);
}

#[test]
fn somebody_elses_event_is_told_by_its_position() {
    let ours = stored(&chain(&Head::EMPTY, 1)[0]);
    for envelope in ["", "{}", r#"{"at":1,"v":1,"hash":"x","metadata":{}}"#, r#"{"correlationId":"x","metadata":{}}"#] {
        let event = RecordedEvent { custom_metadata: envelope.into(), revision: 6, ..ours.clone() };
        let Err(ReadError::Malformed { position, reason }) = record(event) else { panic!("{envelope}") };
        assert_eq!(position, Position::new(7));
        assert!(reason.contains("not written by Reprise"), "{reason}");
    }
}

/// The smallest record that the program writes, with a time of today: what the envelope adds weighs most on it.
fn smallest() -> Record {
    let command_id = Uuid::nil();
    let metadata = Metadata {
        command_id,
        index: 0,
        count: 1,
        correlation_id: command_id,
        causation_id: command_id,
        actor: ActorName::System,
        node_id: command_id,
        program: "0".into(),
        request_id: None,
        idempotency: None,
    };
    let seal = |event| Record::seal(&Head::EMPTY, T0, &event, &metadata);
    let user = UserId::FIRST;
    let small = [expired(user, 1), charged(user, 1, 1), let_in(user, 1), left(user, 1), hold_expired(1, user, [1])];
    small.map(seal).into_iter().min_by_key(Record::size_bytes).unwrap()
}

#[test]
fn the_largest_batch_of_the_smallest_records_is_one_append() {
    let smallest = smallest();
    let records = MAX_BATCH_BYTES / smallest.size_bytes();
    let bytes = records * size_bytes(&propose(&smallest));
    assert!(bytes <= MAX_APPEND_BYTES, "{records} records of {} bytes make {bytes}", smallest.size_bytes());
}
