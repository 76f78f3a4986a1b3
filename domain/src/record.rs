//! A record of the log: an event as it is stored, chained by its hash to all before it.

mod metadata;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::{DecodeError, Event};
use crate::values::{Hash, Position, Timestamp};

pub use metadata::{ActorName, IdempotencyKey, Metadata, OperatorName, PROGRAM};

/// The format of records that this program writes and reads.
pub const LOG_FORMAT: u32 = 1;
/// The hash function of the chain.
pub const HASH_ALGORITHM: &str = "SHA-256";

/// A record exactly as the log stores it. Copies share its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// 1, 2, 3, …, without gaps.
    pub position: Position,
    /// The time of the decision. It is never before that of the record before it.
    pub recorded_at: Timestamp,
    /// The event's type.
    pub event_type: Cow<'static, str>,
    /// The version of the type's shape.
    pub type_version: u32,
    /// The event's fields: exactly the bytes that were hashed.
    pub data: Arc<str>,
    /// [`Metadata`]: exactly the bytes that were hashed.
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

/// The first place where the log is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A record is missing.
    #[error("position {missing}: the record is missing (the next one found is {found})")]
    Gap { missing: Position, found: Position },
    /// A record does not fit its hash and the records before it.
    #[error("position {position}: the record does not fit its hash and the records before it")]
    Altered { position: Position },
}

impl Record {
    /// Makes the record of an event after `previous`.
    pub fn seal(previous: &Head, recorded_at: Timestamp, event: &Event, metadata: &Metadata) -> Self {
        let (type_version, data) = event.written();
        Self::seal_data(previous, recorded_at, (event.event_type(), type_version), data, metadata.encode())
    }

    /// Makes a record from data. It panics if the program does not know the type and version: such a record would stop
    /// every later start.
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

    /// The head of a log that ends with this record.
    pub fn head(&self) -> Head {
        Head { position: self.position, hash: self.hash }
    }

    /// The bytes of type, data and metadata, which count towards a batch's limit.
    pub fn size_bytes(&self) -> usize {
        self.event_type.len() + self.data.len() + self.metadata.len()
    }

    /// Proves the record against the one before it, and returns the new head.
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

    /// Decodes the event and the metadata.
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

/// A decoded record. State and read models are folded from these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The record's own position and hash.
    pub head: Head,
    /// The time of the decision.
    pub recorded_at: Timestamp,
    /// The event.
    pub event: Event,
    /// The metadata: who caused it, and by which command.
    pub metadata: Metadata,
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
