//! Moving the time of a sale, or the show itself.
//!
//! Rejections: [`Rejection::ScheduleNotFound`], [`Rejection::ScheduleCancelled`], [`Rejection::ScheduleOver`],
//! [`Rejection::Invalid`] for times that do not follow each other.

use crate::answer::Answer;
use crate::event::{Event, SaleWindowChanged, ScheduleMoved};
use crate::limits::CHANGEABLE_SECONDS;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::state::catalogue::{Schedule, ScheduleTimes};
use crate::values::{ScheduleId, Timestamp};

/// Changes a schedule's times: of the sale, of the show, or of both. Times that are left out stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSchedule {
    pub schedule_id: ScheduleId,
    pub sale_opens_at: Option<Timestamp>,
    pub sale_closes_at: Option<Timestamp>,
    pub start: Option<NewStart>,
    pub reason: String,
}

/// The new start of a show: the instant, and date and time at the venue. The HTTP layer looks up the time zone once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStart {
    pub starts_at: Timestamp,
    pub local_date: String,
    pub local_time: String,
}

impl Decide for ChangeSchedule {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let (schedule, times) = changeable(state, self.schedule_id, now)?;
        if schedule.called_off.is_some() {
            return Err(Rejection::ScheduleCancelled { schedule_id: self.schedule_id });
        }
        let sale_opens_at = self.sale_opens_at.unwrap_or(times.sale_opens_at);
        let sale_closes_at = self.sale_closes_at.unwrap_or(times.sale_closes_at);
        let starts_at = self.start.as_ref().map_or(times.starts_at, |start| start.starts_at);
        let mut events: Vec<Event> = Vec::new();
        let (concert_id, schedule_id, reason) = (schedule.concert_id, self.schedule_id, &self.reason);
        if (sale_opens_at, sale_closes_at) != (times.sale_opens_at, times.sale_closes_at) {
            let reason = reason.clone();
            events.push(
                SaleWindowChanged { concert_id, schedule_id, sale_opens_at, sale_closes_at, reason, changed_at: now }
                    .into(),
            );
        }
        if let Some(NewStart { local_date, local_time, .. }) = self.start.clone()
            && starts_at != times.starts_at
        {
            let reason = reason.clone();
            events.push(
                ScheduleMoved { concert_id, schedule_id, starts_at, local_date, local_time, reason, moved_at: now }
                    .into(),
            );
        }
        if events.is_empty() {
            return Ok(Decided::Already(Answer::Done));
        }
        let invalid = |field, message: &str| Err(Rejection::Invalid { field, message: message.to_owned() });
        if sale_opens_at >= sale_closes_at {
            return invalid("saleClosesAt", "must be later than saleOpensAt");
        }
        if sale_closes_at > starts_at {
            return invalid("saleClosesAt", "must not be later than startsAt");
        }
        if starts_at.plus_seconds(CHANGEABLE_SECONDS) <= now {
            return invalid("startsAt", "must not be more than 30 days ago: the show could not be changed any more");
        }
        Ok(Decided::Events(events))
    }
}

/// Finds a published schedule that can still be changed: until 30 days after its start.
pub(super) fn changeable(
    state: &State,
    schedule_id: ScheduleId,
    now: Timestamp,
) -> Result<(&Schedule, &ScheduleTimes), Rejection> {
    let (schedule, times) = state.catalogue.published(schedule_id)?;
    if now >= times.starts_at.plus_seconds(CHANGEABLE_SECONDS) {
        return Err(Rejection::ScheduleOver { schedule_id });
    }
    Ok((schedule, times))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::decisions::{CancelReservation, HoldSeats};
    use crate::spec::*;

    fn change() -> ChangeSchedule {
        let reason = "the singer is ill".to_owned();
        ChangeSchedule { schedule_id: SCHEDULE, sale_opens_at: None, sale_closes_at: None, start: None, reason }
    }

    fn closing(seconds: i64) -> ChangeSchedule {
        ChangeSchedule { sale_closes_at: Some(T0.plus_seconds(seconds)), ..change() }
    }

    fn starting(seconds: i64) -> ChangeSchedule {
        let (local_date, local_time) = ("2026-12-25".to_owned(), "20:00".to_owned());
        let starts_at = T0.plus_seconds(seconds);
        ChangeSchedule { start: Some(NewStart { starts_at, local_date, local_time }), ..change() }
    }

    fn is_invalid(decision: Decision) -> bool {
        matches!(decision, Err(Rejection::Invalid { .. }))
    }

    #[test]
    fn the_sale_closes_when_an_operator_says_so() {
        on_sale([]).when(Credential::OPERATOR, closing(60)).then([window_changed(0, 60)]);
        let hold = HoldSeats { user_id: ANN, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids: vec![seat_id(1)] };
        on_sale([admitted(ANN, 1), window_changed(0, 60)])
            .after_seconds(60)
            .when(token(ANN), hold)
            .refuses(ScheduleTimes { sale_closes_at: T0.plus_seconds(60), ..times() }.not_on_sale());
    }

    #[test]
    fn a_show_that_is_moved_is_taken_back_until_its_new_start() {
        on_sale([]).when(Credential::OPERATOR, starting(STARTS + 60)).then([moved(STARTS + 60)]);
        let sold = [granted(ANN, 1, None), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0), moved(STARTS + 60)];
        let cancel = || CancelReservation { reservation_id: reservation_id(1), only_hold: false };
        let late =
            |seconds| on_sale(sold.clone()).after_seconds(seconds).and([granted(ANN, 1, None).at_seconds(seconds)]);
        let back = refunded(1, 1, ANN, [1], PRICE).at_seconds(STARTS + 59);
        late(STARTS + 59).when(fixed_token(ANN), cancel()).then([back]);
        late(STARTS + 60).when(fixed_token(ANN), cancel()).refuses(times().not_on_sale());
    }

    #[test]
    fn times_follow_each_other() {
        assert!(is_invalid(on_sale([]).when(Credential::OPERATOR, closing(0)).decided()));
        assert!(on_sale([]).when(Credential::OPERATOR, closing(1)).decided().is_ok());
        assert!(on_sale([]).when(Credential::OPERATOR, closing(STARTS)).decided().is_ok());
        assert!(is_invalid(on_sale([]).when(Credential::OPERATOR, closing(STARTS + 1)).decided()));
        assert!(on_sale([]).when(Credential::OPERATOR, starting(SALE_CLOSES)).decided().is_ok());
        assert!(is_invalid(on_sale([]).when(Credential::OPERATOR, starting(SALE_CLOSES - 1)).decided()));
    }

    #[test]
    fn what_is_so_already_is_no_event() {
        on_sale([]).when(Credential::OPERATOR, change()).already(Answer::Done);
        on_sale([]).when(Credential::OPERATOR, closing(SALE_CLOSES)).already(Answer::Done);
    }

    #[test]
    fn a_schedule_is_changed_until_thirty_days_after_its_start_and_not_when_it_is_cancelled() {
        let end = STARTS + CHANGEABLE_SECONDS;
        assert!(on_sale([]).after_seconds(end - 1).when(Credential::OPERATOR, starting(end)).decided().is_ok());
        let over = Rejection::ScheduleOver { schedule_id: SCHEDULE };
        on_sale([]).after_seconds(end).when(Credential::OPERATOR, starting(end)).refuses(over);
        let off = Rejection::ScheduleCancelled { schedule_id: SCHEDULE };
        on_sale([called_off()]).when(Credential::OPERATOR, closing(60)).refuses(off);
        let schedule_id = SCHEDULE.successor();
        let elsewhere = ChangeSchedule { schedule_id, ..closing(60) };
        on_sale([]).when(Credential::OPERATOR, elsewhere).refuses(Rejection::ScheduleNotFound { schedule_id });
    }
}
