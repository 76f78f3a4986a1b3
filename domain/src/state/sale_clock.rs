//! Sale time: the clock minus all pauses. Deadlines are kept in sale time, so that a pause need not rewrite or reorder
//! them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{PauseChange, RoomEvent, SalePaused, SaleResumed};
use crate::values::{SaleTime, Timestamp};

/// The clock of sale time, which knows the pauses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleClock {
    /// The length of all pauses that have ended, in milliseconds.
    paused_millis: i64,
    /// The pause that has no event of its end yet.
    pause: Option<Pause>,
}

/// A pause: nothing new is held, and nobody is admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The begin of the pause.
    pub since: Timestamp,
    /// The operator's reason.
    pub reason: Arc<str>,
    /// The time when the pause ends automatically. `None` if an operator must end it.
    pub resumes_at: Option<Timestamp>,
}

impl Pause {
    /// True if the pause's end has come, even if no event says so yet.
    fn is_over(&self, now: Timestamp) -> bool {
        self.resumes_at.is_some_and(|resumes_at| now >= resumes_at)
    }
}

impl SaleClock {
    /// Sale time at `now`. `now` must not be before the begin of the last pause.
    pub fn at(&self, now: Timestamp) -> SaleTime {
        let since = self.pause.as_ref().map_or(now, |pause| pause.since.min(now));
        let until =
            self.pause.as_ref().and_then(|pause| pause.resumes_at).map_or(now, |resumes_at| resumes_at.min(now));
        let stopped = (until.millis() - since.millis()).max(0);
        SaleTime::from_millis(now.millis() - self.paused_millis - stopped)
    }

    /// The pause that holds at `now`.
    pub fn pause(&self, now: Timestamp) -> Option<&Pause> {
        self.pause.as_ref().filter(|pause| !pause.is_over(now))
    }

    /// The end of a pause that is over at `now` and has no event of its end yet.
    pub fn overdue(&self, now: Timestamp) -> Option<Timestamp> {
        self.pause.as_ref().filter(|pause| pause.is_over(now))?.resumes_at
    }

    /// The clock's time at a deadline, if no pause comes before it.
    pub fn clock_of(&self, deadline: SaleTime, now: Timestamp) -> Timestamp {
        Timestamp::from_millis(deadline.millis() + (now.millis() - self.at(now).millis()))
    }

    /// Folds an event that pauses or resumes the sale.
    pub fn fold(&mut self, event: &RoomEvent) {
        match event.pause_change() {
            Some(PauseChange::Paused(paused)) => self.fold_pause(paused),
            Some(PauseChange::Resumed(resumed)) => self.fold_resumption(resumed),
            None => {}
        }
    }

    /// Folds a pause. If a pause holds already, its reason and end are replaced.
    pub fn fold_pause(&mut self, paused: &SalePaused) {
        let SalePaused { reason, resumes_at, paused_at, .. } = paused;
        let since = self.pause.as_ref().map_or(*paused_at, |pause| pause.since);
        self.pause = Some(Pause { since, reason: reason.as_str().into(), resumes_at: *resumes_at });
    }

    /// Folds that the sale was resumed.
    pub fn fold_resumption(&mut self, resumed: &SaleResumed) {
        if let Some(pause) = self.pause.take() {
            self.paused_millis += (resumed.resumed_at.millis() - pause.since.millis()).max(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::T0;
    use crate::values::RoomId;

    fn at(seconds: i64) -> Timestamp {
        T0.plus_seconds(seconds)
    }

    fn paused(clock: &mut SaleClock, seconds: i64, resumes: Option<i64>) {
        let (room_id, reason) = (RoomId::FIRST, "rain".to_owned());
        clock.fold_pause(&SalePaused { room_id, reason, resumes_at: resumes.map(at), paused_at: at(seconds) });
    }

    fn resumed(clock: &mut SaleClock, seconds: i64) {
        clock.fold_resumption(&SaleResumed { room_id: RoomId::FIRST, reason: None, resumed_at: at(seconds) });
    }

    fn told(clock: &SaleClock, seconds: i64) -> i64 {
        (clock.at(at(seconds)).millis() - T0.millis()) / 1_000
    }

    #[test]
    fn before_the_first_pause_sale_time_is_the_clock() {
        assert_eq!(SaleClock::default().at(T0).millis(), T0.millis());
    }

    #[test]
    fn it_stands_still_while_the_sale_is_paused_and_goes_on_afterwards() {
        let mut clock = SaleClock::default();
        paused(&mut clock, 10, None);
        assert_eq!([5, 10, 11, 99].map(|seconds| told(&clock, seconds)), [5, 10, 10, 10]);
        resumed(&mut clock, 100);
        assert_eq!([100, 101].map(|seconds| told(&clock, seconds)), [10, 11]);
        paused(&mut clock, 110, None);
        resumed(&mut clock, 115);
        assert_eq!(told(&clock, 116), 21);
        assert_eq!(clock.clock_of(SaleTime::from_millis(T0.millis()), at(200)), at(95));
    }

    #[test]
    fn a_pause_is_over_at_its_end_though_no_event_says_so() {
        let mut clock = SaleClock::default();
        paused(&mut clock, 10, Some(20));
        assert!(clock.pause(at(19)).is_some() && clock.overdue(at(19)).is_none());
        assert!(clock.pause(at(20)).is_none());
        assert_eq!(clock.overdue(at(25)), Some(at(20)));
        assert_eq!(told(&clock, 25), 15);
        resumed(&mut clock, 20);
        assert_eq!(told(&clock, 25), 15, "whether or not an event has said so");
    }

    #[test]
    fn pausing_again_replaces_reason_and_end_and_not_the_beginning() {
        let mut clock = SaleClock::default();
        paused(&mut clock, 10, Some(20));
        paused(&mut clock, 15, None);
        assert_eq!(told(&clock, 99), 10);
        assert_eq!(clock.pause(at(99)).map(|pause| pause.since), Some(at(10)));
    }
}
