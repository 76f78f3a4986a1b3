//! Reservations and payments, and for how long a closed reservation is remembered.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use crate::event::Hold;
use crate::limits::{CHANGEABLE_SECONDS, EXTENSION_WINDOW_SECONDS, REMEMBERED_SECONDS};
use crate::values::{PaymentId, Points, ReservationId, ReservationStatus, SaleTime, ScheduleId, Timestamp, UserId};

/// A reservation: a hold and its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The hold: user, schedule, seats and prices.
    pub hold: Hold,
    /// The status that events have given it.
    pub status: ReservationStatus,
    /// True if its hold was extended. That is possible once.
    pub is_extended: bool,
}

impl Reservation {
    /// Makes a reservation from a new hold.
    pub fn held(hold: Hold) -> Self {
        Self { hold, status: ReservationStatus::Held, is_extended: false }
    }

    /// Folds that its hold was extended.
    pub fn extend(&mut self, hold: &Hold) {
        (self.hold.expires_at, self.is_extended) = (hold.expires_at, true);
    }

    /// The time from which the hold may be extended. `None` if it cannot be extended any more.
    pub fn extendable_from(&self) -> Option<SaleTime> {
        let may_be = self.status == ReservationStatus::Held && !self.is_extended;
        may_be.then(|| self.hold.expires_at.plus_seconds(-EXTENSION_WINDOW_SECONDS))
    }

    /// True if the hold may be extended at `now`.
    pub fn is_extendable(&self, now: SaleTime) -> bool {
        self.extendable_from().is_some_and(|from| from <= now && now < self.hold.expires_at)
    }

    /// The status at `now`. A hold past its deadline is expired, even if no event says so yet.
    pub fn status_at(&self, now: SaleTime) -> ReservationStatus {
        let overdue = self.status == ReservationStatus::Held && now >= self.hold.expires_at;
        if overdue { ReservationStatus::Expired } else { self.status }
    }
}

/// A payment of a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The number that people see.
    pub payment_id: PaymentId,
    /// The reservation that was paid.
    pub reservation_id: ReservationId,
    /// The user who paid.
    pub user_id: UserId,
    /// The amount in points.
    pub amount: Points,
    /// The balance of the wallet after the payment.
    pub balance_after: Points,
    /// The time of the payment.
    pub paid_at: Timestamp,
}

impl Payment {
    /// Makes the payment of a hold's total price.
    pub(crate) fn of(payment_id: PaymentId, hold: &Hold, balance_after: Points, paid_at: Timestamp) -> Self {
        let (reservation_id, user_id, amount) = (hold.reservation_id, hold.user_id, hold.total_price);
        Self { payment_id, reservation_id, user_id, amount, balance_after, paid_at }
    }
}

/// A reservation, with its payment if it has one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    reservation: Reservation,
    payment: Option<Payment>,
    /// The time when it was cancelled, expired or refunded. A paid reservation is closed from its schedule's start on,
    /// which is looked up.
    closed_at: Option<Timestamp>,
}

/// Every reservation that is live, was closed in the last 24 hours, or was paid for a schedule that started in the last
/// 30 days.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Reservations {
    /// Shared, since a change of a persistent map copies the neighbours of an entry.
    entries: OrdMap<ReservationId, Arc<Entry>>,
    deadlines: OrdSet<(SaleTime, ReservationId)>,
    forgettable: OrdSet<(Timestamp, ReservationId)>,
    /// Paid reservations by schedule. They are forgotten schedule by schedule, since a schedule may be moved.
    paid: OrdSet<(ScheduleId, ReservationId)>,
    forgotten_at: OrdMap<ScheduleId, Timestamp>,
    by_end: OrdSet<(Timestamp, ScheduleId)>,
    last_reservation: Option<ReservationId>,
    last_payment: Option<PaymentId>,
}

impl Reservations {
    /// Finds a reservation that its buyer can still use at `now`: a paid one until 24 hours after `starts_at`, the
    /// start of its schedule.
    pub fn visible_to_buyer(
        &self,
        id: ReservationId,
        starts_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<&Reservation> {
        let entry = self.entries.get(&id)?;
        let sold = entry.payment.as_ref().filter(|_| entry.reservation.status == ReservationStatus::Paid);
        let closed_at = match sold {
            Some(payment) => starts_at.map(|starts_at| starts_at.max(payment.paid_at)),
            None => entry.closed_at,
        };
        let is_known = closed_at.is_none_or(|closed_at| now < closed_at.plus_seconds(REMEMBERED_SECONDS));
        is_known.then_some(&entry.reservation)
    }

    /// Finds a reservation that is not forgotten. A paid one is kept until 30 days after the start of its schedule.
    pub fn get(&self, id: ReservationId) -> Option<&Reservation> {
        self.entries.get(&id).map(|entry| &entry.reservation)
    }

    /// Every reservation that is not forgotten, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Reservation> {
        self.entries.values().rev().map(|entry| &entry.reservation)
    }

    /// Finds the payment of a reservation that is not forgotten.
    pub fn payment(&self, id: ReservationId) -> Option<&Payment> {
        self.entries.get(&id)?.payment.as_ref()
    }

    /// Holds whose deadline is over at `now`, the most overdue first.
    pub fn overdue(&self, now: SaleTime) -> impl Iterator<Item = &Reservation> {
        let overdue = self.deadlines.iter().take_while(move |(deadline, _)| now >= *deadline);
        overdue.filter_map(|(_, reservation_id)| Some(&self.entries.get(reservation_id)?.reservation))
    }

    /// The number that the next hold gets.
    pub fn next_reservation_id(&self) -> ReservationId {
        self.last_reservation.map_or(ReservationId::FIRST, ReservationId::successor)
    }

    /// The number that the next payment gets.
    pub fn next_payment_id(&self) -> PaymentId {
        self.last_payment.map_or(PaymentId::FIRST, PaymentId::successor)
    }

    pub(super) fn open(&mut self, hold: &Hold) {
        let id = hold.reservation_id;
        self.last_reservation = self.last_reservation.max(Some(id));
        self.deadlines.insert((hold.expires_at, id));
        let reservation = Reservation::held(hold.clone());
        self.entries.insert(id, Arc::new(Entry { reservation, payment: None, closed_at: None }));
    }

    pub(super) fn extend(&mut self, hold: &Hold) {
        let id = hold.reservation_id;
        let Some(Entry { reservation, .. }) = self.entry_mut(id, ReservationStatus::Held) else { return };
        let before = reservation.hold.expires_at;
        reservation.extend(hold);
        self.deadlines.remove(&(before, id));
        self.deadlines.insert((hold.expires_at, id));
    }

    pub(super) fn expire(&mut self, id: ReservationId, expired_at: Timestamp) {
        self.close(id, ReservationStatus::Held, ReservationStatus::Expired, expired_at);
    }

    pub(super) fn cancel(&mut self, id: ReservationId, cancelled_at: Timestamp) {
        self.close(id, ReservationStatus::Held, ReservationStatus::Cancelled, cancelled_at);
    }

    pub(super) fn refund(&mut self, id: ReservationId, refunded_at: Timestamp) {
        self.close(id, ReservationStatus::Paid, ReservationStatus::Refunded, refunded_at);
    }

    /// Folds a payment. It is kept until 30 days after the start of its schedule.
    pub(super) fn pay(&mut self, payment: Payment, schedule_id: ScheduleId) {
        let (id, paid_at) = (payment.reservation_id, payment.paid_at);
        self.last_payment = self.last_payment.max(Some(payment.payment_id));
        let Some(entry) = self.entry_mut(id, ReservationStatus::Held) else { return };
        let expires_at = entry.reservation.hold.expires_at;
        entry.reservation.status = ReservationStatus::Paid;
        entry.payment = Some(payment);
        self.deadlines.remove(&(expires_at, id));
        if self.forgotten_at.get(&schedule_id).is_some_and(|forgotten_at| paid_at < *forgotten_at) {
            self.paid.insert((schedule_id, id));
        } else {
            // A long pause has kept this hold until after its schedule was forgotten, so it is forgotten by its own
            // time.
            self.forgettable.insert((paid_at.plus_seconds(REMEMBERED_SECONDS), id));
        }
    }

    /// Folds the start of a schedule.
    pub(super) fn set_start(&mut self, schedule_id: ScheduleId, starts_at: Timestamp) {
        let forgotten_at = starts_at.plus_seconds(CHANGEABLE_SECONDS);
        if let Some(before) = self.forgotten_at.insert(schedule_id, forgotten_at) {
            self.by_end.remove(&(before, schedule_id));
        }
        self.by_end.insert((forgotten_at, schedule_id));
    }

    fn close(&mut self, id: ReservationId, from: ReservationStatus, to: ReservationStatus, closed_at: Timestamp) {
        let Some(entry) = self.entry_mut(id, from) else { return };
        entry.reservation.status = to;
        entry.closed_at = Some(closed_at);
        let Hold { expires_at, schedule_id, .. } = entry.reservation.hold;
        let paid_at = entry.payment.as_ref().map(|payment| payment.paid_at);
        self.deadlines.remove(&(expires_at, id));
        self.paid.remove(&(schedule_id, id));
        if let Some(paid_at) = paid_at {
            self.forgettable.remove(&(paid_at.plus_seconds(REMEMBERED_SECONDS), id));
        }
        self.forgettable.insert((closed_at.plus_seconds(REMEMBERED_SECONDS), id));
    }

    /// The reservation with this number, to change it, if it has this status.
    fn entry_mut(&mut self, id: ReservationId, status: ReservationStatus) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&id).filter(|entry| entry.reservation.status == status)?;
        Some(Arc::make_mut(entry))
    }

    pub(super) fn forget(&mut self, recorded_at: Timestamp) {
        while let Some((forgotten_at, id)) = self.forgettable.get_min().copied()
            && forgotten_at <= recorded_at
        {
            self.forgettable.remove_min();
            self.entries.remove(&id);
        }
        while let Some((forgotten_at, schedule_id)) = self.by_end.get_min().copied()
            && forgotten_at <= recorded_at
        {
            self.by_end.remove_min();
            while let Some((schedule, id)) = self.paid.get_next(&(schedule_id, ReservationId::FIRST)).copied()
                && schedule == schedule_id
            {
                self.paid.remove(&(schedule, id));
                self.entries.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests;
