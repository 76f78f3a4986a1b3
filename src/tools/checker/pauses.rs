//! The books of pauses: sale time is the clock minus all of them, and deadlines are kept in it.

use domain::{PauseChange, RoomEvent, SalePaused, SaleResumed, SaleTime, Timestamp};

use super::{Findings, Proof};

#[derive(Debug, Default)]
pub struct PausesCheck {
    /// The length of all pauses that ended, in milliseconds.
    ended_millis: i64,
    /// The pause that has no event of its end yet: its begin, and its automatic end.
    open: Option<(Timestamp, Option<Timestamp>)>,
}

impl PausesCheck {
    /// Sale time at `now`.
    pub fn sale_time(&self, now: Timestamp) -> SaleTime {
        let stopped = self.open.map_or(0, |(since, until)| {
            let until = until.map_or(now, |until| until.min(now));
            until.millis() - since.millis()
        });
        SaleTime::from_millis(now.millis() - self.ended_millis - stopped)
    }

    /// True if the sale is paused at `now`.
    pub fn is_paused(&self, now: Timestamp) -> bool {
        self.open.is_some_and(|(_, until)| until.is_none_or(|until| now < until))
    }

    /// Checks an event against the books, and enters it.
    pub fn check(&mut self, event: &RoomEvent, now: Timestamp, findings: &mut Findings) {
        match event.pause_change() {
            Some(PauseChange::Paused(SalePaused { resumes_at, .. })) => {
                let is_ahead = resumes_at.is_none_or(|resumes_at| now < resumes_at);
                findings.holds(Proof::PlacesWereKept, is_ahead && (self.open.is_none() || self.is_paused(now)), || {
                    "a pause ended before it began, or was extended after its end".to_owned()
                });
                let since = self.open.map_or(now, |(since, _)| since);
                self.open = Some((since, *resumes_at));
            }
            Some(PauseChange::Resumed(SaleResumed { resumed_at, reason, .. })) => {
                let by_itself = self.open.and_then(|(_, until)| until).filter(|until| now >= *until);
                let due = (by_itself.unwrap_or(now), by_itself.is_some());
                findings.holds(
                    Proof::PlacesWereKept,
                    self.open.is_some() && (*resumed_at, reason.is_none()) == due,
                    || "the sale was resumed at another time than the end of its pause".to_owned(),
                );
                if let Some((since, _)) = self.open.take() {
                    self.ended_millis += resumed_at.millis() - since.millis();
                }
            }
            None => {}
        }
    }
}
