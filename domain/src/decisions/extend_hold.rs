//! Extending a hold: once, in its last two minutes, by five minutes.

use crate::event::{Hold, HoldExtended};
use crate::limits::EXTENSION_SECONDS;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{ReservationId, ReservationStatus, Timestamp};

/// Moves a hold's deadline, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendHold {
    pub reservation_id: ReservationId,
}

impl Decide for ExtendHold {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        let reservation = state
            .reservation(self.reservation_id, now)
            .ok_or(Rejection::ReservationNotFound { reservation_id: self.reservation_id })?;
        by.must_be(reservation.hold.user_id)?;
        let sale_now = state.sale_time(now);
        if reservation.status_at(sale_now) == ReservationStatus::Expired {
            return Err(Rejection::HoldExpired);
        }
        if !reservation.is_extendable(sale_now) {
            // While the sale is paused, the clock's time of a deadline is not known.
            let clock = state.room.sale_clock();
            let from = reservation.extendable_from().filter(|_| clock.pause(now).is_none());
            return Err(Rejection::NotExtendable { extendable_from: from.map(|from| clock.clock_of(from, now)) });
        }
        let expires_at = reservation.hold.expires_at.plus_seconds(EXTENSION_SECONDS);
        let hold = Hold { expires_at, ..reservation.hold.clone() };
        Ok(Decided::one(HoldExtended { hold, extended_at: now }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{EXTENSION_WINDOW_SECONDS, HOLD_SECONDS};
    use crate::spec::*;

    const EXTEND: ExtendHold = ExtendHold { reservation_id: ReservationId::FIRST };
    /// The first second at which the hold may be extended.
    const FROM: i64 = HOLD_SECONDS - EXTENSION_WINDOW_SECONDS;

    fn in_hand(seconds: i64) -> Given {
        on_sale([granted(ANN, 1, None), held(1, ANN, [1, 2])]).after_seconds(seconds)
    }

    #[test]
    fn a_hold_is_made_longer_in_its_last_two_minutes() {
        in_hand(FROM).when(fixed_token(ANN), EXTEND).then([extended(1, ANN, [1, 2]).at_seconds(FROM)]);
        let last = HOLD_SECONDS - 1;
        in_hand(last).when(fixed_token(ANN), EXTEND).then([extended(1, ANN, [1, 2]).at_seconds(last)]);
    }

    #[test]
    fn too_early_it_is_told_from_when_on() {
        let extendable_from = Some(T0.plus_seconds(FROM));
        in_hand(FROM - 1).when(fixed_token(ANN), EXTEND).refuses(Rejection::NotExtendable { extendable_from });
    }

    #[test]
    fn an_overdue_hold_is_over() {
        in_hand(HOLD_SECONDS).when(fixed_token(ANN), EXTEND).refuses(Rejection::HoldExpired);
        let told = in_hand(HOLD_SECONDS).and([hold_expired(1, ANN, [1, 2]).at_seconds(HOLD_SECONDS)]);
        told.when(fixed_token(ANN), EXTEND).refuses(Rejection::HoldExpired);
    }

    #[test]
    fn a_hold_is_made_longer_once_and_goes_on_for_five_minutes() {
        let longer = || in_hand(FROM).and([extended(1, ANN, [1, 2]).at_seconds(FROM)]);
        let extendable_from = None;
        longer().when(fixed_token(ANN), EXTEND).refuses(Rejection::NotExtendable { extendable_from });
        let deadline = HOLD_SECONDS + EXTENSION_SECONDS;
        let last = longer().after_seconds(deadline - FROM - 1);
        last.ask(fixed_token(ANN), EXTEND).refuses(Rejection::NotExtendable { extendable_from });
        let (schedule, seat) = (SCHEDULE, seat_id(1));
        let sale_now = |given: &Given| given.state().sale_time(given.now());
        let is_overdue =
            |given: &Given| given.state().seating.taken(schedule, seat).unwrap().is_overdue(sale_now(given));
        assert!(!is_overdue(&last) && last.state().reservations.overdue(sale_now(&last)).next().is_none());
        let over = last.after_seconds(1);
        assert!(is_overdue(&over) && over.state().reservations.overdue(sale_now(&over)).count() == 1);
        over.when(fixed_token(ANN), EXTEND).refuses(Rejection::HoldExpired);
    }

    #[test]
    fn what_is_no_hold_any_more_is_not_made_longer() {
        for end in [cancelled(1, ANN, [1, 2]), paid(1, 1, ANN, [1, 2], 0)] {
            let extendable_from = None;
            let ended = in_hand(FROM).and([end]);
            ended.when(fixed_token(ANN), EXTEND).refuses(Rejection::NotExtendable { extendable_from });
        }
    }

    #[test]
    fn nobody_makes_anothers_hold_longer() {
        let both = in_hand(FROM).and([granted(BOB, 2, None)]);
        both.ask(fixed_token(BOB), EXTEND).refuses(Rejection::NotYours);
        let missing = ReservationId::FIRST.successor();
        let none = ExtendHold { reservation_id: missing };
        both.when(fixed_token(ANN), none).refuses(Rejection::ReservationNotFound { reservation_id: missing });
    }
}
