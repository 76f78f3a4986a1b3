//! A record of the log: an event as it is stored, chained by its hash to all before it.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::event::{DecodeError, Event};
use crate::values::{Fingerprint, Hash, Position, Timestamp, UserId};

/// The format of records that this program writes and reads.
pub const LOG_FORMAT: u32 = 1;
/// How records are hashed.
pub const HASH_ALGORITHM: &str = "SHA-256";

/// What the log stores, to the byte. A copy shares its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// 1, 2, 3, …, without gaps.
    pub position: Position,
    /// When it was decided; never earlier than the record before it.
    pub recorded_at: Timestamp,
    /// The event's type.
    pub event_type: Cow<'static, str>,
    /// The version of the type's shape.
    pub type_version: u32,
    /// The event's fields: the very bytes that were hashed.
    pub data: Arc<str>,
    /// [`Metadata`]: the very bytes that were hashed.
    pub metadata: Arc<str>,
    /// Proves this record and every one before it.
    pub hash: Hash,
}

/// The end of a log: its last position and the hash there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The last record's position, 0 in an empty log.
    pub position: Position,
    /// The last record's hash, zeros in an empty log.
    pub hash: Hash,
}

impl Head {
    /// The head of an empty log.
    pub const EMPTY: Self = Self { position: Position::START, hash: Hash::new([0; 32]) };
}

/// Where the log stops being what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A record is not there.
    #[error("position {missing}: the record is missing (the next one found is {found})")]
    Gap { missing: Position, found: Position },
    /// A record is not what was hashed, or was hashed after another history.
    #[error("position {position}: the record does not fit its hash and the records before it")]
    Altered { position: Position },
}

impl Record {
    /// Seals what was decided as the record after `previous`.
    pub fn seal(previous: &Head, recorded_at: Timestamp, event: &Event, metadata: &Metadata) -> Self {
        let (type_version, data) = event.sealed();
        Self::seal_data(previous, recorded_at, (event.event_type(), type_version), data, metadata.encode())
    }

    /// A record that could not be read back would stop every start on its log, for good: it is never made.
    fn seal_data(
        previous: &Head,
        recorded_at: Timestamp,
        (event_type, type_version): (&'static str, u32),
        data: String,
        metadata: String,
    ) -> Self {
        assert!(
            Event::is_known(event_type, type_version),
            "{event_type} in version {type_version} would be written and could not be read: add it to `events!` in \
             domain/src/event.rs"
        );
        let mut record = Self {
            position: previous.position.next(),
            recorded_at,
            event_type: event_type.into(),
            type_version,
            data: data.into(),
            metadata: metadata.into(),
            hash: Hash::new([0; 32]),
        };
        record.hash = record.hash_after(&previous.hash);
        record
    }

    /// This record as the log's head.
    pub fn head(&self) -> Head {
        Head { position: self.position, hash: self.hash }
    }

    /// What a batch counts of it: the bytes of type, data and metadata.
    pub fn size_bytes(&self) -> usize {
        self.event_type.len() + self.data.len() + self.metadata.len()
    }

    /// Holds the record against the one before it.
    ///
    /// # Errors
    /// The position is not the next one, or the hash is not that of these bytes after `previous`.
    pub fn verify(&self, previous: &Head) -> Result<Head, ChainError> {
        if self.position != previous.position.next() {
            return Err(ChainError::Gap { missing: previous.position.next(), found: self.position });
        }
        if self.hash != self.hash_after(&previous.hash) {
            return Err(ChainError::Altered { position: self.position });
        }
        Ok(self.head())
    }

    /// SHA-256("reprise/1" ‖ previous hash ‖ position ‖ recorded_at ‖ length and bytes of type ‖ type_version ‖
    /// SHA-256(data) ‖ SHA-256(metadata)); every integer is 8 bytes, big-endian. Data and metadata enter as hashes, so
    /// that either could be erased later without breaking the chain.
    pub fn hash_after(&self, previous: &Hash) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(b"reprise/1");
        hasher.update(previous.as_bytes());
        hasher.update(self.position.get().to_be_bytes());
        hasher.update(self.recorded_at.millis().to_be_bytes());
        hasher.update((self.event_type.len() as u64).to_be_bytes());
        hasher.update(self.event_type.as_bytes());
        hasher.update(u64::from(self.type_version).to_be_bytes());
        hasher.update(Sha256::digest(self.data.as_bytes()));
        hasher.update(Sha256::digest(self.metadata.as_bytes()));
        Hash::new(hasher.finalize().into())
    }

    /// The event and metadata that these bytes say.
    ///
    /// # Errors
    /// The program does not know the event, or its metadata.
    pub fn decode(&self) -> Result<RecordedEvent, DecodeError> {
        let event = Event::decode(&self.event_type, self.type_version, &self.data)?;
        let metadata = serde_json::from_str(&self.metadata).map_err(|error| DecodeError::MalformedData {
            event_type: format!("{}'s metadata", self.event_type),
            reason: error.to_string(),
        })?;
        Ok(RecordedEvent { head: self.head(), recorded_at: self.recorded_at, event, metadata })
    }
}

/// A record, read: what state and read models are folded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The record's own position and hash.
    pub head: Head,
    /// When it was decided.
    pub recorded_at: Timestamp,
    /// What happened.
    pub event: Event,
    /// Who did it, and how.
    pub metadata: Metadata,
}

/// Where an event came from. What clients wrote freely is in here hashed or not at all; a request's id, of letters, digits
/// and `._-`, is as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The command that decided it.
    pub command_id: Uuid,
    /// Which of the command's events this is, from 0.
    pub index: u32,
    /// How many events the command had.
    pub count: u32,
    /// What the command belongs to: one request, one import, one start of a demo.
    pub correlation_id: Uuid,
    /// What caused the event directly: the command.
    pub causation_id: Uuid,
    /// Who acted.
    pub actor: ActorName,
    /// The run of the node that decided.
    pub node_id: Uuid,
    /// The version of the program that decided.
    #[serde(deserialize_with = "program")]
    pub program: Cow<'static, str>,
    /// The HTTP request's id, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The idempotency key that the request came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<IdempotencyKey>,
}

impl Metadata {
    fn encode(&self) -> String {
        serde_json::to_string(self).expect("metadata holds only what JSON can say")
    }

    /// Whether this is its command's last event: the one that the answer tells of.
    pub fn is_last(&self) -> bool {
        self.index.checked_add(1) == Some(self.count)
    }
}

/// The version of this program, which stands in the metadata of what it decides.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Most records name this very program, which need not be written down for each.
fn program<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, str>, D::Error> {
    struct Version;

    impl Visitor<'_> for Version {
        type Value = Cow<'static, str>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a program's version")
        }

        fn visit_str<E: serde::de::Error>(self, version: &str) -> Result<Cow<'static, str>, E> {
            Ok(if version == PROGRAM { PROGRAM.into() } else { version.to_owned().into() })
        }
    }

    deserializer.deserialize_str(Version)
}

/// An idempotency key with the request that it was used for, both as fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// Of the key.
    pub key: Fingerprint,
    /// Of method, path and body.
    pub request: Fingerprint,
}

/// The name of somebody who runs the sale: `operator` where nobody asks for names, `operator:<sub>` as an identity provider
/// names them, `local:<uid>` of a user of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorName(Cow<'static, str>);

impl OperatorName {
    /// Whoever it is.
    pub const ANYONE: Self = Self(Cow::Borrowed("operator"));

    /// Somebody whom an identity provider calls `subject`.
    pub fn of_subject(subject: &str) -> Self {
        Self(format!("operator:{subject}").into())
    }

    /// A user of the machine that the server runs on.
    pub fn of_local_user(uid: u32) -> Self {
        Self(format!("local:{uid}").into())
    }

    /// As it stands in the log.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_one(text: &str) -> bool {
        let local = text.strip_prefix("local:").is_some_and(|uid| uid.parse::<u32>().is_ok());
        local || text == "operator" || text.starts_with("operator:")
    }

    fn of(text: &str) -> Self {
        if text == "operator" { Self::ANYONE } else { Self(text.to_owned().into()) }
    }
}

/// Who acted, as it stands in metadata: `user:17`, `system`, or the name of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum ActorName {
    /// A user.
    User(UserId),
    /// The server itself: its tick, its demo.
    System,
    /// Somebody who runs the sale.
    Operator(OperatorName),
}

impl From<ActorName> for String {
    fn from(name: ActorName) -> Self {
        match name {
            ActorName::User(user_id) => format!("user:{user_id}"),
            ActorName::System => "system".to_owned(),
            ActorName::Operator(name) => name.as_str().to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for ActorName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        /// A name is read where it stands, for there is one in every record.
        impl Visitor<'_> for Name {
            type Value = ActorName;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "`system`, `user:` with an id, `operator`, `operator:` with a subject, or `local:` with a number",
                )
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<ActorName, E> {
                match name {
                    "system" => Ok(ActorName::System),
                    operator if OperatorName::is_one(operator) => Ok(ActorName::Operator(OperatorName::of(operator))),
                    user => user
                        .strip_prefix("user:")
                        .and_then(|id| id.parse::<u64>().ok())
                        .and_then(|id| UserId::try_from(id).ok())
                        .map(ActorName::User)
                        .ok_or_else(|| E::invalid_value(Unexpected::Str(name), &self)),
                }
            }
        }

        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "PointsCharged in version 99 would be written and could not be read")]
    fn what_could_not_be_read_back_is_never_sealed() {
        Record::seal_data(&Head::EMPTY, Timestamp::default(), ("PointsCharged", 99), String::new(), String::new());
    }
}
