//! Records as lines of JSON, exactly as `log export` writes them and operators read them.

use std::borrow::Cow;
use std::sync::Arc;

use domain::{Hash, Position, Record, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A record as a line of JSON. `data` and `metadata` are strings with exactly the text that was hashed.
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

/// True if a record's event names the user. The program need not know the event.
pub fn names_user(record: &Record, user: u64) -> bool {
    serde_json::from_str(&record.data).is_ok_and(|data: Value| named_users("", &data).contains(&user))
}

/// Finds the users that a value in an event's data names: in all members, also nested ones, whose name ends in
/// `user_id`.
pub fn named_users(name: &str, value: &Value) -> Vec<u64> {
    match value {
        Value::Number(number) if name.ends_with("user_id") => number.as_u64().into_iter().collect(),
        Value::Object(members) => members.iter().flat_map(|(name, value)| named_users(name, value)).collect(),
        Value::Array(values) => values.iter().flat_map(|value| named_users(name, value)).collect(),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::String(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_user_of_an_event_is_found_wherever_it_names_them() {
        let data = json!({
            "from_user_id": 1, "hold": { "user_id": 2, "seats": [{ "seat_id": 9 }] }, "guests": [{ "user_id": 3 }],
            "users": 4, "user_id": "5", "note": "user_id",
        });
        let mut named = named_users("", &data);
        named.sort_unstable();
        assert_eq!(named, [1, 2, 3]);
    }
}
