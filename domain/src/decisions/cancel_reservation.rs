//! Cancelling: a hold is cancelled, or a payment is refunded (`refund_reservation.rs`).

use crate::answer::Answer;
use crate::decisions::refund_reservation::refund;
use crate::event::{Cause, HoldCancelled};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{ReservationId, ReservationStatus, Timestamp};

/// Frees a reservation's seats. A second request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelReservation {
    pub reservation_id: ReservationId,
    /// True to cancel only a hold, and never refund: the user may have paid meanwhile in another window.
    pub only_hold: bool,
}

impl Decide for CancelReservation {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        let reservation = state
            .reservation(self.reservation_id, now)
            .ok_or(Rejection::ReservationNotFound { reservation_id: self.reservation_id })?;
        by.must_be(reservation.hold.user_id)?;
        match reservation.status_at(state.sale_time(now)) {
            ReservationStatus::Held => Ok(Decided::one(HoldCancelled {
                hold: reservation.hold.clone(),
                cancelled_at: now,
                cause: Cause::Buyer,
                reason: None,
            })),
            ReservationStatus::Paid | ReservationStatus::Refunded if self.only_hold => {
                Err(Rejection::ReservationNotHeld)
            }
            ReservationStatus::Paid => refund(reservation, state, now),
            ReservationStatus::Cancelled | ReservationStatus::Refunded => {
                Ok(Decided::Already(Answer::Reservation(reservation.clone())))
            }
            ReservationStatus::Expired => Err(Rejection::HoldExpired),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{HOLD_SECONDS, REMEMBERED_SECONDS};
    use crate::spec::*;

    fn cancel(id: u64) -> CancelReservation {
        CancelReservation { reservation_id: reservation_id(id), only_hold: false }
    }

    #[test]
    fn a_hold_is_given_up() {
        on_sale([admitted(ANN, 1), held(1, ANN, [1])]).when(token(ANN), cancel(1)).then([cancelled(1, ANN, [1])]);
    }

    #[test]
    fn whoever_gives_up_a_hold_only_never_takes_a_sale_back() {
        let only_hold = || CancelReservation { only_hold: true, ..cancel(1) };
        let held_first = [admitted(ANN, 1), held(1, ANN, [1])];
        on_sale(held_first.clone()).when(token(ANN), only_hold()).then([cancelled(1, ANN, [1])]);
        on_sale(held_first.clone().into_iter().chain([cancelled(1, ANN, [1])]))
            .when(token(ANN), only_hold())
            .already(cancelled(1, ANN, [1]).answer());
        let paid_for = || held_first.clone().into_iter().chain([paid(1, 1, ANN, [1], 0)]);
        on_sale(paid_for()).when(token(ANN), only_hold()).refuses(Rejection::ReservationNotHeld);
        on_sale(paid_for().chain([refunded(1, 1, ANN, [1], 100)]))
            .when(token(ANN), only_hold())
            .refuses(Rejection::ReservationNotHeld);
    }

    #[test]
    fn cancelling_again_answers_the_same() {
        on_sale([admitted(ANN, 1), held(1, ANN, [1]), cancelled(1, ANN, [1])])
            .when(token(ANN), cancel(1))
            .already(cancelled(1, ANN, [1]).answer());
    }

    #[test]
    fn a_hold_at_its_deadline_has_expired_though_no_tick_came() {
        let overdue = || on_sale([admitted(ANN, 1), held(1, ANN, [1])]);
        let late = overdue().after_seconds(HOLD_SECONDS);
        late.when(token(ANN), cancel(1)).refuses(Rejection::HoldExpired);
        let in_time = overdue().after_seconds(HOLD_SECONDS - 1);
        in_time.when(token(ANN), cancel(1)).then([cancelled(1, ANN, [1]).at_seconds(HOLD_SECONDS - 1)]);
    }

    #[test]
    fn nobody_cancels_for_another() {
        on_sale([admitted(ANN, 1), admitted(BOB, 2), held(1, ANN, [1])])
            .when(token(BOB), cancel(1))
            .refuses(Rejection::NotYours);
    }

    #[test]
    fn what_was_closed_a_day_ago_is_not_found() {
        let closed = || on_sale([granted(ANN, 1, None), held(1, ANN, [1]), cancelled(1, ANN, [1])]);
        let again = granted(ANN, 1, None).at_seconds(REMEMBERED_SECONDS - 1);
        let late = closed().after_seconds(REMEMBERED_SECONDS - 1).and([again.clone()]);
        late.when(fixed_token(ANN), cancel(1)).already(cancelled(1, ANN, [1]).answer());
        let later = closed().after_seconds(REMEMBERED_SECONDS - 1).and([again]).after_seconds(1);
        let gone = Rejection::ReservationNotFound { reservation_id: reservation_id(1) };
        later.when(fixed_token(ANN), cancel(1)).refuses(gone);
    }
}
