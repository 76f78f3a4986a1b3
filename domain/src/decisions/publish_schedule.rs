//! Publishing a schedule: it has all its seats, its times are fixed, and it becomes visible at once or with the end of
//! its import.

use uuid::Uuid;

use crate::answer::Answer;
use crate::event::SchedulePublished;
use crate::limits::MAX_SEATS_PER_USER_IN_SCHEDULE;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::state::catalogue::ScheduleTimes;
use crate::values::{ConcertId, ScheduleId, Timestamp};

/// Publishes a schedule. A schedule that exists with the same members stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishSchedule {
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub times: ScheduleTimes,
    /// The venue's date, `2026-12-24`. The time zone is looked up once, before the command is made.
    pub local_date: String,
    /// The venue's time, `19:30`.
    pub local_time: String,
    /// Seats that one user may hold or own, 1 to 4.
    pub seats_per_user: u8,
    /// The import with whose end it becomes visible. `None`: at once.
    pub import_id: Option<Uuid>,
}

impl Decide for PublishSchedule {
    fn decide(&self, _: &Actor, state: &State, _: Timestamp) -> Decision {
        let conflict = |reason: String| Err(Rejection::CatalogueConflict { reason });
        let Self { concert_id, schedule_id, times, local_date, local_time, seats_per_user, import_id } = self;
        let Some(schedule) = state.catalogue.schedules().get(schedule_id) else {
            return conflict(format!("schedule {schedule_id} has no seats"));
        };
        if schedule.concert_id != *concert_id {
            return conflict(format!("schedule {schedule_id} belongs to concert {}", schedule.concert_id));
        }
        let is_same = schedule.seats_per_user == *seats_per_user && schedule.import_id == *import_id;
        match &schedule.published {
            Some(published) if published == times && is_same => return Ok(Decided::Already(Answer::Done)),
            Some(_) => {
                return conflict(format!(
                    "schedule {schedule_id} is published with other times, seats per user or import"
                ));
            }
            None => {}
        }
        if times.sale_opens_at >= times.sale_closes_at {
            return conflict(format!("the sale of schedule {schedule_id} closes before it opens"));
        }
        if times.sale_closes_at > times.starts_at {
            return conflict(format!("the sale of schedule {schedule_id} closes after its start"));
        }
        if !(1..=MAX_SEATS_PER_USER_IN_SCHEDULE).contains(&usize::from(*seats_per_user)) {
            return conflict(format!(
                "{seats_per_user} seats a user; 1 to {MAX_SEATS_PER_USER_IN_SCHEDULE} are allowed"
            ));
        }
        Ok(Decided::one(SchedulePublished {
            concert_id: *concert_id,
            schedule_id: *schedule_id,
            starts_at: times.starts_at,
            time_zone: times.time_zone.clone(),
            local_date: local_date.clone(),
            local_time: local_time.clone(),
            sale_opens_at: times.sale_opens_at,
            sale_closes_at: times.sale_closes_at,
            seats_total: schedule.seats.values().count() as u64,
            import_id: *import_id,
            seats_per_user: *seats_per_user,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::event::Event;
    use crate::spec::*;

    fn publish() -> PublishSchedule {
        publish_schedule()
    }

    fn seats() -> Event {
        seats_added((1..=SEATS).map(seat).collect())
    }

    #[test]
    fn a_schedule_is_published_once_with_all_of_its_seats() {
        given([concert(), seats()]).when(Credential::OPERATOR, publish()).then([schedule_published()]);
        on_sale([]).when(Credential::OPERATOR, publish()).already(Answer::Done);
    }

    #[test]
    fn a_schedule_without_seats_is_not_published() {
        assert!(given([concert()]).when(Credential::OPERATOR, publish()).decided().is_err());
    }

    #[test]
    fn a_published_schedule_keeps_its_times() {
        let later = ScheduleTimes { starts_at: times().starts_at.plus_seconds(1), ..times() };
        let moved = PublishSchedule { times: later, ..publish() };
        assert!(on_sale([]).when(Credential::OPERATOR, moved).decided().is_err());
    }

    #[test]
    fn a_sale_opens_before_it_closes() {
        let never = ScheduleTimes { sale_closes_at: times().sale_opens_at, ..times() };
        let closed = PublishSchedule { times: never, ..publish() };
        assert!(given([concert(), seats()]).when(Credential::OPERATOR, closed).decided().is_err());
    }

    #[test]
    fn a_sale_closes_with_the_start() {
        let closing = |closes_at| {
            let times = ScheduleTimes { sale_closes_at: closes_at, ..times() };
            given([concert(), seats()]).when(Credential::OPERATOR, PublishSchedule { times, ..publish() }).decided()
        };
        assert!(closing(times().starts_at).is_ok());
        assert!(closing(times().starts_at.plus_seconds(1)).is_err());
    }

    #[test]
    fn a_user_has_1_to_4_seats() {
        let limited = |seats_per_user| {
            given([concert(), seats()])
                .when(Credential::OPERATOR, PublishSchedule { seats_per_user, ..publish() })
                .decided()
        };
        assert_eq!(
            (limited(0).is_ok(), limited(1).is_ok(), limited(4).is_ok(), limited(5).is_ok()),
            (false, true, true, false)
        );
    }

    #[test]
    fn a_schedule_is_published_under_its_own_concert() {
        let stolen = PublishSchedule { concert_id: CONCERT.successor(), ..publish() };
        let reason = "schedule 1 belongs to concert 1".to_owned();
        given([concert(), seats()]).when(Credential::OPERATOR, stolen).refuses(Rejection::CatalogueConflict { reason });
    }
}
