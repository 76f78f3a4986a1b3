//! The seats that are taken: by which reservation, and until when.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::changed;
use crate::event::Hold;
use crate::house::House;
use crate::values::{Points, ReservationId, SaleTime, ScheduleId, SeatId, UserId};

/// The owner of a taken seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The reservation that has the seat.
    pub reservation_id: ReservationId,
    /// The hold's deadline. `None` if the seat is sold.
    pub held_until: Option<SaleTime>,
}

impl Taken {
    /// True for a hold whose deadline is over. Its seat is free again, even if no event says so yet.
    pub fn is_overdue(&self, now: SaleTime) -> bool {
        self.held_until.is_some_and(|deadline| now >= deadline)
    }
}

/// The seats that one user has in one schedule under one reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The reservation, with its hold's deadline.
    pub taken: Taken,
    pub seat_ids: Vec<SeatId>,
}

/// Every seat that is held or sold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Seating {
    taken: OrdMap<(ScheduleId, SeatId), Taken>,
    /// Shared, since a change of a persistent map copies the neighbours of an entry.
    claims: OrdMap<(ScheduleId, UserId), Arc<Vec<Claim>>>,
    /// The free seats of each visible schedule. Seats of overdue holds are not free here.
    houses: OrdMap<ScheduleId, Arc<House>>,
}

impl Seating {
    /// The owner of a seat. A hold may be overdue.
    pub fn taken(&self, schedule_id: ScheduleId, seat_id: SeatId) -> Option<Taken> {
        self.taken.get(&(schedule_id, seat_id)).copied()
    }

    /// The taken seats of a schedule with this id and above, by id.
    pub fn taken_from(&self, schedule_id: ScheduleId, first: u64) -> impl Iterator<Item = (SeatId, Taken)> + '_ {
        let first = SeatId::try_from(first).unwrap_or(SeatId::FIRST);
        let taken = self.taken.range((schedule_id, first)..).map(|((of, seat_id), taken)| (*of, *seat_id, *taken));
        taken.take_while(move |(of, ..)| *of == schedule_id).map(|(_, seat_id, taken)| (seat_id, taken))
    }

    /// The user's seats in a schedule: held (perhaps overdue) or sold.
    pub fn claims(&self, schedule_id: ScheduleId, user_id: UserId) -> &[Claim] {
        self.claims.get(&(schedule_id, user_id)).map_or(&[], |claims| claims)
    }

    /// The free seats of a visible schedule, by row. Seats of overdue holds are not free here.
    pub fn house(&self, schedule_id: ScheduleId) -> Option<&House> {
        self.houses.get(&schedule_id).map(Arc::as_ref)
    }

    /// What everybody has in a schedule, by user.
    pub fn claims_of_all(&self, schedule_id: ScheduleId) -> impl Iterator<Item = &Claim> {
        let claims = self.claims.range((schedule_id, UserId::FIRST)..);
        let of_schedule = claims.take_while(move |((schedule, _), _)| *schedule == schedule_id);
        of_schedule.flat_map(|(_, claims)| claims.iter())
    }

    /// Every reservation that has seats of a schedule, by user.
    pub fn reservations(&self, schedule_id: ScheduleId) -> impl Iterator<Item = ReservationId> + '_ {
        self.claims_of_all(schedule_id).map(|claim| claim.taken.reservation_id)
    }

    pub(super) fn open(&mut self, schedule_id: ScheduleId, house: House) {
        self.houses.insert(schedule_id, Arc::new(house));
    }

    /// Folds a new price of a zone's free seats.
    pub(super) fn set_price(&mut self, schedule_id: ScheduleId, zone: &str, price: Points) {
        if let Some(house) = self.houses.get_mut(&schedule_id) {
            Arc::make_mut(house).set_price(zone, price);
        }
    }

    pub(super) fn hold(&mut self, hold: &Hold) {
        let taken = Taken { reservation_id: hold.reservation_id, held_until: Some(hold.expires_at) };
        self.take(hold, taken);
        if let Some(house) = self.houses.get_mut(&hold.schedule_id).map(Arc::make_mut) {
            hold.seat_ids().for_each(|seat_id| house.put(seat_id, false));
        }
        let claim = Claim { taken, seat_ids: hold.seat_ids().collect() };
        changed(&mut self.claims, (hold.schedule_id, hold.user_id), |claims| Arc::make_mut(claims).push(claim));
    }

    /// Folds a hold's new deadline.
    pub(super) fn extend(&mut self, hold: &Hold) {
        self.change(hold, Some(hold.expires_at));
    }

    pub(super) fn sell(&mut self, hold: &Hold) {
        self.change(hold, None);
    }

    fn change(&mut self, hold: &Hold, held_until: Option<SaleTime>) {
        let taken = Taken { reservation_id: hold.reservation_id, held_until };
        self.take(hold, taken);
        let claims = self.claims.get_mut(&(hold.schedule_id, hold.user_id)).map(Arc::make_mut);
        for claim in claims.into_iter().flatten() {
            if claim.taken.reservation_id == hold.reservation_id {
                claim.taken = taken;
            }
        }
    }

    fn take(&mut self, hold: &Hold, taken: Taken) {
        for seat_id in hold.seat_ids() {
            self.taken.insert((hold.schedule_id, seat_id), taken);
        }
    }

    /// Frees those of the seats that the reservation still has.
    pub(super) fn free(&mut self, hold: &Hold) {
        let mut house = self.houses.get_mut(&hold.schedule_id).map(Arc::make_mut);
        for seat_id in hold.seat_ids() {
            let seat = (hold.schedule_id, seat_id);
            if self.taken.get(&seat).is_some_and(|taken| taken.reservation_id == hold.reservation_id) {
                self.taken.remove(&seat);
                house.iter_mut().for_each(|house| house.put(seat_id, true));
            }
        }
        let owner = (hold.schedule_id, hold.user_id);
        if let Some(mut claims) = self.claims.remove(&owner) {
            Arc::make_mut(&mut claims).retain(|claim| claim.taken.reservation_id != hold.reservation_id);
            if !claims.is_empty() {
                self.claims.insert(owner, claims);
            }
        }
    }
}
