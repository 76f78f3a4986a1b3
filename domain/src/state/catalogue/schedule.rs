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
    /// The concert of this schedule.
    pub concert_id: ConcertId,
    /// The seats by id.
    pub seats: Numbered<Seat>,
    /// The times of the sale and the show. `None` until the schedule has all its seats.
    pub times: Option<ScheduleTimes>,
    /// The times at the publication. A catalogue that is imported again names these.
    pub published: Option<ScheduleTimes>,
    /// Set if the show was called off.
    pub called_off: Option<CalledOff>,
    /// Seats that one user may hold or own.
    pub seats_per_user: u8,
    /// The import with whose end the schedule becomes or became visible.
    pub import_id: Option<Uuid>,
    pub(super) is_visible: bool,
    /// Changed prices by zone.
    prices: OrdMap<Arc<str>, Points>,
    /// The seats in the catalogue's order. Empty after all seats are there.
    pub(super) order: Vector<SeatId>,
}

/// A call-off of a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledOff {
    /// The time of the call-off.
    pub at: Timestamp,
    /// The operator's reason.
    pub reason: Arc<str>,
}

impl Schedule {
    /// Makes a schedule without seats that is not visible.
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

    /// The current price of a seat.
    pub fn price(&self, seat_id: SeatId) -> Option<Points> {
        self.seats.get(seat_id.get()).map(|seat| self.price_of(seat))
    }

    /// The current price of a seat. [`Seat::price`] is the catalogue's first price.
    pub fn price_of(&self, seat: &Seat) -> Points {
        self.prices.get(&seat.zone).copied().unwrap_or(seat.price)
    }

    /// The times of a visible schedule. `None` while it is hidden.
    pub fn visible_times(&self) -> Option<&ScheduleTimes> {
        self.times.as_ref().filter(|_| self.is_visible)
    }

    /// Folds a change by an operator.
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

/// The times of a schedule's sale and show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleTimes {
    /// The start of the show. Until then a payment can be refunded.
    pub starts_at: Timestamp,
    /// The venue's time zone (IANA).
    pub time_zone: String,
    /// The first instant of the sale.
    pub sale_opens_at: Timestamp,
    /// The first instant after the sale.
    pub sale_closes_at: Timestamp,
}

impl ScheduleTimes {
    /// Makes the refusal of a request before or after the sale.
    pub(crate) fn not_on_sale(&self) -> Rejection {
        Rejection::NotOnSale { opens_at: self.sale_opens_at, closes_at: self.sale_closes_at }
    }
}
