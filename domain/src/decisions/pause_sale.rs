//! Pausing and resuming the sale. During a pause nobody is admitted, nothing new is held, and deadlines stand still.
//!
//! Rejections: [`Rejection::Invalid`] for an end that has passed.

use crate::answer::Answer;
use crate::event::{Event, SalePaused, SaleResumed};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{RoomId, Timestamp};

/// Pauses the sale. During a pause this replaces reason and end; the same reason and end change nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseSale {
    pub reason: String,
    /// The time when the pause ends automatically.
    pub resumes_at: Option<Timestamp>,
}

/// Resumes the sale. Without a pause nothing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeSale {
    pub reason: String,
}

impl Decide for PauseSale {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        if self.resumes_at.is_some_and(|resumes_at| resumes_at <= now) {
            return Err(Rejection::Invalid { field: "resumesAt", message: "must be later than now".to_owned() });
        }
        let clock = state.room.sale_clock();
        let (reason, resumes_at) = (self.reason.clone(), self.resumes_at);
        if clock.pause(now).is_some_and(|pause| *pause.reason == *reason && pause.resumes_at == resumes_at) {
            return Ok(Decided::Already(Answer::Done));
        }
        let paused = Event::from(SalePaused { room_id: RoomId::FIRST, reason, resumes_at, paused_at: now });
        Ok(Decided::Events(overdue_pause(state, now).into_iter().chain([paused]).collect()))
    }
}

impl Decide for ResumeSale {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        if state.room.sale_clock().pause(now).is_none() {
            return Ok(Decided::Already(Answer::Done));
        }
        let reason = Some(self.reason.clone());
        Ok(Decided::one(SaleResumed { room_id: RoomId::FIRST, reason, resumed_at: now }))
    }
}

/// Makes the event of a pause whose end has come.
pub(super) fn overdue_pause(state: &State, now: Timestamp) -> Option<Event> {
    let resumed_at = state.room.sale_clock().overdue(now)?;
    Some(SaleResumed { room_id: RoomId::FIRST, reason: None, resumed_at }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::decisions::{HoldSeats, IssueToken, PayReservation, Tick};
    use crate::limits::{ACTIVE_SECONDS, HOLD_SECONDS};
    use crate::spec::*;
    use crate::values::{Points, UserId};

    fn pause(resumes: Option<i64>) -> PauseSale {
        PauseSale { reason: "rain".to_owned(), resumes_at: resumes.map(|seconds| T0.plus_seconds(seconds)) }
    }

    fn resume() -> ResumeSale {
        ResumeSale { reason: "the sun is out".to_owned() }
    }

    fn hold(user_id: UserId, seat: u64) -> HoldSeats {
        HoldSeats { user_id, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids: vec![seat_id(seat)] }
    }

    #[test]
    fn a_sale_is_paused_once_and_goes_on_once() {
        given([room(1)]).when(Credential::OPERATOR, pause(None)).then([paused(None)]);
        given([room(1), paused(None)]).when(Credential::OPERATOR, pause(None)).already(Answer::Done);
        given([room(1), paused(None)]).after_seconds(9).when(Credential::OPERATOR, resume()).then([resumed(9)]);
        given([room(1)]).when(Credential::OPERATOR, resume()).already(Answer::Done);
    }

    #[test]
    fn pausing_again_replaces_reason_and_end() {
        given([room(1), paused(None)]).when(Credential::OPERATOR, pause(Some(60))).then([paused(Some(60))]);
    }

    #[test]
    fn an_end_that_has_passed_is_refused() {
        let passed =
            |seconds| given([room(1)]).after_seconds(9).when(Credential::OPERATOR, pause(Some(seconds))).decided();
        assert!(matches!(passed(9), Err(Rejection::Invalid { field: "resumesAt", .. })));
        assert!(passed(10).is_ok());
    }

    #[test]
    fn a_pause_that_ended_by_itself_is_published_before_the_next_one() {
        given([room(1), paused(Some(5))])
            .after_seconds(9)
            .when(Credential::OPERATOR, pause(None))
            .then([resumed_by_itself(5), paused(None).at_seconds(9)]);
        given([room(1), paused(Some(5))]).after_seconds(9).when(Credential::OPERATOR, resume()).already(Answer::Done);
    }

    #[test]
    fn the_tick_publishes_the_end_of_a_pause() {
        let before = || given([room(1), paused(Some(5))]);
        before().after_seconds(4).when(Credential::System, Tick::ALONE).already(Answer::Done);
        before().after_seconds(5).when(Credential::System, Tick::ALONE).then([resumed_by_itself(5)]);
    }

    #[test]
    fn nothing_new_is_held_and_a_live_hold_is_still_the_answer() {
        let before = || on_sale([admitted(ANN, 1), held(1, ANN, [1]), paused(Some(600))]).after_seconds(500);
        let refusal = Rejection::SalePaused { reason: "rain".to_owned(), resumes_at: Some(T0.plus_seconds(600)) };
        before().when(token(ANN), hold(ANN, 2)).refuses(refusal);
        before().when(token(ANN), hold(ANN, 1)).already(held(1, ANN, [1]).answer());
        let later = before().after_seconds(100);
        later.when(token(ANN), hold(ANN, 2)).then([held(2, ANN, [2]).at(600, 0)]);
    }

    #[test]
    fn nobody_is_let_in_while_the_sale_is_paused() {
        let seated = || given([room(1), paused(Some(60))]);
        seated()
            .when(user(ANN), IssueToken { user_id: Some(ANN), seed: seed(ANN), token_hash: token_hash(ANN) })
            .then([waiting(ANN, 1)]);
        let line = || seated().and([waiting(ANN, 1)]);
        line().after_seconds(59).when(Credential::System, Tick::ALONE).already(Answer::Done);
        line()
            .after_seconds(60)
            .when(Credential::System, Tick::ALONE)
            .then([resumed_by_itself(60), let_in(ANN, 1).at(60, 0)]);
    }

    #[test]
    fn a_hold_and_a_token_have_as_much_time_left_after_a_pause_as_before() {
        let before = || {
            let live = [admitted(ANN, 1), charged(ANN, PRICE, PRICE), held(1, ANN, [1]).at_seconds(60)];
            on_sale([]).after_seconds(60).and(live).and([paused(None).at_seconds(60)])
        };
        let pay = || PayReservation { reservation_id: reservation_id(1), user_id: ANN, amount: Points::new(PRICE) };
        let rain = 600;
        let paying = before().after_seconds(rain).when(token(ANN), pay());
        let paid_at = paid(1, 1, ANN, [1], 0).of(&held(1, ANN, [1]).at_seconds(60)).finishing(1);
        paying.then([paid_at.clone().at_seconds(60 + rain)]);
        let resumed = || before().after_seconds(rain).and([resumed(60 + rain)]);
        let last = HOLD_SECONDS - 1;
        resumed().after_seconds(last).when(token(ANN), pay()).then([paid_at.at_seconds(60 + rain + last)]);
        resumed().after_seconds(HOLD_SECONDS).when(token(ANN), pay()).refuses(Rejection::HoldExpired);
        // The token was active since T0: a minute of its ten was over.
        let over = ACTIVE_SECONDS - 60;
        resumed().after_seconds(over - 1).when(token(ANN), hold(ANN, 2)).decided().unwrap();
        resumed().after_seconds(over).when(token(ANN), hold(ANN, 2)).refuses(Rejection::TokenExpired);
    }

    #[test]
    fn what_was_over_before_the_pause_is_over_in_it() {
        let overdue = on_sale([granted(ANN, 1, None), held(1, ANN, [1])]).after_seconds(HOLD_SECONDS);
        let during = overdue.and([paused(None).at_seconds(HOLD_SECONDS)]).after_seconds(60);
        let at = HOLD_SECONDS + 60;
        during.when(Credential::System, Tick::ALONE).then([hold_expired(1, ANN, [1]).at_seconds(at)]);
    }
}
