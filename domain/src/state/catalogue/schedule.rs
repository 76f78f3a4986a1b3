//! A schedule: one performance, with its seats, its times and its prices.

use std::sync::Arc;

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::{CatalogueEvent, Seat};
use crate::limits::MAX_SEATS_PER_USER_IN_SCHEDULE;
use crate::rejection::Rejection;
use crate::state::numbered::{Number, Numbered};
use crate::values::{ConcertId, Points, SeatId, Timestamp};

/// One performance, with its seats.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Schedule {
    /// Whose performance it is.
    pub concert_id: ConcertId,
    /// Every seat.
    pub seats: Numbered<Seat>,
    /// `None` until all of its seats are there.
    pub times: Option<ScheduleTimes>,
    /// The times that it was published with: a catalogue that is imported again names them.
    pub published: Option<ScheduleTimes>,
    /// Whether the show is off.
    pub called_off: Option<CalledOff>,
    /// Seats that one user may hold or own.
    pub seats_per_user: u8,
    /// With the end of which import it becomes visible, or became so.
    pub import_id: Option<Uuid>,
    pub(super) is_visible: bool,
    /// What seats of a zone cost, where that was changed.
    prices: OrdMap<Arc<str>, Points>,
    /// The seats in the catalogue's order, until they are all there.
    pub(super) order: Vector<SeatId>,
}

/// A show is off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledOff {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: Arc<str>,
}

impl Schedule {
    /// One without seats, that nobody can see.
    pub(super) fn of(concert_id: ConcertId) -> Self {
        Self {
            concert_id,
            seats: Numbered::default(),
            times: None,
            published: None,
            called_off: None,
            seats_per_user: MAX_SEATS_PER_USER_IN_SCHEDULE as u8,
            import_id: None,
            is_visible: false,
            prices: OrdMap::new(),
            order: Vector::new(),
        }
    }

    /// What a seat costs now.
    pub fn price(&self, seat_id: SeatId) -> Option<Points> {
        self.seats.get(seat_id.get()).map(|seat| self.price_of(seat))
    }

    /// What a seat of it costs now: [`Seat::price`] is what the catalogue said at first.
    pub fn price_of(&self, seat: &Seat) -> Points {
        self.prices.get(&seat.zone).copied().unwrap_or(seat.price)
    }

    /// Its times, once people can see it.
    pub fn visible_times(&self) -> Option<&ScheduleTimes> {
        self.times.as_ref().filter(|_| self.is_visible)
    }

    /// Folds what an operator changed.
    pub(super) fn change(&mut self, event: &CatalogueEvent) {
        match event {
            CatalogueEvent::SaleWindowChanged(changed) => {
                if let Some(times) = &mut self.times {
                    (times.sale_opens_at, times.sale_closes_at) = (changed.sale_opens_at, changed.sale_closes_at);
                }
            }
            CatalogueEvent::ScheduleMoved(moved) => {
                if let Some(times) = &mut self.times {
                    times.starts_at = moved.starts_at;
                }
            }
            CatalogueEvent::PriceChanged(changed) => {
                self.prices.insert(changed.zone.as_str().into(), changed.price);
            }
            CatalogueEvent::ScheduleCancelled(cancelled) => {
                let (at, reason) = (cancelled.cancelled_at, cancelled.reason.as_str().into());
                self.called_off = Some(CalledOff { at, reason });
            }
            CatalogueEvent::ConcertPublished(_)
            | CatalogueEvent::SeatsAdded(_)
            | CatalogueEvent::SchedulePublished(_)
            | CatalogueEvent::CatalogImported(_) => {}
        }
    }
}

impl Number for Seat {
    fn number(&self) -> u64 {
        self.seat_id.get()
    }
}

/// When a schedule is sold and played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleTimes {
    /// The performance's start: until then a sale can be taken back.
    pub starts_at: Timestamp,
    /// The venue's time zone (IANA).
    pub time_zone: String,
    /// The first instant of the sale.
    pub sale_opens_at: Timestamp,
    /// The first instant after the sale.
    pub sale_closes_at: Timestamp,
}

impl ScheduleTimes {
    /// The refusal of what comes before the sale or after it.
    pub(crate) fn not_on_sale(&self) -> Rejection {
        Rejection::NotOnSale { opens_at: self.sale_opens_at, closes_at: self.sale_closes_at }
    }
}
