//! Paying: one event spends the points, sells the seats, and frees the user's slot in the room.

use crate::answer::Answer;
use crate::event::ReservationPaid;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{Points, ReservationId, ReservationStatus, RoomId, Timestamp, UserId};

/// Pays a hold in full. A second request gets the first payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayReservation {
    pub reservation_id: ReservationId,
    pub user_id: UserId,
    pub amount: Points,
}

impl Decide for PayReservation {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        by.must_be(self.user_id)?;
        let reservation = state
            .reservation(self.reservation_id, now)
            .ok_or(Rejection::ReservationNotFound { reservation_id: self.reservation_id })?;
        let hold = &reservation.hold;
        by.must_be(hold.user_id)?;
        match reservation.status_at(state.sale_time(now)) {
            ReservationStatus::Held | ReservationStatus::Paid => {}
            ReservationStatus::Expired => return Err(Rejection::HoldExpired),
            status @ (ReservationStatus::Cancelled | ReservationStatus::Refunded) => {
                return Err(Rejection::ReservationNotPayable { status });
            }
        }
        if self.amount != hold.total_price {
            return Err(Rejection::AmountMismatch { required: hold.total_price });
        }
        if let Some(payment) = state.reservations.payment(self.reservation_id) {
            return Ok(Decided::Already(Answer::Payment(payment.clone())));
        }
        if state.catalogue.is_called_off(hold.schedule_id) {
            return Err(Rejection::ScheduleCancelled { schedule_id: hold.schedule_id });
        }
        let balance = state.wallets.balance(self.user_id);
        let balance_after = balance
            .checked_sub(hold.total_price)
            .ok_or(Rejection::InsufficientPoints { balance, required: hold.total_price })?;
        let active = state.room.in_room(self.user_id).filter(|token| state.room.is_active(token, now));
        Ok(Decided::one(ReservationPaid {
            payment_id: state.reservations.next_payment_id(),
            hold: hold.clone(),
            balance_after,
            room_id: RoomId::FIRST,
            finished_token_id: active.map(|token| token.token_id),
            paid_at: now,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{ACTIVE_SECONDS, HOLD_SECONDS};
    use crate::spec::*;

    fn pay(id: u64, user_id: UserId, amount: u64) -> PayReservation {
        PayReservation { reservation_id: reservation_id(id), user_id, amount: Points::new(amount) }
    }

    #[test]
    fn a_hold_is_paid_and_the_slot_given_on() {
        on_sale([admitted(ANN, 1), charged(ANN, PRICE + 1, PRICE + 1), held(1, ANN, [1])])
            .when(token(ANN), pay(1, ANN, PRICE))
            .then([paid(1, 1, ANN, [1], 1).finishing(1)]);
    }

    #[test]
    fn paying_again_is_the_same_payment_and_no_event() {
        on_sale([
            admitted(ANN, 1),
            charged(ANN, PRICE, PRICE),
            held(1, ANN, [1]),
            paid(1, 1, ANN, [1], 0).finishing(1),
        ])
        .when(token(ANN), pay(1, ANN, PRICE))
        .already(paid(1, 1, ANN, [1], 0).answer());
    }

    #[test]
    fn a_hold_outlives_its_token() {
        let late = ACTIVE_SECONDS + 1;
        let hold_late = held(1, ANN, [1]).at_seconds(ACTIVE_SECONDS - 1);
        on_sale([admitted(ANN, 1), charged(ANN, PRICE, PRICE)])
            .after_seconds(ACTIVE_SECONDS - 1)
            .and([hold_late.clone()])
            .after_seconds(2)
            .and([expired(ANN, 1).at_seconds(late), waiting(ANN, 2).at_seconds(late)])
            .when(token(ANN), pay(1, ANN, PRICE))
            .then([paid(1, 1, ANN, [1], 0).of(&hold_late).at_seconds(late)]);
    }

    #[test]
    fn the_points_must_suffice() {
        let (balance, required) = (Points::new(PRICE - 1), Points::new(PRICE));
        on_sale([admitted(ANN, 1), charged(ANN, PRICE - 1, PRICE - 1), held(1, ANN, [1])])
            .when(token(ANN), pay(1, ANN, PRICE))
            .refuses(Rejection::InsufficientPoints { balance, required });
    }

    #[test]
    fn the_amount_must_be_the_price() {
        on_sale([admitted(ANN, 1), charged(ANN, 2 * PRICE, 2 * PRICE), held(1, ANN, [1])])
            .when(token(ANN), pay(1, ANN, PRICE + 1))
            .refuses(Rejection::AmountMismatch { required: Points::new(PRICE) });
    }

    #[test]
    fn a_hold_at_its_deadline_is_not_paid_though_no_tick_came() {
        let ready = || on_sale([admitted(ANN, 1), charged(ANN, PRICE, PRICE), held(1, ANN, [1])]);
        let late = ready().after_seconds(HOLD_SECONDS);
        late.when(token(ANN), pay(1, ANN, PRICE)).refuses(Rejection::HoldExpired);
        let in_time = ready().after_seconds(HOLD_SECONDS - 1);
        let then = paid(1, 1, ANN, [1], 0).finishing(1).of(&held(1, ANN, [1])).at_seconds(HOLD_SECONDS - 1);
        in_time.when(token(ANN), pay(1, ANN, PRICE)).then([then]);
    }

    #[test]
    fn what_was_cancelled_or_refunded_cannot_be_paid() {
        let status = ReservationStatus::Cancelled;
        on_sale([admitted(ANN, 1), held(1, ANN, [1]), cancelled(1, ANN, [1])])
            .when(token(ANN), pay(1, ANN, PRICE))
            .refuses(Rejection::ReservationNotPayable { status });
        let status = ReservationStatus::Refunded;
        on_sale([admitted(ANN, 1), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0), refunded(1, 1, ANN, [1], PRICE)])
            .when(token(ANN), pay(1, ANN, PRICE))
            .refuses(Rejection::ReservationNotPayable { status });
    }

    #[test]
    fn nobody_pays_what_another_holds() {
        on_sale([admitted(ANN, 1), admitted(BOB, 2), held(1, ANN, [1])])
            .when(token(BOB), pay(1, BOB, PRICE))
            .refuses(Rejection::NotYours);
    }

    #[test]
    fn what_was_never_held_is_not_found() {
        on_sale([admitted(ANN, 1)])
            .when(token(ANN), pay(7, ANN, PRICE))
            .refuses(Rejection::ReservationNotFound { reservation_id: reservation_id(7) });
    }

    #[test]
    fn nobody_pays_in_anothers_name() {
        let ready = || on_sale([admitted(ANN, 1), charged(BOB, PRICE, PRICE), held(1, ANN, [1])]);
        ready().when(token(ANN), pay(1, BOB, PRICE)).refuses(Rejection::NotYours);
        ready().when(token(ANN), pay(7, BOB, PRICE)).refuses(Rejection::NotYours);
    }

    #[test]
    fn who_waits_pays_a_hold_in_hand_and_keeps_their_place() {
        on_sale([admitted(ANN, 1), charged(ANN, PRICE, PRICE), held(1, ANN, [1]), left(ANN, 1), waiting(ANN, 2)])
            .when(token(ANN), pay(1, ANN, PRICE))
            .then([paid(1, 1, ANN, [1], 0)]);
    }

    #[test]
    fn a_finished_token_pays_and_the_slot_of_the_users_active_one_is_given_on() {
        on_sale([admitted(ANN, 1), charged(ANN, PRICE, PRICE), held(1, ANN, [1]), left(ANN, 1), granted(ANN, 2, None)])
            .when(token(ANN), pay(1, ANN, PRICE))
            .then([paid(1, 1, ANN, [1], 0).finishing(2)]);
    }
}
