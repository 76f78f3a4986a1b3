//! A coordinate of a seat on the map of a house: a decimal number with three digits after the point, exact everywhere.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest absolute value of a coordinate.
pub const MAX_COORDINATE: i32 = 1_000_000;

/// A coordinate, in thousandths. The author of the catalogue chooses the origin and the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinate(i32);

/// The error of a number that is not a coordinate.
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

/// In JSON a number, without a point if it is whole. In a snapshot its thousandths.
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
