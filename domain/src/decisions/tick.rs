//! The tick: it writes events for deadlines that are over, and fills free slots from the line. No decision depends on
//! it: each command compares deadlines with the clock. So a late tick lets nobody keep a thing whose time is over.

use crate::answer::Answer;
use crate::decisions::cancel_schedule::refunds_and_cancellations;
use crate::decisions::pause_sale::overdue_pause;
use crate::decisions::{expire_hold, expire_token};
use crate::event::{Event, TokenAdmitted};
use crate::limits::{ACTIVE_SECONDS, MAX_GIVEN_BACK_WHILE_OTHERS_WAIT, MAX_TICK_EVENTS};
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::state::room::Token;
use crate::values::{RoomId, SaleTime, Timestamp};

/// Writes at most [`MAX_TICK_EVENTS`] events for all that became due since the last tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// True if other commands wait: then fewer holds and payments of shows that were called off are given back.
    pub others_wait: bool,
}

impl Tick {
    /// A tick while no other command waits.
    pub const ALONE: Self = Self { others_wait: false };
}

impl Decide for Tick {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        // While users wait, half of a tick's events is for admissions, so that a wave of expiries does not stop the
        // line.
        let for_the_line = if state.room.waiting() > 0 { MAX_TICK_EVENTS / 2 } else { 0 };
        let sale_now = state.sale_time(now);
        let mut events: Vec<Event> = overdue_pause(state, now).into_iter().collect();
        let at_most = if self.others_wait { MAX_GIVEN_BACK_WHILE_OTHERS_WAIT } else { MAX_TICK_EVENTS - for_the_line };
        let given_back = refunds_and_cancellations(state, now, at_most - events.len());
        if given_back.is_empty() {
            let holds = state.reservations.overdue(sale_now).map(|hold| expire_hold(hold, now));
            events.extend(holds.take(MAX_TICK_EVENTS - for_the_line - events.len()));
        } else {
            // Overdue holds wait for a later tick: a batch does not have room for both, beside the line.
            events.extend(given_back);
        }
        let mut room = state.room.clone();
        let overdue = state.room.overdue(now).take(MAX_TICK_EVENTS - for_the_line - events.len());
        for token in overdue {
            room.expire(token.token_id, now);
            events.push(expire_token(token, &state.room, now));
        }
        let mut slots = room.open_slots(now);
        let mut line = room.line();
        while slots > 0
            && events.len() < MAX_TICK_EVENTS
            && let Some((queue_number, token)) = line.next()
        {
            if state.room.is_over(token, now) {
                // This token is overdue as well, in a wave so large that it had no turn above. It must not be admitted.
                events.push(expire_token(token, &state.room, now));
            } else {
                slots -= 1;
                events.push(admit(token, queue_number, now, sale_now));
            }
        }
        Ok(if events.is_empty() { Decided::Already(Answer::Done) } else { Decided::Events(events) })
    }
}

/// Makes the admission of a waiting token.
fn admit(token: &Token, queue_number: u64, now: Timestamp, sale_now: SaleTime) -> Event {
    Event::from(TokenAdmitted {
        token_id: token.token_id,
        user_id: token.user_id,
        room_id: RoomId::FIRST,
        queue_number,
        admitted_at: now,
        expires_at: sale_now.plus_seconds(ACTIVE_SECONDS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::event::RoomEvent;
    use crate::limits::{HOLD_SECONDS, WAITING_SECONDS};
    use crate::spec::*;
    use crate::values::UserId;

    fn tick(before: Given) -> Then {
        before.when(Credential::System, Tick::ALONE)
    }

    #[test]
    fn where_nothing_is_due_nothing_happens() {
        tick(on_sale([admitted(ANN, 1), held(1, ANN, [1])])).already(Answer::Done);
    }

    #[test]
    fn a_hold_is_expired_at_its_deadline_and_not_before() {
        let before = || on_sale([granted(ANN, 1, None), held(1, ANN, [1])]);
        tick(before().after_seconds(HOLD_SECONDS)).then([hold_expired(1, ANN, [1]).at_seconds(HOLD_SECONDS)]);
        tick(before().after_seconds(HOLD_SECONDS - 1)).already(Answer::Done);
    }

    #[test]
    fn an_active_token_is_expired_and_its_slot_filled_from_the_line() {
        tick(given([room(1), admitted(ANN, 1), waiting(BOB, 2)]).after_seconds(ACTIVE_SECONDS))
            .then([expired(ANN, 1).at_seconds(ACTIVE_SECONDS), let_in(BOB, 2).at_seconds(ACTIVE_SECONDS)]);
    }

    #[test]
    fn a_waiting_token_is_expired_after_a_day() {
        let before = given([room(0), waiting(ANN, 1)]);
        tick(before.after_seconds(WAITING_SECONDS)).then([expired(ANN, 1).at_seconds(WAITING_SECONDS)]);
    }

    #[test]
    fn the_line_is_served_in_order() {
        tick(given([room(1), admitted(EVE, 1), waiting(ANN, 2), waiting(BOB, 3), left(EVE, 1)])).then([let_in(ANN, 2)]);
    }

    #[test]
    fn who_left_the_line_is_passed_over() {
        let events = [room(1), admitted(EVE, 1), waiting(ANN, 2), waiting(BOB, 3), left(ANN, 2), left(EVE, 1)];
        tick(given(events)).then([let_in(BOB, 3)]);
    }

    #[test]
    fn a_payment_gives_its_slot_on() {
        tick(on_sale([
            room(1),
            admitted(ANN, 1),
            waiting(BOB, 2),
            held(1, ANN, [1]),
            paid(1, 1, ANN, [1], 0).finishing(1),
        ]))
        .then([let_in(BOB, 2)]);
    }

    #[test]
    fn a_granted_token_takes_and_frees_no_slot() {
        tick(given([room(1), admitted(ANN, 1), granted(EVE, 2, None), waiting(BOB, 2), left(EVE, 0)]))
            .already(Answer::Done);
    }

    #[test]
    fn the_pace_is_kept() {
        let before = || given([paced_room(9, 1), admitted(EVE, 1), waiting(ANN, 2), waiting(BOB, 3)]);
        tick(before()).already(Answer::Done);
        tick(before().after_seconds(1)).then([let_in(ANN, 2).at_seconds(1)]);
    }

    #[test]
    fn a_tick_is_bounded_and_a_wave_of_expiries_does_not_stop_the_line() {
        let many = MAX_TICK_EVENTS as u64 + 1;
        let user = |number: u64| UserId::try_from(number).unwrap();
        let inside = (1..=many).map(|number| admitted(user(number), number));
        let in_line = (many + 1..=2 * many).map(|number| waiting(user(number), number));
        let wave: Vec<Event> = [room(many)].into_iter().chain(inside).chain(in_line).collect();
        let decided = tick(given(wave).after_seconds(ACTIVE_SECONDS)).decided();
        let Ok(Decided::Events(events)) = decided else { panic!("nothing happened") };
        let admissions =
            events.iter().filter(|event| matches!(event, Event::Room(RoomEvent::TokenAdmitted(_)))).count();
        assert_eq!((events.len(), admissions), (MAX_TICK_EVENTS, MAX_TICK_EVENTS / 2));
    }

    #[test]
    fn who_waited_too_long_is_never_let_in_however_many_did() {
        let many = MAX_TICK_EVENTS as u64 + 1;
        let user = |number: u64| UserId::try_from(number).unwrap();
        let too_long = (1..=many).map(|number| waiting(user(number), number));
        let late = waiting(user(many + 1), many + 1).at_seconds(1);
        let wave = || given([room(0)]).and(too_long.clone()).after_seconds(1).and([late.clone(), room(many)]);
        let Ok(Decided::Events(first)) = tick(wave().after_seconds(WAITING_SECONDS - 1)).decided() else {
            panic!("nothing happened")
        };
        let gone = |number: u64| expired(user(number), number).at_seconds(WAITING_SECONDS);
        assert_eq!(first, (1..many).map(gone).collect::<Vec<_>>());
        let let_in = let_in(user(many + 1), many + 1).at_seconds(WAITING_SECONDS);
        tick(wave().after_seconds(WAITING_SECONDS - 1).and(first)).then([gone(many), let_in]);
    }

    #[test]
    fn holds_that_are_over_are_published_a_thousand_at_a_time() {
        let many = MAX_TICK_EVENTS as u64 + 1;
        let holds = |numbers: std::ops::RangeInclusive<u64>| numbers.map(|number| held(number, ANN, [number]));
        let gone = |number: u64| hold_expired(number, ANN, [number]).at_seconds(HOLD_SECONDS);
        let first: Vec<Event> = (1..many).map(gone).collect();
        tick(given(holds(1..=many)).after_seconds(HOLD_SECONDS)).then(first.clone());
        tick(given(holds(1..=many)).after_seconds(HOLD_SECONDS).and(first)).then([gone(many)]);
    }

    #[test]
    fn who_was_let_in_goes_by_the_new_deadline() {
        let late = WAITING_SECONDS - 1;
        let inside = || given([room(1), waiting(ANN, 1)]).after_seconds(late).and([let_in(ANN, 1).at_seconds(late)]);
        tick(inside().after_seconds(ACTIVE_SECONDS - 1)).already(Answer::Done);
        let over = late + ACTIVE_SECONDS;
        tick(inside().after_seconds(ACTIVE_SECONDS)).then([expired(ANN, 1).at_seconds(over)]);
    }
}
