//! The books of seats: the reservation of each seat, and the end of every hold.

use std::collections::HashMap;

use domain::limits::{
    CHANGEABLE_SECONDS, EXTENSION_SECONDS, EXTENSION_WINDOW_SECONDS, HOLD_SECONDS, MAX_SEATS_PER_RESERVATION,
};
use domain::{
    Cause, Event, Hold, HoldCancelled, HoldExpired, HoldExtended, PaymentId, ReservationId, ReservationPaid,
    ReservationRefunded, SaleEvent, SaleTime, ScheduleId, SeatsHeld, UserId,
};

use super::catalogue::CatalogueCheck;
use super::{Findings, Now, Proof};

/// A reservation with seats: held, or sold by this payment.
#[derive(Debug)]
struct Live {
    hold: Hold,
    payment_id: Option<PaymentId>,
    is_extended: bool,
}

#[derive(Debug, Default)]
pub struct SeatsCheck {
    catalogue: CatalogueCheck,
    live: HashMap<ReservationId, Live>,
    /// How many seats a user holds or owns in a schedule.
    of_user: HashMap<(ScheduleId, UserId), usize>,
    last_reservation: u64,
    last_payment: u64,
}

impl SeatsCheck {
    pub fn check(&mut self, event: &Event, now: Now, findings: &mut Findings) {
        match event {
            Event::Catalogue(event) => self.catalogue.check(event, now, findings),
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => self.hold(hold, now, findings),
            Event::Sale(SaleEvent::HoldExtended(HoldExtended { hold, .. })) => self.extend(hold, now.sale, findings),
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. })) => {
                findings.holds(Proof::PaymentsHaveHolds, now.sale >= hold.expires_at, || {
                    format!("reservation {} expired before its deadline", hold.reservation_id)
                });
                self.end(hold, None, findings);
            }
            Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, cause, .. })) => {
                in_time(hold, now, "cancelled", findings);
                self.has_cause(hold, *cause, findings);
                self.end(hold, None, findings);
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { payment_id, hold, .. })) => {
                in_time(hold, now, "paid", findings);
                findings.holds(Proof::PaymentsHaveHolds, !self.catalogue.is_off(hold.schedule_id), || {
                    format!("reservation {} was paid after its show was called off", hold.reservation_id)
                });
                self.pay(*payment_id, hold, findings);
            }
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { payment_id, hold, cause, .. })) => {
                let starts_at = self.catalogue.times(hold.schedule_id).map(|times| times.starts_at);
                let in_time = starts_at.is_some_and(|starts_at| match cause {
                    Cause::Buyer => now.clock < starts_at,
                    Cause::Operator => now.clock < starts_at.plus_seconds(CHANGEABLE_SECONDS),
                    Cause::ScheduleCancelled => true,
                });
                findings.holds(Proof::PaymentsHaveHolds, in_time, || {
                    format!("reservation {} was refunded after the start", hold.reservation_id)
                });
                self.has_cause(hold, *cause, findings);
                self.end(hold, Some(*payment_id), findings);
            }
            Event::Log(_) | Event::Room(_) | Event::Opening(_) | Event::Users(_) | Event::Points(_) => {}
        }
    }

    /// Checks an extension: once, in the last two minutes of a hold, by five minutes.
    fn extend(&mut self, hold: &Hold, now: SaleTime, findings: &mut Findings) {
        let live = self.live.get_mut(&hold.reservation_id).filter(|live| live.payment_id.is_none());
        let mut capped = |is_so, reason: &str| {
            findings.holds(Proof::NoCapPassed, is_so, || format!("reservation {} {reason}", hold.reservation_id));
        };
        let Some(live) = live else { return capped(false, "was extended, and is not a hold") };
        let before = std::mem::replace(&mut live.hold, hold.clone());
        let expires_at = before.expires_at;
        let longer = Hold { expires_at: expires_at.plus_seconds(EXTENSION_SECONDS), ..before };
        capped(*hold == longer, "was not extended by exactly five minutes, or was changed in another way");
        let first = expires_at.plus_seconds(-EXTENSION_WINDOW_SECONDS);
        capped(first <= now && now < expires_at, "was extended outside its last two minutes");
        capped(!std::mem::replace(&mut live.is_extended, true), "was extended twice");
    }

    /// Checks that a reservation ended by a call-off is of a schedule that was called off.
    fn has_cause(&self, hold: &Hold, cause: Cause, findings: &mut Findings) {
        let is_so = cause != Cause::ScheduleCancelled || self.catalogue.is_off(hold.schedule_id);
        findings.holds(Proof::PaymentsHaveHolds, is_so, || {
            format!("reservation {} was ended for a show that was not called off", hold.reservation_id)
        });
    }

    fn hold(&mut self, hold: &Hold, now: Now, findings: &mut Findings) {
        let (id, schedule_id, user_id) = (hold.reservation_id, hold.schedule_id, hold.user_id);
        findings.holds(Proof::NumbersAreConsecutive, id.get() == self.last_reservation + 1, || {
            format!("reservation {id} follows reservation {}", self.last_reservation)
        });
        self.last_reservation = self.last_reservation.max(id.get());
        let is_on_sale = self.catalogue.is_on_sale(schedule_id, now.clock);
        findings
            .holds(Proof::CatalogueChangesAreSaid, is_on_sale, || format!("schedule {schedule_id} was not on sale"));

        let mut total = 0;
        for seat in &hold.seats {
            let mut entry = self.catalogue.seat(hold, seat.seat_id);
            let price = entry.as_ref().map(|entry| entry.price);
            findings.holds(Proof::CatalogueChangesAreSaid, price == Some(seat.price.get()), || {
                format!("seat {} of schedule {schedule_id} was held for {}", seat.seat_id, seat.price.get())
            });
            let owner = entry.as_mut().and_then(|entry| entry.owner.replace(id));
            findings.holds(Proof::NoSeatSoldTwice, owner.is_none(), || {
                let owner = owner.map_or(0, ReservationId::get);
                format!("seat {} of schedule {schedule_id} was held by reservation {id}; {owner} has it", seat.seat_id)
            });
            total += seat.price.get();
        }
        let sums_up = (total, now.sale.plus_seconds(HOLD_SECONDS)) == (hold.total_price.get(), hold.expires_at);
        findings.holds(Proof::NoCapPassed, sums_up, || format!("reservation {id} has another price or length"));
        let seats = hold.seats.len();
        let own = self.of_user.entry((schedule_id, user_id)).or_default();
        *own += seats;
        let is_within =
            (1..=MAX_SEATS_PER_RESERVATION).contains(&seats) && *own <= self.catalogue.seats_per_user(schedule_id);
        findings.holds(Proof::NoCapPassed, is_within, || {
            format!("user {user_id} has {own} seats of schedule {schedule_id}, {seats} of them from one reservation")
        });
        self.live.insert(id, Live { hold: hold.clone(), payment_id: None, is_extended: false });
    }

    fn pay(&mut self, payment_id: PaymentId, hold: &Hold, findings: &mut Findings) {
        findings.holds(Proof::NumbersAreConsecutive, payment_id.get() == self.last_payment + 1, || {
            format!("payment {payment_id} follows payment {}", self.last_payment)
        });
        self.last_payment = self.last_payment.max(payment_id.get());
        let id = hold.reservation_id;
        let live = self.live.get_mut(&id);
        let is_held = live.as_ref().is_some_and(|live| live.payment_id.is_none() && live.hold == *hold);
        findings.holds(Proof::PaymentsHaveHolds, is_held, || format!("payment {payment_id} does not fit hold {id}"));
        if let Some(live) = live {
            live.payment_id = Some(payment_id);
        }
        for seat_id in hold.seat_ids() {
            let owner = self.catalogue.seat(hold, seat_id).and_then(|seat| seat.owner);
            findings.holds(Proof::NoSeatSoldTwice, owner == Some(id), || {
                format!("seat {seat_id} of schedule {} was sold to reservation {id}, which lacks it", hold.schedule_id)
            });
        }
    }

    /// Enters the end of a hold without a payment, or of a sale by `payment_id`: its seats are free again.
    fn end(&mut self, hold: &Hold, payment_id: Option<PaymentId>, findings: &mut Findings) {
        let id = hold.reservation_id;
        let live = self.live.remove(&id);
        let fits = live.as_ref().is_some_and(|live| live.payment_id == payment_id && live.hold == *hold);
        findings.holds(Proof::PaymentsHaveHolds, fits, || match payment_id {
            Some(payment_id) => format!("the refund of reservation {id} does not fit payment {payment_id}"),
            None => format!("reservation {id} ended, and the event does not fit its hold"),
        });
        let Some(Live { hold, .. }) = live else { return };
        if let Some(own) = self.of_user.get_mut(&(hold.schedule_id, hold.user_id)) {
            *own = own.saturating_sub(hold.seats.len());
        }
        for seat_id in hold.seat_ids() {
            let entry = self.catalogue.seat(&hold, seat_id);
            if let Some(entry) = entry.filter(|entry| entry.owner == Some(id)) {
                entry.owner = None;
            }
        }
    }

    /// The number of free seats of each published schedule.
    pub fn available(&self) -> impl Iterator<Item = (ScheduleId, u64)> {
        self.catalogue.available()
    }
}

fn in_time(hold: &Hold, now: Now, done: &str, findings: &mut Findings) {
    findings.holds(Proof::PaymentsHaveHolds, now.sale < hold.expires_at, || {
        format!("reservation {} was {done} after its deadline", hold.reservation_id)
    });
}
