//! Times as people write them: with an offset, with a time zone, or as the venue's clock shows them.

use jiff::Timestamp;
use jiff::fmt::temporal::{DateTimeParser, Pieces};
use jiff::tz::{Disambiguation, OffsetConflict, TimeZone};

/// The parser. It refuses ambiguous times: a clock that is turned back shows an hour twice, and an offset may
/// contradict the zone.
static PARSER: DateTimeParser =
    DateTimeParser::new().offset_conflict(OffsetConflict::Reject).disambiguation(Disambiguation::Reject);

/// A time as it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// With an offset, or `Z`.
    Instant(Timestamp),
    /// With a zone in brackets.
    InZone(Timestamp, String),
    /// As a local clock shows it.
    Clock(jiff::civil::DateTime),
}

impl Written {
    /// Reads a time.
    ///
    /// # Errors
    /// The text is not a time, or contradicts itself.
    pub fn read(text: &str) -> Result<Self, String> {
        let unreadable = |error: jiff::Error| format!("{text:?} is not a time: {error}");
        let pieces = Pieces::parse(text).map_err(unreadable)?;
        let Some(time) = pieces.time() else { return Err(format!("{text:?} has no time of day")) };
        if pieces.time_zone_annotation().is_some() {
            let zoned = PARSER.parse_zoned_datetime(text).map_err(unreadable)?;
            let zone = zoned.time_zone().iana_name();
            let zone = zone.ok_or_else(|| format!("{text:?}: its zone has no name, as Asia/Seoul has one"))?;
            return Ok(Self::InZone(zoned.timestamp(), zone.to_owned()));
        }
        if pieces.offset().is_some() {
            return PARSER.parse_timestamp(text).map(Self::Instant).map_err(unreadable);
        }
        Ok(Self::Clock(pieces.date().to_datetime(time)))
    }

    /// The zone that the time names, if it names one.
    pub fn zone(&self) -> Option<&str> {
        match self {
            Self::InZone(_, zone) => Some(zone),
            Self::Instant(_) | Self::Clock(_) => None,
        }
    }

    /// Converts the time to an instant, with `zone` for local times.
    ///
    /// # Errors
    /// The clocks of the zone show this time twice, or never.
    pub fn at(&self, zone: &TimeZone) -> Result<Timestamp, String> {
        match self {
            Self::Instant(timestamp) | Self::InZone(timestamp, _) => Ok(*timestamp),
            Self::Clock(clock) => zone.to_ambiguous_timestamp(*clock).unambiguous().map_err(|_| {
                let zone = zone.iana_name().unwrap_or_default();
                format!("clocks in {zone} show {clock} twice, or never: write the offset as well, as in +09:00")
            }),
        }
    }
}

/// Finds the zone of this name.
///
/// # Errors
/// There is no such zone.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    let unknown = || format!("timeZone {name:?} is not known; a zone's name is like Asia/Seoul");
    TimeZone::get(name.trim()).ok().filter(|zone| zone.iana_name().is_some()).ok_or_else(unknown)
}

/// Returns the date and the time that clocks in a zone show. `None` if there is no such zone.
pub fn venue_clock(zone: &str, at: domain::Timestamp) -> Option<(String, String)> {
    let at = Timestamp::from_millisecond(at.millis()).ok()?;
    Some(shown(&self::zone(zone).ok()?, at))
}

/// Returns the date and the time that clocks in `zone` show.
pub fn shown(zone: &TimeZone, at: Timestamp) -> (String, String) {
    let shown = zone.to_datetime(at);
    (shown.strftime("%Y-%m-%d").to_string(), shown.strftime("%H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, name: &str) -> Result<String, String> {
        Ok(Written::read(text)?.at(&zone(name)?)?.to_string())
    }

    #[test]
    fn a_time_is_read_as_it_was_meant() {
        let evening = Ok("2027-07-05T00:00:00Z".to_owned());
        let written = [
            "2027-07-05T00:00:00Z",
            "2027-07-04T20:00:00-04:00",
            "2027-07-04T20:00:00-04:00[America/New_York]",
            "2027-07-04T20:00:00[America/New_York]",
            "2027-07-04T20:00:00",
            "2027-07-04 20:00",
        ];
        for text in written {
            assert_eq!(at(text, "America/New_York"), evening, "{text}");
        }
        assert_eq!(Written::read(written[2]).unwrap().zone(), Some("America/New_York"));
        assert_eq!(Written::read(written[1]).unwrap().zone(), None);
    }

    #[test]
    fn a_contradiction_is_refused() {
        for text in ["2027-07-04T20:00:00-05:00[America/New_York]", "2027-07-04T20:00:00+09:00[America/New_York]"] {
            assert!(Written::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_clock_that_is_turned_says_a_time_twice_or_never() {
        for text in ["2027-11-07T01:30:00", "2027-03-14T02:30:00"] {
            let refused = at(text, "America/New_York").unwrap_err();
            assert!(refused.contains("twice, or never"), "{refused}");
        }
        assert_eq!(at("2027-11-07T01:30:00-05:00", "America/New_York"), Ok("2027-11-07T06:30:00Z".to_owned()));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "tomorrow", "2027-07-04", "2027-13-04T20:00:00Z", "20:00", "1800000000"] {
            assert!(Written::read(text).is_err(), "{text}");
        }
        for name in ["", "Nowhere/Land", "+09:00"] {
            assert!(zone(name).is_err(), "{name}");
        }
        assert_eq!(zone("asia/seoul").unwrap().iana_name(), Some("Asia/Seoul"));
    }
}
