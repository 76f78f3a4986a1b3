//! A token: a place in line or in the room, and what it is found by.

use serde::{Deserialize, Serialize};

use crate::state::numbered::Number;
use crate::values::{Fingerprint, SaleTime, Seed, Timestamp, TokenHash, TokenId, UserId};

/// Where a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenStatus {
    /// In line.
    Waiting,
    /// In the room: may see seats and hold them.
    Active,
    /// Paid or left: still names its user.
    Finished,
    /// Its deadline was over.
    Expired,
}

/// A place in line or in the room, and the right to act as its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its number, which people see.
    pub token_id: TokenId,
    /// Whom it identifies.
    pub user_id: UserId,
    /// What the server derives it from; `None` for a granted token.
    pub seed: Option<Seed>,
    /// Where it stands.
    pub status: TokenStatus,
    /// The place with which it came in line; once it was let in or has left, the place that it had by then. 0 for one that had
    /// no place: a granted one, and one that left before a draw.
    pub queue_number: u64,
    /// When it was issued or first granted.
    pub issued_at: Timestamp,
    /// See [`Token::deadline`].
    pub(crate) expires_at: i64,
}

/// When a token stops being what its status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// Of who waits or is inside: a pause of the sale takes nothing of it.
    Sale(SaleTime),
    /// Of who has finished, or whose time was over.
    Clock(Timestamp),
}

impl Token {
    /// The deadline that it came by. Openings and arrivals may bring it forward or put it off: see `Room::deadline`.
    pub(super) fn own_deadline(&self) -> Deadline {
        match self.status {
            TokenStatus::Waiting | TokenStatus::Active => Deadline::Sale(SaleTime::from_millis(self.expires_at)),
            TokenStatus::Finished | TokenStatus::Expired => Deadline::Clock(Timestamp::from_millis(self.expires_at)),
        }
    }

    /// Whether it is a demo's fixed one, which takes no slot.
    pub fn is_granted(&self) -> bool {
        self.queue_number == 0
    }
}

/// A token, and what it is found by. Of its hash half is kept: as many bits as a token has, and there are millions of them.
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
