//! A record that somebody has noted.

use std::str::FromStr;

use domain::{Hash, Head, Position};

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
    fn a_noted_record_is_a_position_and_a_hash() {
        let hash = "ab".repeat(32);
        let head = Head { position: Position::new(17), hash: Hash::new([0xab; 32]) };
        assert_eq!(format!("17:{hash}").parse(), Ok(Expected(head)));
        for wrong in [hash, "17".to_owned(), "17:ab".to_owned(), ":".to_owned()] {
            assert!(wrong.parse::<Expected>().is_err(), "{wrong}");
        }
    }
}
