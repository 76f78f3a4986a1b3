//! Holds, what became of them, and for how long a closed one is remembered.

use imbl::{HashMap, OrdSet};

use crate::answer::Payment;
use crate::event::Hold;
use crate::limits::REMEMBERED_SECONDS;
use crate::values::{PaymentId, ReservationId, Timestamp};

/// What became of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservationStatus {
    /// Its seats wait for the payment.
    Held,
    /// Its seats are sold.
    Paid,
    /// It was given up before it was paid.
    Cancelled,
    /// Its deadline was over before it was paid.
    Expired,
    /// It was paid, and taken back.
    Refunded,
}

/// A hold and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// What was reserved.
    pub hold: Hold,
    /// What became of it.
    pub status: ReservationStatus,
}

impl Reservation {
    /// Its status at `now`: a hold past its deadline has expired, though no event has said so.
    pub fn status_at(&self, now: Timestamp) -> ReservationStatus {
        let overdue = self.status == ReservationStatus::Held && now >= self.hold.expires_at;
        if overdue { ReservationStatus::Expired } else { self.status }
    }
}

/// A reservation with the payment that was made for it.
#[derive(Debug, Clone)]
struct Entry {
    reservation: Reservation,
    payment: Option<Payment>,
    /// When it is forgotten, once it is closed.
    forgotten_at: Option<Timestamp>,
}

/// Every reservation that is live, or was closed in the last 24 hours.
#[derive(Debug, Clone, Default)]
pub struct Reservations {
    entries: HashMap<ReservationId, Entry>,
    deadlines: OrdSet<(Timestamp, ReservationId)>,
    forgettable: OrdSet<(Timestamp, ReservationId)>,
    last_reservation: Option<ReservationId>,
    last_payment: Option<PaymentId>,
}

impl Reservations {
    /// A reservation that is not forgotten at `now`.
    pub fn get(&self, reservation_id: ReservationId, now: Timestamp) -> Option<&Reservation> {
        self.entry(reservation_id, now).map(|entry| &entry.reservation)
    }

    /// The payment of a reservation that is not forgotten at `now`.
    pub fn payment(&self, reservation_id: ReservationId, now: Timestamp) -> Option<&Payment> {
        self.entry(reservation_id, now)?.payment.as_ref()
    }

    fn entry(&self, reservation_id: ReservationId, now: Timestamp) -> Option<&Entry> {
        let entry = self.entries.get(&reservation_id)?;
        entry.forgotten_at.is_none_or(|forgotten_at| now < forgotten_at).then_some(entry)
    }

    /// Holds whose deadline is over at `now`, the most overdue first.
    pub fn overdue(&self, now: Timestamp) -> impl Iterator<Item = &Reservation> {
        self.deadlines.iter().take_while(move |(deadline, _)| now >= *deadline).map(|(_, reservation_id)| {
            &self.entries.get(reservation_id).expect("a deadline belongs to a hold").reservation
        })
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
        let reservation = Reservation { hold: hold.clone(), status: ReservationStatus::Held };
        self.entries.insert(id, Entry { reservation, payment: None, forgotten_at: None });
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

    /// A sale is closed from the schedule's start on: until then it can be taken back.
    pub(super) fn pay(&mut self, payment: Payment, starts_at: Timestamp) {
        let (id, closed_at) = (payment.reservation_id, starts_at.max(payment.paid_at));
        self.last_payment = self.last_payment.max(Some(payment.payment_id));
        self.close(id, ReservationStatus::Held, ReservationStatus::Paid, closed_at);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.payment = Some(payment);
        }
    }

    fn close(&mut self, id: ReservationId, from: ReservationStatus, to: ReservationStatus, closed_at: Timestamp) {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.reservation.status == from) else { return };
        self.deadlines.remove(&(entry.reservation.hold.expires_at, id));
        if let Some(earlier) = entry.forgotten_at {
            self.forgettable.remove(&(earlier, id));
        }
        let forgotten_at = closed_at.plus_seconds(REMEMBERED_SECONDS);
        entry.reservation.status = to;
        entry.forgotten_at = Some(forgotten_at);
        self.forgettable.insert((forgotten_at, id));
    }

    pub(super) fn forget(&mut self, recorded_at: Timestamp) {
        while let Some((forgotten_at, id)) = self.forgettable.get_min().copied()
            && forgotten_at <= recorded_at
        {
            self.forgettable.remove_min();
            self.entries.remove(&id);
        }
    }
}
