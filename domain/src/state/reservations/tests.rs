use super::*;
use crate::limits::HOLD_SECONDS;
use crate::spec::*;
use ReservationStatus::{Cancelled, Expired, Held, Paid, Refunded};

const DAY: i64 = REMEMBERED_SECONDS;

impl Given {
    /// The status of reservation 1 at `seconds`, where it is known.
    fn status(&self, seconds: i64) -> Option<ReservationStatus> {
        let now = T0.plus_seconds(seconds);
        self.state()
            .reservation(reservation_id(1), now)
            .map(|reservation| reservation.status_at(SaleTime::from_millis(now.millis())))
    }

    /// Reservation 1 is known with that status until `seconds`, and not from then on.
    fn is_kept_until(&self, seconds: i64, status: ReservationStatus) {
        assert_eq!(self.status(seconds - 1), Some(status));
        assert_eq!(self.status(seconds), None);
    }
}

/// Reservation 1 of ANN, and what became of it.
fn held_and(seconds: i64, events: impl IntoIterator<Item = crate::event::Event>) -> Given {
    on_sale([held(1, ANN, [1])]).after_seconds(seconds).and(events)
}

#[test]
fn a_hold_has_expired_at_its_deadline_though_no_event_says_so() {
    let hold = held_and(0, []);
    assert_eq!(hold.status(HOLD_SECONDS - 1), Some(Held));
    assert_eq!(hold.status(HOLD_SECONDS), Some(Expired));
    assert_eq!(hold.status(9 * DAY), Some(Expired));
}

#[test]
fn what_was_cancelled_is_known_for_a_day() {
    held_and(60, [cancelled(1, ANN, [1]).at_seconds(60)]).is_kept_until(60 + DAY, Cancelled);
}

#[test]
fn what_has_expired_is_known_for_a_day_after_that_was_published() {
    let late = HOLD_SECONDS + 60;
    held_and(late, [hold_expired(1, ANN, [1]).at_seconds(late)]).is_kept_until(late + DAY, Expired);
}

#[test]
fn what_was_paid_is_kept_until_a_day_after_the_schedules_start() {
    held_and(60, [paid(1, 1, ANN, [1], 0).at_seconds(60)]).is_kept_until(STARTS + DAY, Paid);
}

#[test]
fn what_was_paid_after_the_start_is_known_for_a_day_from_then_on() {
    let late = STARTS + 60;
    held_and(late, [paid(1, 1, ANN, [1], 0).at_seconds(late)]).is_kept_until(late + DAY, Paid);
}

#[test]
fn what_was_refunded_is_known_for_a_day_from_then_on_with_its_payment() {
    let events = [paid(1, 1, ANN, [1], 0).at_seconds(60), refunded(1, 1, ANN, [1], PRICE).at_seconds(60)];
    let refunded = held_and(60, events);
    refunded.is_kept_until(60 + DAY, Refunded);
    let payment = refunded.state().reservations.payment(reservation_id(1));
    assert_eq!(payment.map(|payment| payment.paid_at), Some(T0.plus_seconds(60)));
}

#[test]
fn what_was_paid_is_kept_for_operators_until_thirty_days_after_the_start_wherever_that_is_moved() {
    let kept = |given: &Given| given.state().reservations.get(reservation_id(1)).is_some();
    let at = |seconds: i64, given: Given| {
        let passed = given.after_seconds(seconds - 60);
        kept(&passed.and([charged(BOB, 1, 1)]))
    };
    let sold = || held_and(60, [paid(1, 1, ANN, [1], 0).at_seconds(60)]);
    let end = STARTS + CHANGEABLE_SECONDS;
    assert!(at(end - 1, sold()) && !at(end, sold()));
    let later = || sold().and([moved(STARTS + 600)]);
    assert!(at(end + 599, later()) && !at(end + 600, later()));
    assert!(later().after_seconds(2 * end).and([charged(BOB, 1, 1)]).state().reservations.entries.is_empty());
}

#[test]
fn what_is_closed_is_dropped_by_the_first_record_after_its_time() {
    let closed = held_and(60, [cancelled(1, ANN, [1]).at_seconds(60)]);
    let kept = closed.after_seconds(DAY - 1).and([charged(BOB, 1, 1)]);
    assert_eq!(kept.status(0), Some(Cancelled));
    let dropped = kept.after_seconds(1).and([charged(BOB, 1, 2)]);
    assert_eq!(dropped.status(0), None);
    let reservations = &dropped.state().reservations;
    assert!(reservations.entries.is_empty() && reservations.deadlines.is_empty());
    assert!(reservations.forgettable.is_empty());
}

#[test]
fn a_refund_leaves_nothing_that_the_start_would_drop_again() {
    let events = [paid(1, 1, ANN, [1], 0), refunded(1, 1, ANN, [1], PRICE)];
    let once = held_and(0, events);
    assert_eq!(once.state().reservations.forgettable.len(), 1);
}

#[test]
fn a_sold_seat_stays_sold_when_its_reservation_is_forgotten() {
    let sold = held_and(60, [paid(1, 1, ANN, [1], 0).at_seconds(60)])
        .after_seconds(STARTS + CHANGEABLE_SECONDS)
        .and([charged(BOB, 1, 1)]);
    assert_eq!(sold.status(0), None);
    assert!(sold.state().seating.taken(SCHEDULE, seat_id(1)).is_some_and(|taken| taken.held_until.is_none()));
}

#[test]
fn numbers_go_on_though_all_is_forgotten() {
    let events = [paid(1, 1, ANN, [1], 0), refunded(1, 1, ANN, [1], PRICE)];
    let forgotten = held_and(0, events).after_seconds(2 * DAY).and([charged(BOB, 1, 1)]);
    let reservations = &forgotten.state().reservations;
    assert_eq!(reservations.next_reservation_id(), reservation_id(2));
    assert_eq!(reservations.next_payment_id(), PaymentId::FIRST.successor());
}

#[test]
fn the_most_overdue_holds_come_first() {
    let holds = held_and(9, [held(2, BOB, [2]).at_seconds(9)]).and([held(3, EVE, [3]).at_seconds(5)]);
    let overdue = |seconds: i64| -> Vec<u64> {
        let overdue = holds.state().reservations.overdue(SaleTime::from_millis(T0.plus_seconds(seconds).millis()));
        overdue.map(|reservation| reservation.hold.reservation_id.get()).collect()
    };
    assert!(overdue(HOLD_SECONDS - 1).is_empty());
    assert_eq!(overdue(HOLD_SECONDS), [1]);
    assert_eq!(overdue(HOLD_SECONDS + 9), [1, 3, 2]);
}

#[test]
fn a_late_expiry_does_not_end_what_was_paid() {
    let sold = held_and(0, [paid(1, 1, ANN, [1], 0), hold_expired(1, ANN, [1])]);
    assert_eq!(sold.status(HOLD_SECONDS), Some(Paid));
}
