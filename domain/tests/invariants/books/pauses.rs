//! The books of pauses: sale time is the clock minus all of them.

use domain::{PauseChange, SalePaused, SaleResumed, SaleTime, Timestamp};

use super::Books;

impl Books {
    /// Writes down that the sale was paused, or goes on.
    pub(super) fn write_pause(&mut self, change: PauseChange<'_>) {
        let (now, sale_now) = (self.now, self.sale_time(self.now));
        match change {
            PauseChange::Paused(SalePaused { paused_at, resumes_at, .. }) => {
                assert_eq!(*paused_at, now);
                assert!(resumes_at.is_none_or(|resumes_at| now < resumes_at), "a pause was over before it began");
                assert!(self.pause.is_none() || self.is_paused(now), "a pause that is over was made longer");
                let since = self.pause.map_or(now, |(since, _)| since);
                self.pause = Some((since, *resumes_at));
            }
            PauseChange::Resumed(SaleResumed { resumed_at, reason, .. }) => {
                let (since, until) = self.pause.take().expect("what goes on was paused");
                let by_itself = until.filter(|until| now >= *until);
                assert_eq!((*resumed_at, reason.is_none()), (by_itself.unwrap_or(now), by_itself.is_some()));
                self.paused_millis += resumed_at.millis() - since.millis();
                assert_eq!(self.sale_time(now), sale_now, "sale time jumped");
            }
        }
    }

    /// Sale time at `now`.
    pub(super) fn sale_time(&self, now: Timestamp) -> SaleTime {
        let stopped = self.pause.map_or(0, |(since, until)| {
            let until = until.map_or(now, |until| until.min(now));
            until.millis() - since.millis()
        });
        SaleTime::from_millis(now.millis() - self.paused_millis - stopped)
    }

    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        self.pause.is_some_and(|(_, until)| until.is_none_or(|until| now < until))
    }
}
