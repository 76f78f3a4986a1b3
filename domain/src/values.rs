//! Ids, points and times, each with its own type, so that none can be used in place of another.

use serde::{Deserialize, Serialize};

/// The largest id, and the largest amount that JSON clients hold exactly: 2^53 - 1.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The error of a number that is not an id: ids are 1..=2^53-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a whole number from 1 to 9007199254740991")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u64);

        impl $name {
            /// The first id of its kind.
            pub const FIRST: Self = Self(1);

            /// The bare number, 1..=2^53-1.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The id after this one.
            ///
            /// # Panics
            /// The id would exceed 2^53-1. Tokens, reservations and payments never come near that.
            pub const fn successor(self) -> Self {
                assert!(self.0 < MAX_SAFE_INTEGER, "ids end at 2^53-1");
                Self(self.0 + 1)
            }
        }

        impl TryFrom<u64> for $name {
            type Error = NotAnId;

            fn try_from(number: u64) -> Result<Self, NotAnId> {
                (1..=MAX_SAFE_INTEGER).contains(&number).then_some(Self(number)).ok_or(NotAnId)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> u64 {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A user: a number given by the service that knows the person.
    UserId
    /// A waiting room. There is only one: [`RoomId::FIRST`].
    RoomId
    /// A token, counted over the whole log.
    TokenId
    /// A concert.
    ConcertId
    /// A schedule: one show of a concert. The id is unique among all concerts.
    ScheduleId
    /// A seat, unique in its schedule.
    SeatId
    /// A reservation, counted over the whole log.
    ReservationId
    /// A payment, counted over the whole log.
    PaymentId
}

/// An amount of points, never negative. One point is one won.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Points(u64);

impl Points {
    /// No points.
    pub const ZERO: Self = Self(0);

    /// `points` points.
    pub const fn new(points: u64) -> Self {
        Self(points)
    }

    /// The bare number of points.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, or `None` past 2^64.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` below zero.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

macro_rules! instants {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The instant with this number of milliseconds.
            pub const fn from_millis(millis: i64) -> Self {
                Self(millis)
            }

            /// Its number of milliseconds.
            pub const fn millis(self) -> i64 {
                self.0
            }

            /// The instant `seconds` later.
            pub const fn plus_seconds(self, seconds: i64) -> Self {
                Self(self.0.saturating_add(seconds.saturating_mul(1_000)))
            }

            /// Whole seconds from `self` until `deadline`, rounded up: 0 only when the deadline is over.
            pub const fn seconds_until(self, deadline: Self) -> u64 {
                let millis = deadline.0.saturating_sub(self.0);
                if millis <= 0 { 0 } else { (millis as u64).div_ceil(1_000) }
            }
        }
    )*};
}

instants! {
    /// An instant: milliseconds since 1970-01-01 UTC.
    Timestamp
    /// An instant of sale time: the clock minus all pauses of the sale (see [`SaleClock`](crate::SaleClock)). Deadlines
    /// are kept in sale time. Before the first pause it equals the clock, in milliseconds since 1970-01-01 UTC.
    SaleTime
}

/// The status of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReservationStatus {
    /// Its seats wait for the payment.
    Held,
    /// Its seats are sold.
    Paid,
    /// It was cancelled before it was paid.
    Cancelled,
    /// Its deadline passed before it was paid.
    Expired,
    /// It was paid, and then refunded.
    Refunded,
}

/// The position of a record in the log: 1, 2, 3, …; 0 is before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before the first record.
    pub const START: Self = Self(0);

    /// The position with this number.
    pub const fn new(position: u64) -> Self {
        Self(position)
    }

    /// The bare number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! byte_strings {
    ($($(#[$doc:meta])* $name:ident[$bytes:literal])*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "text_or_bytes")] [u8; $bytes]);

        impl $name {
            /// Makes a value of these bytes.
            pub const fn new(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )*};
}

/// Writes bytes as hexadecimal text in JSON, and as bytes in a snapshot.
mod text_or_bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<const N: usize, S: Serializer>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error>
    where
        [u8; N]: Serialize,
    {
        if serializer.is_human_readable() { hex::serialize(bytes, serializer) } else { bytes.serialize(serializer) }
    }

    pub fn deserialize<'de, const N: usize, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; N], D::Error>
    where
        [u8; N]: Deserialize<'de> + hex::FromHex<Error = hex::FromHexError>,
    {
        if deserializer.is_human_readable() {
            hex::deserialize(deserializer)
        } else {
            <[u8; N]>::deserialize(deserializer)
        }
    }
}

byte_strings! {
    /// SHA-256 of a record and of all before it.
    Hash[32]
    /// SHA-256 of a token's text. The token itself is a credential and never enters the log.
    TokenHash[32]
    /// The random bytes from which the server's key derives a token.
    Seed[16]
    /// The random bytes from which the server's key makes the seed of a draw.
    Nonce[16]
    /// The first 128 bits of the SHA-256 of something that a client wrote.
    Fingerprint[16]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_from_1_to_2_to_the_53_less_1() {
        assert!(UserId::try_from(0).is_err());
        assert!(UserId::try_from(1).is_ok());
        assert!(UserId::try_from(MAX_SAFE_INTEGER).is_ok());
        assert!(UserId::try_from(MAX_SAFE_INTEGER + 1).is_err());
        assert!(serde_json::from_str::<UserId>("0").is_err());
    }

    #[test]
    fn seconds_left_are_0_only_when_the_deadline_is_over() {
        let deadline = Timestamp::from_millis(10_000);
        assert_eq!(Timestamp::from_millis(9_999).seconds_until(deadline), 1);
        assert_eq!(Timestamp::from_millis(9_000).seconds_until(deadline), 1);
        assert_eq!(Timestamp::from_millis(8_999).seconds_until(deadline), 2);
        assert_eq!(deadline.seconds_until(deadline), 0);
        assert_eq!(Timestamp::from_millis(99_999).seconds_until(deadline), 0);
    }
}
