//! Times as clients read them.

use domain::Timestamp;
use serde::Serializer;

/// RFC 3339 in UTC with milliseconds: `2026-12-24T10:30:00.000Z`. What lies beyond the years that RFC 3339 can name is
/// shown as the last, or the first, instant that it can.
pub fn rfc3339(time: Timestamp) -> String {
    let (first, last) = (jiff::Timestamp::MIN.as_millisecond(), jiff::Timestamp::MAX.as_millisecond());
    let shown = jiff::Timestamp::from_millisecond(time.millis().clamp(first, last)).expect("it was brought in range");
    format!("{shown:.3}")
}

/// [`rfc3339`] for `#[serde(serialize_with = "…")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize_rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
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
    fn a_time_that_has_no_name_is_shown_as_the_last_that_has() {
        assert_eq!(rfc3339(Timestamp::from_millis(i64::MAX)), "9999-12-30T22:00:00.999Z");
    }
}
