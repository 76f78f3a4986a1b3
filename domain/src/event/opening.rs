//! The opening of a sale: a pre-queue, its close, and the draw that orders it.

use serde::{Deserialize, Serialize};

use super::never_absent;
use crate::values::{Hash, Nonce, RoomId, Timestamp};

/// An opening was announced: who joins from `prequeue_from` on until `opens_at` takes part in a draw. `commitment` is the
/// SHA-256 of the draw's seed, which the server's key makes of the log's id and `nonce`. A beacon is a public value that
/// nobody knows yet: `beacon_source` says which, `beacon_at` when it appears; both or neither.
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

/// The opening was put off, before its close. One with a beacon has another one since: the first may be known too early.
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

/// The opening was taken back before its pre-queue began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningWithdrawn {
    pub room_id: RoomId,
    pub reason: String,
    pub withdrawn_at: Timestamp,
}

/// The opening's time had come: the places `first` and on, `entrants` of them, are the draw's. Whoever was inside is not
/// any more. This record's own hash goes into the draw.
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

/// The entrants were drawn: with the seed, everyone's place follows from what stands in the log ([`crate::draw`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueDrawn {
    pub room_id: RoomId,
    pub seed: Hash,
    pub drawn_at: Timestamp,
}
