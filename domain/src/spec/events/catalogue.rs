//! Makers of events of the catalogue.

use uuid::Uuid;

use super::cast::seat_id;
use crate::decisions::{PublishConcert, PublishSchedule};
use crate::event::{
    CatalogImported, ConcertPublished, Event, PriceChanged, SaleWindowChanged, ScheduleCancelled, ScheduleMoved,
    SchedulePublished, Seat, SeatsAdded,
};
use crate::limits::MAX_SEATS_PER_USER_IN_SCHEDULE;
use crate::spec::{CONCERT, PRICE, SALE_CLOSES, SCHEDULE, SEATS, STARTS, T0};
use crate::state::catalogue::ScheduleTimes;
use crate::values::Points;

/// The concert is there.
pub fn concert() -> Event {
    let (name, artist, venue) = ("Concert".to_owned(), "Artist".to_owned(), "Venue".to_owned());
    Event::from(ConcertPublished { concert_id: CONCERT, name, artist, venue })
}

/// A seat of the schedule.
pub fn seat(number: u64) -> Seat {
    let name = format!("A-{number}").into();
    let (zone, price) = ("A".into(), Points::new(PRICE));
    Seat { seat_id: seat_id(number), name, zone, price, row: None, number: None, x: None, y: None }
}

/// The same seat in a row.
pub fn seat_in_row(seat_number: u64, row: &str, number: u32) -> Seat {
    Seat { row: Some(row.into()), number: Some(number), ..seat(seat_number) }
}

/// Seats are in the schedule.
pub fn seats_added(seats: Vec<Seat>) -> Event {
    Event::from(SeatsAdded { concert_id: CONCERT, schedule_id: SCHEDULE, seats })
}

/// The schedule's times.
pub fn times() -> ScheduleTimes {
    ScheduleTimes {
        starts_at: T0.plus_seconds(STARTS),
        time_zone: "Asia/Seoul".to_owned(),
        sale_opens_at: T0,
        sale_closes_at: T0.plus_seconds(SALE_CLOSES),
    }
}

/// The concert is to be there.
pub fn publish_concert() -> PublishConcert {
    let (name, artist, venue) = ("Concert".to_owned(), "Artist".to_owned(), "Venue".to_owned());
    PublishConcert { concert_id: CONCERT, name, artist, venue }
}

/// The schedule is to be visible.
pub fn publish_schedule() -> PublishSchedule {
    PublishSchedule {
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        times: times(),
        local_date: "2026-12-24".to_owned(),
        local_time: "19:30".to_owned(),
        seats_per_user: MAX_SEATS_PER_USER_IN_SCHEDULE as u8,
        import_id: None,
    }
}

/// The schedule is visible.
pub fn schedule_published() -> Event {
    Event::from(published())
}

/// The schedule is visible; one user has so many seats of it at most.
pub fn schedule_limited(seats_per_user: u8) -> Event {
    Event::from(SchedulePublished { seats_per_user, ..published() })
}

/// The schedule will be visible with the end of this import.
pub fn schedule_imported(import_id: Uuid) -> Event {
    Event::from(SchedulePublished { import_id: Some(import_id), ..published() })
}

/// An import is complete.
pub fn catalog_imported(import_id: Uuid) -> Event {
    let import_id = Some(import_id);
    Event::from(CatalogImported { import_id, reason: None, schedules: 1, seats: SEATS, imported_at: T0 })
}

fn published() -> SchedulePublished {
    let PublishSchedule { times, local_date, local_time, seats_per_user, import_id, .. } = publish_schedule();
    SchedulePublished {
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        starts_at: times.starts_at,
        time_zone: times.time_zone,
        local_date,
        local_time,
        sale_opens_at: times.sale_opens_at,
        sale_closes_at: times.sale_closes_at,
        seats_total: SEATS,
        import_id,
        seats_per_user,
    }
}

/// The schedule's sale opens and closes so many seconds after [`T0`].
pub fn window_changed(opens: i64, closes: i64) -> Event {
    SaleWindowChanged {
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        sale_opens_at: T0.plus_seconds(opens),
        sale_closes_at: T0.plus_seconds(closes),
        reason: "the singer is ill".to_owned(),
        changed_at: T0,
    }
    .into()
}

/// The schedule starts so many seconds after [`T0`].
pub fn moved(starts: i64) -> Event {
    ScheduleMoved {
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        starts_at: T0.plus_seconds(starts),
        local_date: "2026-12-25".to_owned(),
        local_time: "20:00".to_owned(),
        reason: "the singer is ill".to_owned(),
        moved_at: T0,
    }
    .into()
}

/// Every seat costs this much.
pub fn price_changed(price: u64) -> Event {
    let (zone, price, reason) = ("A".to_owned(), Points::new(price), "a zero too many".to_owned());
    PriceChanged { concert_id: CONCERT, schedule_id: SCHEDULE, zone, price, reason, changed_at: T0 }.into()
}

/// The show is off.
pub fn called_off() -> Event {
    let reason = "the singer is ill".to_owned();
    ScheduleCancelled { concert_id: CONCERT, schedule_id: SCHEDULE, reason, cancelled_at: T0 }.into()
}
