//! Holding seats: for five minutes only this user may pay for them. All are held, or none.

use crate::answer::Answer;
use crate::decisions::holding::Holding;
use crate::event::PricedSeat;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::state::reservations::Reservation;
use crate::values::{ConcertId, ReservationId, ScheduleId, SeatId, Timestamp, UserId};

/// Holds 1..=4 distinct seats (as the HTTP layer has checked) of one schedule. A live hold of the user on exactly these
/// seats is the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldSeats {
    pub user_id: UserId,
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub seat_ids: Vec<SeatId>,
}

impl Decide for HoldSeats {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        let holding = Holding::begin(by, self.user_id, (self.concert_id, self.schedule_id), state, now)?;
        let seats =
            self.seat_ids.iter().map(|seat_id| holding.priced(*seat_id)).collect::<Result<Vec<PricedSeat>, _>>()?;
        if let Some(reservation) = self.held_already(state, now) {
            return Ok(Decided::Already(Answer::Reservation(reservation.clone())));
        }
        holding.must_be_on_sale()?;
        let mut overdue = self.overdue(state, now)?;
        let own = holding.own();
        holding.must_stay_within(&own, self.seat_ids.len())?;
        overdue.extend(own.overdue);
        holding.hold(seats, overdue)
    }
}

impl HoldSeats {
    /// Finds the user's live hold of exactly these seats, in any order.
    fn held_already<'a>(&self, state: &'a State, now: Timestamp) -> Option<&'a Reservation> {
        let sale_now = state.sale_time(now);
        let claims = state.seating.claims(self.schedule_id, self.user_id).iter();
        let mut live = claims.filter(|claim| claim.taken.held_until.is_some_and(|deadline| sale_now < deadline));
        let same = live.find(|claim| {
            claim.seat_ids.len() == self.seat_ids.len()
                && self.seat_ids.iter().all(|seat_id| claim.seat_ids.contains(seat_id))
        })?;
        state.reservations.get(same.taken.reservation_id)
    }

    /// Finds the overdue holds of these seats.
    fn overdue(&self, state: &State, now: Timestamp) -> Result<Vec<ReservationId>, Rejection> {
        let sale_now = state.sale_time(now);
        let (mut overdue, mut seat_ids) = (Vec::new(), Vec::new());
        for seat_id in &self.seat_ids {
            match state.seating.taken(self.schedule_id, *seat_id) {
                None => {}
                Some(taken) if taken.is_overdue(sale_now) => overdue.push(taken.reservation_id),
                Some(_) => seat_ids.push(*seat_id),
            }
        }
        if seat_ids.is_empty() { Ok(overdue) } else { Err(Rejection::SeatTaken { seat_ids }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ConcertPublished;
    use crate::event::Event;
    use crate::limits::{HOLD_SECONDS, MAX_SEATS_PER_USER_IN_SCHEDULE};
    use crate::spec::*;

    fn hold_seats<const N: usize>(user_id: UserId, seat_ids: [u64; N]) -> HoldSeats {
        let seat_ids = seat_ids.map(seat_id).to_vec();
        HoldSeats { user_id, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids }
    }

    #[test]
    fn free_seats_are_held_for_five_minutes() {
        on_sale([admitted(ANN, 1)]).when(token(ANN), hold_seats(ANN, [1, 2])).then([held(1, ANN, [1, 2])]);
    }

    #[test]
    fn a_seat_that_is_held_or_sold_is_taken_and_every_such_seat_is_named() {
        on_sale([admitted(ANN, 1), admitted(BOB, 2), held(1, ANN, [1]), held(2, ANN, [2]), paid(1, 2, ANN, [2], 0)])
            .when(token(BOB), hold_seats(BOB, [1, 2, 3]))
            .refuses(Rejection::SeatTaken { seat_ids: vec![seat_id(1), seat_id(2)] });
    }

    #[test]
    fn exactly_the_same_seats_again_are_the_same_hold() {
        on_sale([admitted(ANN, 1), held(1, ANN, [1, 2])])
            .after_seconds(10)
            .when(token(ANN), hold_seats(ANN, [2, 1]))
            .already(held(1, ANN, [1, 2]).answer());
    }

    #[test]
    fn any_other_overlap_with_own_seats_is_taken() {
        on_sale([admitted(ANN, 1), held(1, ANN, [1, 2])])
            .when(token(ANN), hold_seats(ANN, [1]))
            .refuses(Rejection::SeatTaken { seat_ids: vec![seat_id(1)] });
    }

    #[test]
    fn own_seats_that_are_paid_are_not_held_again() {
        on_sale([granted(ANN, 1, None), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0)])
            .when(fixed_token(ANN), hold_seats(ANN, [1]))
            .refuses(Rejection::SeatTaken { seat_ids: vec![seat_id(1)] });
    }

    #[test]
    fn a_hold_at_its_deadline_is_free_for_others_and_its_expiry_is_published_first() {
        on_sale([admitted(ANN, 1), granted(BOB, 2, None), held(1, ANN, [1, 2])])
            .after_seconds(HOLD_SECONDS)
            .when(fixed_token(BOB), hold_seats(BOB, [1]))
            .then([hold_expired(1, ANN, [1, 2]), held(2, BOB, [1])].map(|event| event.at_seconds(HOLD_SECONDS)));
    }

    #[test]
    fn a_hold_one_second_before_its_deadline_is_not_free() {
        on_sale([admitted(ANN, 1), granted(BOB, 2, None), held(1, ANN, [1])])
            .after_seconds(HOLD_SECONDS - 1)
            .when(fixed_token(BOB), hold_seats(BOB, [1]))
            .refuses(Rejection::SeatTaken { seat_ids: vec![seat_id(1)] });
    }

    #[test]
    fn a_late_expiry_takes_nothing_from_the_next_holder() {
        on_sale([
            admitted(ANN, 1),
            admitted(BOB, 2),
            granted(EVE, 3, None),
            held(1, ANN, [1]),
            hold_expired(1, ANN, [1]),
            held(2, BOB, [1]),
            hold_expired(1, ANN, [1]),
        ])
        .when(fixed_token(EVE), hold_seats(EVE, [1]))
        .refuses(Rejection::SeatTaken { seat_ids: vec![seat_id(1)] });
    }

    #[test]
    fn four_seats_in_a_schedule_are_the_limit() {
        let three = || on_sale([admitted(ANN, 1), held(1, ANN, [1, 2, 3])]);
        three().when(token(ANN), hold_seats(ANN, [4])).then([held(2, ANN, [4])]);
        let limit = MAX_SEATS_PER_USER_IN_SCHEDULE;
        three().when(token(ANN), hold_seats(ANN, [4, 5])).refuses(Rejection::SeatLimitReached { limit });
    }

    #[test]
    fn own_holds_past_their_deadline_do_not_count_for_the_limit() {
        on_sale([granted(ANN, 1, None), held(1, ANN, [1, 2, 3, 4])])
            .after_seconds(HOLD_SECONDS)
            .when(fixed_token(ANN), hold_seats(ANN, [5]))
            .then([hold_expired(1, ANN, [1, 2, 3, 4]), held(2, ANN, [5])].map(|event| event.at_seconds(HOLD_SECONDS)));
    }

    #[test]
    fn who_waits_holds_nothing() {
        on_sale([waiting(ANN, 7)]).when(token(ANN), hold_seats(ANN, [1])).refuses(Rejection::NotAdmitted {
            queue_number: Some(7),
            serving_number: 0,
            ahead: Some(6),
        });
    }

    #[test]
    fn nobody_holds_for_another() {
        on_sale([admitted(ANN, 1)]).when(token(ANN), hold_seats(BOB, [1])).refuses(Rejection::NotYours);
    }

    #[test]
    fn what_is_not_there_cannot_be_held() {
        let ann = || on_sale([admitted(ANN, 1)]);
        let missing = seat_id(SEATS + 1);
        ann().when(token(ANN), hold_seats(ANN, [SEATS + 1])).refuses(Rejection::SeatNotFound { seat_id: missing });
        let (concert_id, schedule_id) = (ConcertId::try_from(9).unwrap(), ScheduleId::try_from(9).unwrap());
        let elsewhere = HoldSeats { schedule_id, ..hold_seats(ANN, [1]) };
        ann().when(token(ANN), elsewhere).refuses(Rejection::ScheduleNotFound { schedule_id });
        let elsewhere = HoldSeats { concert_id, ..hold_seats(ANN, [1]) };
        ann().when(token(ANN), elsewhere).refuses(Rejection::ConcertNotFound { concert_id });
    }

    #[test]
    fn seats_are_sold_from_the_opening_until_the_close() {
        let at = |seconds: i64| on_sale([granted(ANN, 1, None)]).after_seconds(seconds);
        at(SALE_CLOSES - 1)
            .when(fixed_token(ANN), hold_seats(ANN, [1]))
            .then([held(1, ANN, [1]).at_seconds(SALE_CLOSES - 1)]);
        at(SALE_CLOSES).when(fixed_token(ANN), hold_seats(ANN, [1])).refuses(times().not_on_sale());
        at(-1).when(fixed_token(ANN), hold_seats(ANN, [1])).refuses(times().not_on_sale());
    }

    #[test]
    fn a_live_hold_is_the_answer_also_after_the_sale_has_closed() {
        let late = held(1, ANN, [1]).at_seconds(SALE_CLOSES - 1);
        on_sale([granted(ANN, 1, None)])
            .after_seconds(SALE_CLOSES - 1)
            .and([late.clone()])
            .after_seconds(1)
            .when(fixed_token(ANN), hold_seats(ANN, [1]))
            .already(late.answer());
    }

    #[test]
    fn a_hold_at_its_deadline_is_no_answer_but_makes_way_for_a_new_one() {
        on_sale([granted(ANN, 1, None), held(1, ANN, [1])])
            .after_seconds(HOLD_SECONDS)
            .when(fixed_token(ANN), hold_seats(ANN, [1]))
            .then([hold_expired(1, ANN, [1]), held(2, ANN, [1])].map(|event| event.at_seconds(HOLD_SECONDS)));
    }

    #[test]
    fn each_hold_in_the_way_expires_once_in_the_order_of_their_numbers() {
        let both = [granted(ANN, 1, None), granted(BOB, 2, None), held(1, ANN, [3]), held(2, BOB, [1, 2])];
        let expected = [hold_expired(1, ANN, [3]), hold_expired(2, BOB, [1, 2]), held(3, ANN, [1, 2])];
        on_sale(both)
            .after_seconds(HOLD_SECONDS)
            .when(fixed_token(ANN), hold_seats(ANN, [1, 2]))
            .then(expected.map(|event| event.at_seconds(HOLD_SECONDS)));
    }

    #[test]
    fn seats_that_came_back_can_be_held_and_count_no_more() {
        let ends = [
            vec![cancelled(1, ANN, [1, 2, 3])],
            vec![hold_expired(1, ANN, [1, 2, 3])],
            vec![paid(1, 1, ANN, [1, 2, 3], 0), refunded(1, 1, ANN, [1, 2, 3], 0)],
        ];
        for end in ends {
            let free = || on_sale([admitted(ANN, 1), admitted(BOB, 2), held(1, ANN, [1, 2, 3])]).and(end.clone());
            free().when(token(ANN), hold_seats(ANN, [1, 2, 3, 4])).then([held(2, ANN, [1, 2, 3, 4])]);
            free().when(token(BOB), hold_seats(BOB, [1])).then([held(2, BOB, [1])]);
        }
    }

    #[test]
    fn giving_one_hold_up_leaves_the_others_counted() {
        let limit = MAX_SEATS_PER_USER_IN_SCHEDULE;
        let both = || on_sale([admitted(ANN, 1), held(1, ANN, [1, 2, 3]), held(2, ANN, [4]), cancelled(2, ANN, [4])]);
        both().when(token(ANN), hold_seats(ANN, [5])).then([held(3, ANN, [5])]);
        both().when(token(ANN), hold_seats(ANN, [5, 6])).refuses(Rejection::SeatLimitReached { limit });
    }

    #[test]
    fn sold_seats_count_for_the_limit_at_any_time() {
        let limit = MAX_SEATS_PER_USER_IN_SCHEDULE;
        on_sale([granted(ANN, 1, None), held(1, ANN, [1, 2, 3]), paid(1, 1, ANN, [1, 2, 3], 0)])
            .after_seconds(HOLD_SECONDS)
            .when(fixed_token(ANN), hold_seats(ANN, [4, 5]))
            .refuses(Rejection::SeatLimitReached { limit });
    }

    #[test]
    fn a_schedule_of_another_concert_is_not_found() {
        let concert_id = ConcertId::FIRST.successor();
        let (name, artist, venue) = ("Other".to_owned(), String::new(), String::new());
        let other = Event::from(ConcertPublished { concert_id, name, artist, venue });
        on_sale([other, admitted(ANN, 1)])
            .when(token(ANN), HoldSeats { concert_id, ..hold_seats(ANN, [1]) })
            .refuses(Rejection::ScheduleNotFound { schedule_id: SCHEDULE });
    }
}
