//! Adding seats to a schedule that is not yet published.

use crate::answer::Answer;
use crate::event::{Event, Seat, SeatsAdded};
use crate::limits::{MAX_DATA_BYTES, MAX_SEAT_NAME_BYTES, MAX_SEAT_PRICE, MAX_SEATS_PER_EVENT};
use crate::name::{is_name, not_a_name};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{ConcertId, ScheduleId, Timestamp};

/// Adds at most 1,000 seats. Seats that exist with the same members are skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddSeats {
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub seats: Vec<Seat>,
}

impl Decide for AddSeats {
    fn decide(&self, _: &Actor, state: &State, _: Timestamp) -> Decision {
        let conflict = |reason: String| Err(Rejection::CatalogueConflict { reason });
        let Self { concert_id, schedule_id, seats } = self;
        if !state.catalogue.concerts().contains_key(concert_id) {
            return Err(Rejection::ConcertNotFound { concert_id: *concert_id });
        }
        if seats.len() > MAX_SEATS_PER_EVENT {
            return conflict(format!("{} seats at once; at most {MAX_SEATS_PER_EVENT} are added", seats.len()));
        }
        let schedule = state.catalogue.schedules().get(schedule_id);
        if let Some(other) = schedule.filter(|schedule| schedule.concert_id != *concert_id) {
            return conflict(format!("schedule {schedule_id} belongs to concert {}", other.concert_id));
        }
        let mut added = Vec::with_capacity(seats.len());
        for seat in seats {
            match schedule.and_then(|schedule| schedule.seats.get(seat.seat_id.get())) {
                Some(there) if there == seat => {}
                Some(there) => return conflict(difference(*schedule_id, seat, there)),
                None => added.push(checked(seat)?.clone()),
            }
        }
        if added.is_empty() {
            return Ok(Decided::Already(Answer::Done));
        }
        if schedule.is_some_and(|schedule| schedule.times.is_some()) {
            return conflict(format!("schedule {schedule_id} is published, and its seats cannot change"));
        }
        let distinct: std::collections::BTreeSet<_> = added.iter().map(|seat| seat.seat_id).collect();
        if distinct.len() < added.len() {
            return conflict(format!("a seat of schedule {schedule_id} is named twice"));
        }
        let added = Event::from(SeatsAdded { concert_id: *concert_id, schedule_id: *schedule_id, seats: added });
        if added.encode().len() > MAX_DATA_BYTES {
            return conflict(format!("the seats and their names have more than {MAX_DATA_BYTES} bytes"));
        }
        Ok(Decided::one(added))
    }
}

/// Describes the members that differ, with both values.
fn difference(schedule_id: ScheduleId, asked: &Seat, there: &Seat) -> String {
    let known = |text: &Option<std::sync::Arc<str>>| text.as_deref().unwrap_or("none").to_owned();
    let number = |number: Option<u32>| number.map_or_else(|| "none".to_owned(), |number| number.to_string());
    let members = |seat: &Seat| {
        let Seat { name, zone, price, row, number: of_row, .. } = seat;
        [name.to_string(), zone.to_string(), price.get().to_string(), known(row), number(*of_row)]
    };
    let names = ["name", "zone", "price", "row", "number"];
    let pairs = names.iter().zip(members(asked).into_iter().zip(members(there)));
    let differs = pairs.filter(|(_, (asked, there))| asked != there);
    let said: Vec<String> =
        differs.map(|(name, (asked, there))| format!("{name} {asked:?} is asked for, the log has {there:?}")).collect();
    format!("seat {} of schedule {schedule_id} differs: {}", asked.seat_id, said.join("; "))
}

/// Checks one seat.
fn checked(seat: &Seat) -> Result<&Seat, Rejection> {
    let texts = [Some(&seat.name), Some(&seat.zone), seat.row.as_ref()];
    let mut texts = texts.into_iter().flatten();
    if let Some(text) = texts.find(|text| !is_name(text, MAX_SEAT_NAME_BYTES)) {
        return Err(Rejection::CatalogueConflict { reason: not_a_name(text, MAX_SEAT_NAME_BYTES) });
    }
    if seat.price > MAX_SEAT_PRICE {
        let reason = format!("seat {} costs more than {}", seat.seat_id, MAX_SEAT_PRICE.get());
        return Err(Rejection::CatalogueConflict { reason });
    }
    if seat.x.is_some() != seat.y.is_some() {
        return Err(Rejection::CatalogueConflict { reason: format!("seat {} has only one of x and y", seat.seat_id) });
    }
    Ok(seat)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::event::ConcertPublished;
    use crate::spec::*;
    use crate::values::Points;

    fn add(seats: Vec<Seat>) -> AddSeats {
        AddSeats { concert_id: CONCERT, schedule_id: SCHEDULE, seats }
    }

    fn decided(before: Given, seats: Vec<Seat>) -> Decision {
        before.when(Credential::OPERATOR, add(seats)).decided()
    }

    fn rows(count: u64) -> Vec<Seat> {
        (1..=count).map(seat).collect()
    }

    #[test]
    fn seats_are_added_once() {
        let before = || given([concert(), seats_added(rows(2))]);
        before().when(Credential::OPERATOR, add(rows(3))).then([seats_added(vec![seat(3)])]);
        before().when(Credential::OPERATOR, add(rows(2))).already(Answer::Done);
    }

    #[test]
    fn a_seat_is_not_changed() {
        let dearer = Seat { price: Points::new(PRICE + 1), ..seat(1) };
        assert!(decided(given([concert(), seats_added(rows(2))]), vec![dearer]).is_err());
    }

    #[test]
    fn a_published_schedule_keeps_its_seats() {
        assert!(decided(on_sale([]), vec![seat(SEATS + 1)]).is_err());
        assert_eq!(decided(on_sale([]), rows(SEATS)), Ok(Decided::Already(Answer::Done)));
    }

    #[test]
    fn a_schedule_stays_with_its_concert() {
        let other = ConcertId::try_from(2).unwrap();
        let published = Event::from(ConcertPublished {
            concert_id: other,
            name: "Other".to_owned(),
            artist: String::new(),
            venue: String::new(),
        });
        let stolen = AddSeats { concert_id: other, ..add(vec![seat(3)]) };
        let before = given([concert(), published, seats_added(rows(2))]);
        assert!(before.when(Credential::OPERATOR, stolen).decided().is_err());
    }

    #[test]
    fn a_seat_named_twice_is_refused() {
        assert!(decided(given([concert()]), vec![seat(1), seat(1)]).is_err());
    }

    #[test]
    fn a_thousand_seats_are_the_limit_of_one_event() {
        assert!(decided(given([concert()]), rows(1_000)).is_ok());
        assert!(decided(given([concert()]), rows(1_001)).is_err());
    }

    #[test]
    fn an_event_fits_a_record_however_long_its_names_are() {
        let named = |number: u64| Seat {
            name: "\"".repeat(MAX_SEAT_NAME_BYTES).into(),
            zone: "\"".repeat(MAX_SEAT_NAME_BYTES).into(),
            ..seat(number)
        };
        let encoded = |count: u64| {
            let seats = (1..=count).map(named).collect();
            Event::from(SeatsAdded { concert_id: CONCERT, schedule_id: SCHEDULE, seats }).encode().len()
        };
        let fit = (1..=1_000).take_while(|count| encoded(*count) <= MAX_DATA_BYTES).last().unwrap();
        assert!(decided(given([concert()]), (1..=fit).map(named).collect()).is_ok());
        assert!(decided(given([concert()]), (1..=fit + 1).map(named).collect()).is_err());
    }

    #[test]
    fn names_and_prices_have_limits() {
        let named = |name: String| vec![Seat { name: name.into(), ..seat(1) }];
        assert!(decided(given([concert()]), named("x".repeat(MAX_SEAT_NAME_BYTES))).is_ok());
        assert!(decided(given([concert()]), named("x".repeat(MAX_SEAT_NAME_BYTES + 1))).is_err());
        assert!(decided(given([concert()]), named(String::new())).is_err());
        assert!(decided(given([concert()]), named("a\nb".to_owned())).is_err());
        let priced = |price: u64| vec![Seat { price: Points::new(price), ..seat(1) }];
        assert!(decided(given([concert()]), priced(MAX_SEAT_PRICE.get())).is_ok());
        assert!(decided(given([concert()]), priced(MAX_SEAT_PRICE.get() + 1)).is_err());
    }

    #[test]
    fn a_concert_comes_before_its_seats() {
        let unknown = Rejection::ConcertNotFound { concert_id: CONCERT };
        assert_eq!(decided(given([]), vec![seat(1)]), Err(unknown));
    }
}
