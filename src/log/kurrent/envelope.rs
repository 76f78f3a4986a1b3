//! A record as an event of KurrentDB: its data as the event's data, all else in an envelope around its metadata.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::{Event, Hash, Position, Record, Timestamp};
use prost::bytes::Bytes;
use serde::Deserialize;

use super::protocol::{CONTENT_TYPE, Id, ProposedMessage, RecordedEvent, TYPE};
use crate::log::ReadError;

/// Data and metadata are JSON, so that the server's own tools can show them.
const JSON: &str = "application/json";

/// Ends the envelope's own members; the record's metadata follows, to the byte, and one brace.
const METADATA: &str = ",\"metadata\":";

/// The envelope's own members, kept short: the largest batch of the smallest records must pass as one append.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    /// When it was decided, in milliseconds since 1970.
    at: Timestamp,
    /// The version of the type's shape.
    v: u32,
    /// The record's hash in Base64, which is shorter than hexadecimal.
    hash: &'a str,
}

/// The record as it is appended. Its id is the first half of its hash, so that what is sent again is known again.
pub fn propose(record: &Record) -> ProposedMessage {
    let (id, _) = record.hash.as_bytes().split_first_chunk::<16>().expect("a hash has 32 bytes");
    ProposedMessage {
        id: Some(Id::from(*id)),
        metadata: HashMap::from([
            (TYPE.to_owned(), record.event_type.clone().into_owned()),
            (CONTENT_TYPE.to_owned(), JSON.to_owned()),
        ]),
        custom_metadata: Bytes::from(envelope(record)),
        data: Bytes::copy_from_slice(record.data.as_bytes()),
    }
}

/// An event that is no record: only its type says something.
pub fn remark(event_type: &str) -> ProposedMessage {
    let metadata = [(TYPE, event_type), (CONTENT_TYPE, JSON)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let id = Some(Id::from(*uuid::Uuid::new_v4().as_bytes()));
    ProposedMessage { id, metadata: HashMap::from(metadata), custom_metadata: Bytes::new(), data: Bytes::from("{}") }
}

fn envelope(record: &Record) -> String {
    let Record { type_version, metadata, .. } = record;
    let (at, hash) = (record.recorded_at.millis(), STANDARD_NO_PAD.encode(record.hash.as_bytes()));
    // Put together by hand: what a JSON library would write anew would not be what was hashed.
    format!("{{\"at\":{at},\"v\":{type_version},\"hash\":\"{hash}\"{METADATA}{metadata}}}")
}

/// What the server counts of an event for the limit of one append (`Event.SizeOnDisk`): types are UTF-16 to it.
pub fn size_bytes(message: &ProposedMessage) -> usize {
    let event_type = message.metadata.get(TYPE).map_or(0, |event_type| event_type.encode_utf16().count());
    message.data.len() + message.custom_metadata.len() + 2 * event_type
}

/// What is said of an event of somebody else, after so many records of ours.
fn foreign(records: u64) -> String {
    let what = "the event was not written by Reprise: it has no envelope";
    match records {
        0 => what.to_owned(),
        _ => format!(
            "{what}; `reprise log export FILE --until {records}` and `reprise log copy --until {records}` bring out \
             the {records} records before it"
        ),
    }
}

/// The record that an event holds.
///
/// # Errors
/// The event is not a record of Reprise.
pub fn record(event: RecordedEvent) -> Result<Record, ReadError> {
    let position = Position::new(event.revision).next();
    let malformed = |reason: String| ReadError::Malformed { position, reason };
    let foreign = || malformed(foreign(event.revision));
    let text = |bytes: Bytes| String::from_utf8(bytes.into()).map_err(|_| malformed("not text".to_owned()));
    let enveloped = text(event.custom_metadata)?;
    let (members, metadata) = enveloped.split_once(METADATA).ok_or_else(foreign)?;
    let members = format!("{members}}}");
    let envelope: Envelope<'_> = serde_json::from_str(&members).map_err(|_| foreign())?;
    let hash = STANDARD_NO_PAD.decode(envelope.hash).ok().and_then(|bytes| bytes.try_into().ok());
    Ok(Record {
        position,
        recorded_at: envelope.at,
        event_type: Event::type_named(event.metadata.get(TYPE).map_or("", String::as_str)),
        type_version: envelope.v,
        data: text(event.data)?.into(),
        metadata: metadata.strip_suffix('}').ok_or_else(foreign)?.into(),
        hash: Hash::new(hash.ok_or_else(foreign)?),
    })
}
