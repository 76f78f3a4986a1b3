//! Moments: a position or a time, as options name them.

use std::str::FromStr;

use domain::{Hash, Head, Position, Timestamp};

/// The moment up to which a log is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// Up to and with the record at this position.
    Position(Position),
    /// Up to and with the last record of this time.
    Time(Timestamp),
}

impl FromStr for AsOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(Position::new(position)));
        }
        let time: jiff::Timestamp = text
            .parse()
            .map_err(|_| "give a position (a whole number) or a time (RFC 3339): 2026-12-24T10:30:00Z".to_owned())?;
        // A time between two milliseconds is past the first of them.
        Ok(Self::Time(Timestamp::from_millis(time.as_nanosecond().div_euclid(1_000_000) as i64)))
    }
}

/// A record that must be in the log: what an auditor noted earlier, and keeps elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected(pub Head);

impl FromStr for Expected {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let head = || {
            let (position, hash) = text.split_once(':')?;
            let position = Position::new(position.parse().ok()?);
            let hash: Hash = serde_json::from_value(hash.into()).ok()?;
            Some(Head { position, hash })
        };
        head().map(Self).ok_or_else(|| {
            "give a position and its hash, as `log stat` prints the head: 17:<64 hexadecimal digits>".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_position_or_a_time() {
        assert_eq!("17".parse(), Ok(AsOf::Position(Position::new(17))));
        let time = Ok(AsOf::Time(Timestamp::from_millis(1_800_000_000_070)));
        assert_eq!("2027-01-15T08:00:00.070Z".parse(), time);
        assert_eq!("2027-01-15T17:00:00.0709+09:00".parse(), time);
        for wrong in ["", "-1", "yesterday", "2027-01-15", "2027-01-15T08:00:00"] {
            assert!(wrong.parse::<AsOf>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_noted_record_is_a_position_and_a_hash() {
        let hash = "ab".repeat(32);
        let head = Head { position: Position::new(17), hash: Hash::new([0xab; 32]) };
        assert_eq!(format!("17:{hash}").parse(), Ok(Expected(head)));
        for wrong in [hash, "17".to_owned(), "17:ab".to_owned(), ":".to_owned()] {
            assert!(wrong.parse::<Expected>().is_err(), "{wrong}");
        }
    }
}
