//! Refunding: until the schedule starts, the seats become free again and the price returns to the wallet.

use crate::event::{Cause, ReservationRefunded};
use crate::rule::{Decided, Decision};
use crate::state::State;
use crate::state::reservations::Reservation;
use crate::values::{Points, Timestamp};

/// Refunds a paid reservation. The balance limit holds for charges, not for refunds.
pub(super) fn refund(reservation: &Reservation, state: &State, now: Timestamp) -> Decision {
    let hold = &reservation.hold;
    let (_, times) = state.catalogue.published(hold.schedule_id)?;
    if now >= times.starts_at {
        return Err(times.not_on_sale());
    }
    let balance = state.wallets.balance(hold.user_id);
    Ok(Decided::one(refund_event(reservation, state, balance, Cause::Buyer, None, now)))
}

/// Makes the refund of a paid reservation into a wallet that has `balance`.
pub(super) fn refund_event(
    reservation: &Reservation,
    state: &State,
    balance: Points,
    cause: Cause,
    reason: Option<String>,
    now: Timestamp,
) -> ReservationRefunded {
    let hold = &reservation.hold;
    let payment = state.reservations.payment(hold.reservation_id).expect("what is paid has its payment");
    let balance_after = balance.checked_add(hold.total_price).expect("all points ever charged are far below 2^64");
    let (payment_id, hold) = (payment.payment_id, hold.clone());
    ReservationRefunded { payment_id, hold, balance_after, refunded_at: now, cause, reason }
}

#[cfg(test)]
mod tests {
    use crate::decisions::CancelReservation;
    use crate::limits::MAX_BALANCE;
    use crate::spec::*;

    fn cancel(id: u64) -> CancelReservation {
        CancelReservation { reservation_id: reservation_id(id), only_hold: false }
    }

    #[test]
    fn a_sale_is_taken_back_and_its_price_returned() {
        on_sale([admitted(ANN, 1), charged(ANN, 500, 500), held(1, ANN, [1]), paid(1, 1, ANN, [1], 400)])
            .when(token(ANN), cancel(1))
            .then([refunded(1, 1, ANN, [1], 500)]);
    }

    #[test]
    fn refunding_again_answers_the_same() {
        let events = [admitted(ANN, 1), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0), refunded(1, 1, ANN, [1], 100)];
        on_sale(events).when(token(ANN), cancel(1)).already(refunded(1, 1, ANN, [1], 100).answer());
    }

    #[test]
    fn a_refund_may_pass_the_balances_limit() {
        let full = MAX_BALANCE.get();
        on_sale([admitted(ANN, 1), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0), charged(ANN, full, full)])
            .when(token(ANN), cancel(1))
            .then([refunded(1, 1, ANN, [1], full + PRICE)]);
    }

    #[test]
    fn from_the_start_on_nothing_is_taken_back() {
        let sold = || on_sale([granted(ANN, 1, None), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0)]);
        let again = |seconds: i64| granted(ANN, 1, None).at_seconds(seconds);
        let late = sold().after_seconds(STARTS).and([again(STARTS)]);
        late.when(fixed_token(ANN), cancel(1)).refuses(times().not_on_sale());
        let before = sold().after_seconds(STARTS - 1).and([again(STARTS - 1)]);
        let taken_back = refunded(1, 1, ANN, [1], PRICE).at_seconds(STARTS - 1);
        before.when(fixed_token(ANN), cancel(1)).then([taken_back]);
    }

    #[test]
    fn all_that_was_paid_comes_back() {
        on_sale([admitted(ANN, 1), held(1, ANN, [1, 2, 3]), paid(1, 1, ANN, [1, 2, 3], 5)])
            .when(token(ANN), cancel(1))
            .then([refunded(1, 1, ANN, [1, 2, 3], 5 + 3 * PRICE)]);
    }
}
