//! The common part of the two commands that hold seats: the checks of user, time and number, and the event.

use crate::decisions::expire_hold;
use crate::event::{Event, Hold, PricedSeat, SeatsHeld};
use crate::limits::HOLD_SECONDS;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decided, Decision};
use crate::state::State;
use crate::state::catalogue::{Schedule, ScheduleTimes};
use crate::state::sale_clock::Pause;
use crate::values::{ConcertId, Points, ReservationId, SaleTime, ScheduleId, SeatId, Timestamp, UserId};

/// A user who may hold seats of a schedule, with that schedule.
pub(super) struct Holding<'a> {
    pub user_id: UserId,
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub state: &'a State,
    pub now: Timestamp,
    /// `now` in sale time, with which deadlines of holds and tokens are compared.
    pub sale_now: SaleTime,
    schedule: &'a Schedule,
    times: &'a ScheduleTimes,
}

/// The seats of a schedule that a user has already.
pub(super) struct Own {
    seats: usize,
    /// Overdue holds, which do not count.
    pub overdue: Vec<ReservationId>,
}

impl<'a> Holding<'a> {
    /// # Errors
    /// The user is not inside, or there is no such schedule.
    pub fn begin(
        by: &Actor,
        user_id: UserId,
        (concert_id, schedule_id): (ConcertId, ScheduleId),
        state: &'a State,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        by.must_be(user_id)?;
        let token = by.token_id().and_then(|token_id| state.room.token(token_id)).ok_or(Rejection::TokenUnknown)?;
        let sale_now = state.sale_time(now);
        if !state.room.is_active(token, now) {
            return Err(state.room.not_admitted(token, now));
        }
        let (schedule, times) = state.catalogue.on_stage(concert_id, schedule_id)?;
        Ok(Self { user_id, concert_id, schedule_id, state, now, sale_now, schedule, times })
    }

    /// Finds a seat and its price.
    ///
    /// # Errors
    /// There is no such seat.
    pub fn priced(&self, seat_id: SeatId) -> Result<PricedSeat, Rejection> {
        let price = self.schedule.price(seat_id).ok_or(Rejection::SeatNotFound { seat_id })?;
        Ok(PricedSeat { seat_id, price })
    }

    /// # Errors
    /// The show is off, the schedule is not sold at this time, or the sale is paused.
    pub fn must_be_on_sale(&self) -> Result<(), Rejection> {
        if self.schedule.called_off.is_some() {
            return Err(Rejection::ScheduleCancelled { schedule_id: self.schedule_id });
        }
        if self.now < self.times.sale_opens_at || self.now >= self.times.sale_closes_at {
            return Err(self.times.not_on_sale());
        }
        match self.state.room.sale_clock().pause(self.now) {
            Some(Pause { reason, resumes_at, .. }) => {
                Err(Rejection::SalePaused { reason: reason.to_string(), resumes_at: *resumes_at })
            }
            None => Ok(()),
        }
    }

    /// Finds the seats that the user has already.
    pub fn own(&self) -> Own {
        let mut own = Own { seats: 0, overdue: Vec::new() };
        for claim in self.state.seating.claims(self.schedule_id, self.user_id) {
            if claim.taken.is_overdue(self.sale_now) {
                own.overdue.push(claim.taken.reservation_id);
            } else {
                own.seats += claim.seat_ids.len();
            }
        }
        own
    }

    /// # Errors
    /// With `more` further seats the user would exceed the schedule's limit.
    pub fn must_stay_within(&self, own: &Own, more: usize) -> Result<(), Rejection> {
        let limit = usize::from(self.schedule.seats_per_user);
        if own.seats + more > limit { Err(Rejection::SeatLimitReached { limit }) } else { Ok(()) }
    }

    /// Makes the decision: overdue holds of these seats expire first, then the seats are held.
    pub fn hold(&self, seats: Vec<PricedSeat>, mut overdue: Vec<ReservationId>) -> Decision {
        overdue.sort_unstable();
        overdue.dedup();
        let overdue = overdue.into_iter().filter_map(|id| self.state.reservations.get(id));
        let total_price = seats
            .iter()
            .try_fold(Points::ZERO, |sum, seat| sum.checked_add(seat.price))
            .expect("prices have a limit far below 2^64 / 4");
        let held = Event::from(SeatsHeld {
            hold: Hold {
                reservation_id: self.state.reservations.next_reservation_id(),
                user_id: self.user_id,
                concert_id: self.concert_id,
                schedule_id: self.schedule_id,
                seats,
                total_price,
                held_at: self.now,
                expires_at: self.sale_now.plus_seconds(HOLD_SECONDS),
            },
        });
        Ok(Decided::Events(overdue.map(|hold| expire_hold(hold, self.now)).chain([held]).collect()))
    }
}
