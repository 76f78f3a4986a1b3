//! Converts records to events of KurrentDB and back. The record's data are the event's data. All else is in an envelope
//! around the record's metadata.

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

/// The end of the envelope's own members. After it come the record's metadata, unchanged, and one brace.
const METADATA: &str = ",\"metadata\":";

/// The envelope's own members. Their names are short, so that the largest batch of the smallest records fits into one
/// append.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    /// The time of the decision, in milliseconds since 1970.
    at: Timestamp,
    /// The version of the type's shape.
    v: u32,
    /// The record's hash in Base64, which is shorter than hexadecimal.
    hash: &'a str,
}

/// Makes the message that appends a record. Its id is the first half of the hash, so that a repeated message is
/// recognised.
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

/// Makes an event that is not a record: only its type has a meaning.
pub fn remark(event_type: &str) -> ProposedMessage {
    let metadata = [(TYPE, event_type), (CONTENT_TYPE, JSON)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let id = Some(Id::from(*uuid::Uuid::new_v4().as_bytes()));
    ProposedMessage { id, metadata: HashMap::from(metadata), custom_metadata: Bytes::new(), data: Bytes::from("{}") }
}

fn envelope(record: &Record) -> String {
    let Record { type_version, metadata, .. } = record;
    let (at, hash) = (record.recorded_at.millis(), STANDARD_NO_PAD.encode(record.hash.as_bytes()));
    // Joined as text: a JSON library would write the metadata anew, and the bytes would not be those that were hashed.
    format!("{{\"at\":{at},\"v\":{type_version},\"hash\":\"{hash}\"{METADATA}{metadata}}}")
}

/// The size of an event for the server's limit of one append (`Event.SizeOnDisk`). The server counts types as UTF-16.
pub fn size_bytes(message: &ProposedMessage) -> usize {
    let event_type = message.metadata.get(TYPE).map_or(0, |event_type| event_type.encode_utf16().count());
    message.data.len() + message.custom_metadata.len() + 2 * event_type
}

/// The message about an event that is not a record, after `records` records.
fn foreign(records: u64) -> String {
    let what = "the event was not written by Reprise: it has no envelope";
    match records {
        0 => what.to_owned(),
        _ => format!(
            "{what}; `reprise log export FILE --until {records}` and `reprise log copy --until {records}` save \
             the {records} records before it"
        ),
    }
}

/// Converts an event to a record.
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
