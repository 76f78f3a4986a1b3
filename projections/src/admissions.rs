//! The number of recent admissions, from which waiting times are estimated.

use domain::Timestamp;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// How far back admissions count, in seconds.
pub(crate) const WINDOW_SECONDS: i64 = 60;

/// Admissions by record time, as a running sum. So a window is counted with two look-ups, however many admissions are
/// in it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Admissions {
    /// For each time within the window: the number of all admissions up to it.
    up_to: OrdMap<Timestamp, u64>,
    /// The number of admissions before these times.
    before: u64,
}

impl Admissions {
    fn total(&self) -> u64 {
        self.up_to.get_max().map_or(self.before, |(_, total)| *total)
    }

    /// Counts an admission, and forgets times that no later window needs.
    pub(crate) fn count(&mut self, admitted_at: Timestamp) {
        let total = self.total() + 1;
        self.up_to.insert(admitted_at, total);
        let window_begin = admitted_at.plus_seconds(-WINDOW_SECONDS);
        while let Some((earliest, total)) = self.up_to.get_min().copied()
            && earliest <= window_begin
        {
            self.before = total;
            self.up_to.remove(&earliest);
        }
    }

    /// The number of admissions in the last minute before `now`. `now` must not be before the last record's time.
    pub(crate) fn last_minute(&self, now: Timestamp) -> u64 {
        let earlier = self.up_to.get_prev(&now.plus_seconds(-WINDOW_SECONDS)).map_or(self.before, |(_, total)| *total);
        self.total() - earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::spec::T0;

    #[test]
    fn an_admission_counts_for_a_minute() {
        let mut admissions = Admissions::default();
        admissions.count(T0);
        admissions.count(T0);
        admissions.count(T0.plus_seconds(30));
        assert_eq!(admissions.last_minute(T0.plus_seconds(59)), 3);
        assert_eq!(admissions.last_minute(T0.plus_seconds(60)), 1);
        assert_eq!(admissions.last_minute(T0.plus_seconds(90)), 0);
    }

    #[test]
    fn only_a_minute_is_kept_and_still_counted_right() {
        let mut admissions = Admissions::default();
        for second in 0..200 {
            admissions.count(T0.plus_seconds(second));
        }
        assert_eq!(admissions.up_to.len(), 60);
        assert_eq!(admissions.last_minute(T0.plus_seconds(199)), 60);
        assert_eq!(admissions.last_minute(T0.plus_seconds(219)), 40);
        assert_eq!(admissions.total(), 200);
    }
}
