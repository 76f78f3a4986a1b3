//! Cancelling for a buyer: an operator cancels a hold or refunds a payment, until 30 days after the show's start.
//!
//! Rejections: [`Rejection::ReservationNotFound`], [`Rejection::HoldExpired`].

use crate::answer::Answer;
use crate::decisions::refund_reservation::refund_event;
use crate::event::{Cause, HoldCancelled};
use crate::limits::CHANGEABLE_SECONDS;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{ReservationId, ReservationStatus, Timestamp};

/// Frees a reservation's seats, and refunds what was paid. A second request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelForBuyer {
    pub reservation_id: ReservationId,
    pub reason: String,
}

impl Decide for CancelForBuyer {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let not_found = Rejection::ReservationNotFound { reservation_id: self.reservation_id };
        let reservation = state.reservations.get(self.reservation_id).ok_or_else(|| not_found.clone())?;
        let (hold, reason) = (&reservation.hold, Some(self.reason.clone()));
        match reservation.status_at(state.sale_time(now)) {
            ReservationStatus::Held => Ok(Decided::one(HoldCancelled {
                hold: hold.clone(),
                cancelled_at: now,
                cause: Cause::Operator,
                reason,
            })),
            ReservationStatus::Paid => {
                let starts_at = state.catalogue.starts_at(hold.schedule_id);
                if starts_at.is_none_or(|starts_at| now >= starts_at.plus_seconds(CHANGEABLE_SECONDS)) {
                    return Err(not_found);
                }
                let balance = state.wallets.balance(hold.user_id);
                Ok(Decided::one(refund_event(reservation, state, balance, Cause::Operator, reason, now)))
            }
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
    use crate::command::Credential;
    use crate::decisions::CancelReservation;
    use crate::limits::{HOLD_SECONDS, REMEMBERED_SECONDS};
    use crate::spec::*;

    fn cancel() -> CancelForBuyer {
        CancelForBuyer { reservation_id: reservation_id(1), reason: "asked by telephone".to_owned() }
    }

    fn for_buyer(event: crate::event::Event) -> crate::event::Event {
        event.by_operator("asked by telephone")
    }

    #[test]
    fn a_hold_is_given_up_for_its_buyer() {
        on_sale([held(1, ANN, [1])]).when(Credential::OPERATOR, cancel()).then([for_buyer(cancelled(1, ANN, [1]))]);
        let overdue = on_sale([held(1, ANN, [1])]).after_seconds(HOLD_SECONDS);
        overdue.when(Credential::OPERATOR, cancel()).refuses(Rejection::HoldExpired);
    }

    #[test]
    fn a_sale_is_taken_back_until_thirty_days_after_the_start_and_by_its_buyer_only_until_the_start() {
        let sold = |seconds| {
            on_sale([held(1, ANN, [1]), paid(1, 1, ANN, [1], 0)])
                .after_seconds(seconds)
                .and([charged(BOB, 1, 1).at_seconds(seconds)])
        };
        let last = STARTS + CHANGEABLE_SECONDS - 1;
        sold(last)
            .when(Credential::OPERATOR, cancel())
            .then([for_buyer(refunded(1, 1, ANN, [1], PRICE)).at_seconds(last)]);
        let gone = || Rejection::ReservationNotFound { reservation_id: reservation_id(1) };
        sold(last + 1).when(Credential::OPERATOR, cancel()).refuses(gone());
        let buyer = || CancelReservation { reservation_id: reservation_id(1), only_hold: false };
        sold(STARTS).when(user(ANN), buyer()).refuses(times().not_on_sale());
        sold(STARTS + REMEMBERED_SECONDS).when(user(ANN), buyer()).refuses(gone());
    }

    #[test]
    fn cancelling_again_answers_the_same() {
        let back = || for_buyer(refunded(1, 1, ANN, [1], PRICE));
        on_sale([held(1, ANN, [1]), paid(1, 1, ANN, [1], 0), back()])
            .when(Credential::OPERATOR, cancel())
            .already(back().answer());
    }
}
