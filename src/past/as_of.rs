//! Moments as people name them: a position or a time.

use std::str::FromStr;

use domain::{Position, Timestamp};

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
        // A time between two milliseconds counts as the first of them.
        Ok(Self::Time(Timestamp::from_millis(time.as_nanosecond().div_euclid(1_000_000) as i64)))
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
}
