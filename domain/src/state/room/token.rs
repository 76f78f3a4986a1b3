//! A token: a place in line or in the room.

use serde::{Deserialize, Serialize};

use crate::state::numbered::Number;
use crate::values::{Fingerprint, SaleTime, Seed, Timestamp, TokenHash, TokenId, UserId};

/// The status of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenStatus {
    /// The token is in line.
    Waiting,
    /// The token is in the room: its user may see and hold seats.
    Active,
    /// The user paid or left. The token still identifies its user.
    Finished,
    /// The token's deadline passed.
    Expired,
}

/// A place in line or in the room, and the right to act as its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The number that people see.
    pub token_id: TokenId,
    /// The user whom it identifies.
    pub user_id: UserId,
    /// The seed from which the server derives the token's text. `None` for a granted token.
    pub seed: Option<Seed>,
    /// The status that events have given it.
    pub status: TokenStatus,
    /// For a waiting token: the number that it came with. Later: the place that it had when it was admitted or left. 0
    /// for a token without a place: a granted one, and one that left before a draw.
    pub queue_number: u64,
    /// The time when it was issued or first granted.
    pub issued_at: Timestamp,
    /// See [`Token::deadline`].
    pub(crate) expires_at: i64,
}

/// The deadline of a token's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// The deadline of a waiting or active token, in sale time: a pause of the sale does not shorten it.
    Sale(SaleTime),
    /// The deadline of a finished or expired token, by the clock.
    Clock(Timestamp),
}

impl Token {
    /// The token's own deadline. Openings and arrivals may move it: see `Room::deadline`.
    pub(super) fn own_deadline(&self) -> Deadline {
        match self.status {
            TokenStatus::Waiting | TokenStatus::Active => Deadline::Sale(SaleTime::from_millis(self.expires_at)),
            TokenStatus::Finished | TokenStatus::Expired => Deadline::Clock(Timestamp::from_millis(self.expires_at)),
        }
    }

    /// True for a demo's fixed token, which takes no slot.
    pub fn is_granted(&self) -> bool {
        self.queue_number == 0
    }
}

/// A token with half of its hash. There may be millions of tokens, and half of the hash has as many bits as the token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KnownToken {
    pub fingerprint: Fingerprint,
    pub token: Token,
}

impl Number for KnownToken {
    fn number(&self) -> u64 {
        self.token.token_id.get()
    }
}

/// Half of a token's hash.
pub(super) fn fingerprint(hash: &TokenHash) -> Fingerprint {
    Fingerprint::new(*hash.as_bytes().first_chunk().expect("32 bytes have 16"))
}
