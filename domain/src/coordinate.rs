//! Where a seat is drawn on a map of the house: a number that is the same wherever it is read, to a thousandth.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest coordinate, either way.
pub const MAX_COORDINATE: i32 = 1_000_000;

/// A coordinate, in thousandths. Where it lies and what one is long, the catalogue's author decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinate(i32);

/// A number that is no coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a coordinate is a number from -1000000 to 1000000 with at most 3 decimals")]
pub struct NotACoordinate;

impl TryFrom<f64> for Coordinate {
    type Error = NotACoordinate;

    fn try_from(number: f64) -> Result<Self, NotACoordinate> {
        let thousandths = (number * 1_000.0).round();
        let is_whole = (thousandths / 1_000.0 - number).abs() < 1e-7;
        if number.abs() <= f64::from(MAX_COORDINATE) && is_whole {
            Ok(Self(thousandths as i32))
        } else {
            Err(NotACoordinate)
        }
    }
}

impl Coordinate {
    fn number(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// A number in JSON, whole where it is; its thousandths in a snapshot.
impl Serialize for Coordinate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            serializer.serialize_i32(self.0)
        } else if self.0 % 1_000 == 0 {
            serializer.serialize_i32(self.0 / 1_000)
        } else {
            serializer.serialize_f64(self.number())
        }
    }
}

impl<'de> Deserialize<'de> for Coordinate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i32::deserialize(deserializer).map(Self);
        }
        Self::try_from(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinate_is_written_as_it_was_read() {
        for text in ["0", "12", "-12", "12.5", "0.001", "-999999.999", "1000000"] {
            let read: Coordinate = serde_json::from_str(text).unwrap();
            assert_eq!((serde_json::to_string(&read).unwrap(), read.to_string()), (text.to_owned(), text.to_owned()));
        }
        assert_eq!(serde_json::from_str::<Coordinate>("12.0").unwrap(), serde_json::from_str("12").unwrap());
    }

    #[test]
    fn a_coordinate_has_its_bounds() {
        for number in [1_000_000.001, -1_000_000.001, 0.000_1, f64::NAN, f64::INFINITY] {
            assert_eq!(Coordinate::try_from(number), Err(NotACoordinate), "{number}");
        }
    }
}
