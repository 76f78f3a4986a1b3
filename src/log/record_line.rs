//! Records as lines of JSON, to the byte: as `log export` writes them and operators read them.

use std::borrow::Cow;
use std::sync::Arc;

use domain::{Hash, Position, Record, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A record as a line of JSON. `data` and `metadata` are the very text that was hashed, as strings.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordLine {
    position: Position,
    /// Milliseconds since 1970-01-01 UTC.
    recorded_at: Timestamp,
    #[serde(rename = "type")]
    event_type: Cow<'static, str>,
    type_version: u32,
    data: Arc<str>,
    metadata: Arc<str>,
    hash: Hash,
}

impl From<Record> for RecordLine {
    fn from(record: Record) -> Self {
        let Record { position, recorded_at, event_type, type_version, data, metadata, hash } = record;
        Self { position, recorded_at, event_type, type_version, data, metadata, hash }
    }
}

impl From<RecordLine> for Record {
    fn from(line: RecordLine) -> Self {
        let RecordLine { position, recorded_at, event_type, type_version, data, metadata, hash } = line;
        Self { position, recorded_at, event_type, type_version, data, metadata, hash }
    }
}

/// Whether a record's event names the user, be it in an event that this program does not know.
pub fn names_user(record: &Record, user: u64) -> bool {
    serde_json::from_str(&record.data).is_ok_and(|data: Value| named_user("", &data) == Some(user))
}

/// The user that a member of an event's data, or one inside it, names: no event is about two.
pub fn named_user(name: &str, value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) if name == "user_id" => number.as_u64(),
        Value::Object(members) => members.iter().find_map(|(name, value)| named_user(name, value)),
        Value::Number(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}
