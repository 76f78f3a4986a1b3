//! Parses a schedule of a file.

use domain::limits::MAX_SEATS_PER_USER_IN_SCHEDULE;
use domain::{ScheduleId, Timestamp};
use projections::rfc3339;

use super::seats;
use super::{Faults, ListedSchedule, ScheduleEntry};
use crate::catalog::file::DEFAULT_TIME_ZONE;
use crate::catalog::times::{self, Written};

/// The times of a schedule's sale and show.
struct Times {
    starts_at: Timestamp,
    time_zone: String,
    local: (String, String),
    sale_opens_at: Option<Timestamp>,
    sale_closes_at: Option<Timestamp>,
}

/// Parses a schedule. `seats_so_far` counts the seats of the whole file.
pub fn read(
    place: &str,
    id: Option<ScheduleId>,
    entry: ScheduleEntry,
    seats_so_far: &mut usize,
    faults: &mut Faults,
) -> Option<ListedSchedule> {
    let times = faults.or_add(place, times(&entry));
    let seats_per_user = entry.seats_per_user.map(|seats| faults.or_add(place, per_user(seats)));
    let seats = seats::read(place, &entry, seats_so_far, faults);
    let Times { starts_at, time_zone, local, sale_opens_at, sale_closes_at } = times?;
    let seats_per_user = match seats_per_user {
        Some(read) => Some(read?),
        None => None,
    };
    Some(ListedSchedule {
        place: place.to_owned(),
        id,
        starts_at,
        time_zone,
        local,
        sale_opens_at,
        sale_closes_at,
        seats_per_user,
        seats: seats?,
    })
}

fn per_user(seats: u64) -> Result<u8, String> {
    let fits = |seats: &u8| (1..=MAX_SEATS_PER_USER_IN_SCHEDULE).contains(&usize::from(*seats));
    let read = u8::try_from(seats).ok().filter(fits);
    read.ok_or_else(|| format!("seatsPerUser {seats}: it must be from 1 to {MAX_SEATS_PER_USER_IN_SCHEDULE}"))
}

fn times(entry: &ScheduleEntry) -> Result<Times, String> {
    let written = |member: &str, text: &str| Written::read(text).map_err(|reason| format!("{member} {reason}"));
    let starts = written("startsAt", &entry.starts_at)?;
    let zone = match (&entry.time_zone, starts.zone()) {
        (Some(name), named) => {
            let zone = times::zone(name)?;
            if let Some(named) = named.filter(|named| zone.iana_name() != Some(*named)) {
                return Err(format!("startsAt names the zone {named}, and timeZone {name}: only one of them is right"));
            }
            zone
        }
        (None, named) => times::zone(named.unwrap_or(DEFAULT_TIME_ZONE))?,
    };
    let at = |member: &str, written: Written| {
        let at = written.at(&zone).map_err(|reason| format!("{member} {reason}"))?;
        Ok::<_, String>(Timestamp::from_millis(at.as_millisecond()))
    };
    let optional = |member: &str, text: &Option<String>| {
        text.as_deref().map(|text| written(member, text).and_then(|written| at(member, written))).transpose()
    };
    let start = starts.at(&zone).map_err(|reason| format!("startsAt {reason}"))?;
    let starts_at = Timestamp::from_millis(start.as_millisecond());
    let sale_opens_at = optional("saleOpensAt", &entry.sale_opens_at)?;
    let sale_closes_at = optional("saleClosesAt", &entry.sale_closes_at)?;
    check_window(starts_at, sale_opens_at, sale_closes_at)?;
    Ok(Times {
        starts_at,
        time_zone: zone.iana_name().expect("only zones with a name are taken").to_owned(),
        local: times::shown(&zone, start),
        sale_opens_at,
        sale_closes_at,
    })
}

/// Checks that a sale opens before it closes, and closes at the start of the show at the latest.
fn check_window(
    starts_at: Timestamp,
    sale_opens_at: Option<Timestamp>,
    sale_closes_at: Option<Timestamp>,
) -> Result<(), String> {
    let starts = rfc3339(starts_at);
    if let Some(opens_at) = sale_opens_at.filter(|opens_at| *opens_at >= starts_at) {
        return Err(format!(
            "the sale opens when the show has started: saleOpensAt is {}, startsAt {starts}",
            rfc3339(opens_at)
        ));
    }
    let Some(closes_at) = sale_closes_at else { return Ok(()) };
    let closes = rfc3339(closes_at);
    if closes_at > starts_at {
        return Err(format!("the sale closes after the show has started: saleClosesAt is {closes}, startsAt {starts}"));
    }
    match sale_opens_at.filter(|opens_at| *opens_at >= closes_at) {
        Some(opens_at) => {
            Err(format!("the sale closes before it opens: saleOpensAt is {}, saleClosesAt {closes}", rfc3339(opens_at)))
        }
        None => Ok(()),
    }
}
