//! Events of the waiting room: users join, are admitted, and leave.

use serde::{Deserialize, Serialize};

use super::stored::OldShape;
use super::{RoomEvent, never_absent};
use crate::values::{RoomId, SaleTime, Seed, Timestamp, TokenHash, TokenId, UserId};

/// The room was configured: how many tokens it holds, how many it admits in a second (`None`: no limit), and how many
/// seconds an admitted user has to arrive (`None`: they need not).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomConfigured {
    pub room_id: RoomId,
    pub capacity: u64,
    #[serde(deserialize_with = "never_absent")]
    pub admissions_per_second: Option<u32>,
    pub configured_at: Timestamp,
    #[serde(deserialize_with = "never_absent")]
    pub arrival_seconds: Option<u32>,
    /// The operator's reason, if there is one.
    #[serde(deserialize_with = "never_absent")]
    pub reason: Option<String>,
}

/// The shape before there were a time of arrival and a reason.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomConfiguredV1 {
    room_id: RoomId,
    capacity: u64,
    #[serde(deserialize_with = "never_absent")]
    admissions_per_second: Option<u32>,
    configured_at: Timestamp,
}

impl OldShape<RoomConfigured> for RoomConfiguredV1 {
    fn upcast(self) -> RoomConfigured {
        let Self { room_id, capacity, admissions_per_second, configured_at } = self;
        let (arrival_seconds, reason) = (None, None);
        RoomConfigured { room_id, capacity, admissions_per_second, configured_at, arrival_seconds, reason }
    }

    fn of(event: &RoomConfigured) -> Option<Self> {
        let RoomConfigured { room_id, capacity, admissions_per_second, configured_at, .. } = *event;
        let says_all = event.arrival_seconds.is_none() && event.reason.is_none();
        says_all.then_some(Self { room_id, capacity, admissions_per_second, configured_at })
    }
}

/// A user joined the line, or the room itself if a slot was free and nobody waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenIssued {
    pub token_id: TokenId,
    pub user_id: UserId,
    pub room_id: RoomId,
    pub token_hash: TokenHash,
    pub seed: Seed,
    pub queue_number: u64,
    pub admitted: bool,
    pub issued_at: Timestamp,
    pub expires_at: SaleTime,
}

/// The first token in line was admitted. The serving number is now its queue number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenAdmitted {
    pub token_id: TokenId,
    pub user_id: UserId,
    pub room_id: RoomId,
    pub queue_number: u64,
    pub admitted_at: Timestamp,
    pub expires_at: SaleTime,
}

/// An admitted user has arrived: from now on the token lasts until its own deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenArrived {
    pub token_id: TokenId,
    pub user_id: UserId,
    pub room_id: RoomId,
    pub seed: Seed,
    pub queue_number: u64,
    pub issued_at: Timestamp,
    pub arrived_at: Timestamp,
    pub expires_at: SaleTime,
}

/// A waiting or active token has ended, for the given cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenExpired {
    pub token_id: TokenId,
    pub user_id: UserId,
    pub room_id: RoomId,
    pub expired_at: Timestamp,
    pub cause: ExpiryCause,
    /// The operator's reason, if an operator ended it.
    #[serde(deserialize_with = "never_absent")]
    pub reason: Option<String>,
}

/// The cause of a token's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExpiryCause {
    /// Its deadline passed.
    Deadline,
    /// Its user was admitted and did not arrive in time.
    NoShow,
    /// A pre-queue was closed: nobody may be inside before the first drawn entrant.
    Opening,
    /// An operator expelled its user.
    Expulsion,
}

/// The shape before there were other causes than the deadline.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenExpiredV1 {
    token_id: TokenId,
    user_id: UserId,
    room_id: RoomId,
    expired_at: Timestamp,
}

impl OldShape<TokenExpired> for TokenExpiredV1 {
    fn upcast(self) -> TokenExpired {
        let Self { token_id, user_id, room_id, expired_at } = self;
        TokenExpired { token_id, user_id, room_id, expired_at, cause: ExpiryCause::Deadline, reason: None }
    }

    fn of(event: &TokenExpired) -> Option<Self> {
        let TokenExpired { token_id, user_id, room_id, expired_at, cause, .. } = *event;
        let says_all = cause == ExpiryCause::Deadline && event.reason.is_none();
        says_all.then_some(Self { token_id, user_id, room_id, expired_at })
    }
}

/// A user left the line or the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomLeft {
    pub token_id: TokenId,
    pub user_id: UserId,
    pub room_id: RoomId,
    #[serde(deserialize_with = "never_absent")]
    pub seed: Option<Seed>,
    pub queue_number: u64,
    pub issued_at: Timestamp,
    pub left_at: Timestamp,
}

/// A demo's fixed token became active, outside the line and the capacity. It has no seed, because it comes from the
/// server's table of fixed tokens. `replaced_token_id` is the user's token in the room that it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenGranted {
    pub token_id: TokenId,
    pub user_id: UserId,
    pub room_id: RoomId,
    pub token_hash: TokenHash,
    #[serde(deserialize_with = "never_absent")]
    pub replaced_token_id: Option<TokenId>,
    pub granted_at: Timestamp,
    pub expires_at: SaleTime,
}

/// The sale was paused: nobody is admitted, nothing new is held, and deadlines stand still. During a pause this
/// replaces reason and end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SalePaused {
    pub room_id: RoomId,
    pub reason: String,
    /// The time when the pause ends automatically.
    #[serde(deserialize_with = "never_absent")]
    pub resumes_at: Option<Timestamp>,
    pub paused_at: Timestamp,
}

/// The sale goes on since `resumed_at`. If the pause ended automatically, this is its planned end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleResumed {
    pub room_id: RoomId,
    /// The operator's reason, if an operator ended it.
    #[serde(deserialize_with = "never_absent")]
    pub reason: Option<String>,
    pub resumed_at: Timestamp,
}

/// The change of a pause by an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseChange<'a> {
    /// The sale was paused, or the pause's reason or end changed.
    Paused(&'a SalePaused),
    /// The sale goes on.
    Resumed(&'a SaleResumed),
}

impl RoomEvent {
    /// The change of a pause by this event, if there is one.
    pub fn pause_change(&self) -> Option<PauseChange<'_>> {
        match self {
            Self::SalePaused(paused) => Some(PauseChange::Paused(paused)),
            Self::SaleResumed(resumed) => Some(PauseChange::Resumed(resumed)),
            Self::RoomConfigured(_)
            | Self::TokenIssued(_)
            | Self::TokenAdmitted(_)
            | Self::TokenArrived(_)
            | Self::TokenExpired(_)
            | Self::RoomLeft(_)
            | Self::TokenGranted(_) => None,
        }
    }
}
