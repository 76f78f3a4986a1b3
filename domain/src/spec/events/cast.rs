//! The cast of the specifications: ids, tokens and senders.

use crate::command::Credential;
use crate::spec::T0;
use crate::values::{Hash, PaymentId, ReservationId, RoomId, SaleTime, SeatId, Seed, TokenHash, TokenId, UserId};

pub(super) const ROOM: RoomId = RoomId::FIRST;

/// [`T0`] as sale time: nothing was paused before.
pub const SALE_T0: SaleTime = SaleTime::from_millis(T0.millis());

/// The operator of a server that does not ask for names.
pub const OPERATOR: Credential = Credential::OPERATOR;

pub(super) fn token_id(number: u64) -> TokenId {
    TokenId::try_from(number).expect("a test's number is an id")
}

/// A user's id.
pub fn user_id(number: u64) -> UserId {
    UserId::try_from(number).expect("a test's number is an id")
}

/// A seat's id.
pub fn seat_id(number: u64) -> SeatId {
    SeatId::try_from(number).expect("a test's number is an id")
}

/// A reservation's id.
pub fn reservation_id(number: u64) -> ReservationId {
    ReservationId::try_from(number).expect("a test's number is an id")
}

pub(super) fn payment_id(number: u64) -> PaymentId {
    PaymentId::try_from(number).expect("a test's number is an id")
}

fn bytes(user_id: UserId) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&user_id.get().to_be_bytes());
    bytes
}

/// The hash of the user's token. In this cast, each user has one token at a time.
pub fn token_hash(user_id: UserId) -> TokenHash {
    TokenHash::new(bytes(user_id))
}

/// The hash of the user's fixed token.
pub fn fixed_hash(user_id: UserId) -> TokenHash {
    let mut bytes = bytes(user_id);
    bytes[15] = 1;
    TokenHash::new(bytes)
}

/// The seed of the user's token.
pub fn seed(user_id: UserId) -> Seed {
    Seed::new(*bytes(user_id).first_chunk().expect("32 bytes have 16"))
}

/// The user shows their token.
pub fn token(user_id: UserId) -> Credential {
    Credential::Token(token_hash(user_id))
}

/// The user shows their fixed token.
pub fn fixed_token(user_id: UserId) -> Credential {
    Credential::Token(fixed_hash(user_id))
}

/// The credential of a user whom the HTTP layer has identified.
pub fn user(user_id: UserId) -> Credential {
    Credential::User(user_id)
}

/// A subject of an identity provider, as the log knows it.
pub fn subject(number: u8) -> Hash {
    Hash::new([number; 32])
}
