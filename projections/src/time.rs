//! Times as clients read them.

use domain::Timestamp;
use serde::{Serialize, Serializer};

/// RFC 3339 in UTC with milliseconds: `2026-12-24T10:30:00.000Z`. For a year with more than four digits it writes the
/// nearest possible time: a typing error by an operator must not stop a read model.
pub fn rfc3339(time: Timestamp) -> String {
    let nearest = if time.millis() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let shown = jiff::Timestamp::from_millisecond(time.millis()).unwrap_or(nearest);
    format!("{shown:.3}")
}

/// [`rfc3339`] for `#[serde(serialize_with = "…")]`. In a snapshot the time is a number.
///
/// # Errors
/// The serializer fails.
pub fn serialize_rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() { serializer.serialize_str(&rfc3339(*time)) } else { time.serialize(serializer) }
}

/// [`serialize_rfc3339`] for an optional time.
///
/// # Errors
/// The serializer fails.
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
