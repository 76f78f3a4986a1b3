//! The opening of a sale: a pre-queue, its close, and the draw that orders it.

use serde::{Deserialize, Serialize};

use super::never_absent;
use crate::values::{Hash, Nonce, RoomId, Timestamp};

/// An opening was announced: users who join from `prequeue_from` on until `opens_at` take part in a draw. `commitment`
/// is the SHA-256 of the draw's seed, which the server's key makes from the log's id and `nonce`. A beacon is a public
/// value that nobody knows yet. `beacon_source` names it, and `beacon_at` is the time when it appears; both are there
/// or neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningScheduled {
    pub room_id: RoomId,
    pub prequeue_from: Timestamp,
    pub opens_at: Timestamp,
    pub nonce: Nonce,
    pub commitment: Hash,
    #[serde(deserialize_with = "never_absent")]
    pub beacon_source: Option<String>,
    #[serde(deserialize_with = "never_absent")]
    pub beacon_at: Option<Timestamp>,
    pub reason: String,
    pub scheduled_at: Timestamp,
}

/// The opening was moved to a later time, before its close. An opening with a beacon has a new beacon now, since the
/// value of the first one may be known too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningMoved {
    pub room_id: RoomId,
    pub opens_at: Timestamp,
    #[serde(deserialize_with = "never_absent")]
    pub beacon_source: Option<String>,
    #[serde(deserialize_with = "never_absent")]
    pub beacon_at: Option<Timestamp>,
    pub reason: String,
    pub moved_at: Timestamp,
}

/// The opening was withdrawn before its pre-queue began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningWithdrawn {
    pub room_id: RoomId,
    pub reason: String,
    pub withdrawn_at: Timestamp,
}

/// Entry was closed at the opening time. The draw gives `entrants` places, from `first` on. Tokens that were inside
/// have ended. The hash of this record goes into the draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryClosed {
    pub room_id: RoomId,
    pub first: u64,
    pub entrants: u64,
    pub closed_at: Timestamp,
}

/// The beacon's value appeared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeaconReceived {
    pub room_id: RoomId,
    pub value: Hash,
    pub reason: String,
    pub received_at: Timestamp,
}

/// The entrants were drawn: with the seed, every place follows from the log ([`crate::draw`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueDrawn {
    pub room_id: RoomId,
    pub seed: Hash,
    pub drawn_at: Timestamp,
}
