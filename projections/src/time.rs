//! Times as clients read them.

use domain::Timestamp;
use serde::{Serialize, Serializer};

/// RFC 3339 in UTC with milliseconds: `2026-12-24T10:30:00.000Z`. Past the years that have four digits, the nearest
/// instant that can be written: a read model must not stop at a time that an operator mistyped.
pub fn rfc3339(time: Timestamp) -> String {
    let nearest = if time.millis() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let shown = jiff::Timestamp::from_millisecond(time.millis()).unwrap_or(nearest);
    format!("{shown:.3}")
}

/// [`rfc3339`] for `#[serde(serialize_with = "…")]`; in a snapshot, which nobody reads, the bare time.
///
/// # Errors
/// Those of the serializer.
pub fn serialize_rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() { serializer.serialize_str(&rfc3339(*time)) } else { time.serialize(serializer) }
}

/// The same, where there is one.
///
/// # Errors
/// The serializer's.
pub fn serialize_rfc3339_if_any<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() { time.map(rfc3339).serialize(serializer) } else { time.serialize(serializer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_three_fraction_digits_and_a_z() {
        assert_eq!(rfc3339(Timestamp::from_millis(1_800_000_000_000)), "2027-01-15T08:00:00.000Z");
        assert_eq!(rfc3339(Timestamp::from_millis(1_800_000_000_070)), "2027-01-15T08:00:00.070Z");
        assert_eq!(rfc3339(Timestamp::from_millis(-1)), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn a_time_that_cannot_be_written_is_shown_as_the_nearest_that_can() {
        assert_eq!(rfc3339(Timestamp::from_millis(i64::MAX)), "9999-12-30T22:00:00.999Z");
    }
}
