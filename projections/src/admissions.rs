//! How many were let in lately: what a waiting time is estimated by.

use domain::Timestamp;
use imbl::OrdMap;

/// How far back admissions count, in seconds.
pub(crate) const WINDOW_SECONDS: i64 = 60;

/// Admissions by record time. A running sum, so that a window is counted by two look-ups, however many are in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Admissions {
    /// How many there were in all up to and at each time, of the times within the window.
    up_to: OrdMap<Timestamp, u64>,
    /// How many there were before these times.
    before: u64,
}

impl Admissions {
    fn total(&self) -> u64 {
        self.up_to.get_max().map_or(self.before, |(_, total)| *total)
    }

    pub(crate) fn count(&mut self, admitted_at: Timestamp) {
        let total = self.total() + 1;
        self.up_to.insert(admitted_at, total);
    }

    /// How many there were in the last minute before `now`, which is not before the last record's time.
    pub(crate) fn last_minute(&self, now: Timestamp) -> u64 {
        let earlier = self.up_to.get_prev(&now.plus_seconds(-WINDOW_SECONDS)).map_or(self.before, |(_, total)| *total);
        self.total() - earlier
    }

    /// Forgets what no later minute counts.
    pub(crate) fn forget(&mut self, recorded_at: Timestamp) {
        let window_begin = recorded_at.plus_seconds(-WINDOW_SECONDS);
        while let Some((admitted_at, total)) = self.up_to.get_min().copied()
            && admitted_at <= window_begin
        {
            self.before = total;
            self.up_to.remove(&admitted_at);
        }
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
    fn forgetting_changes_no_later_minute_and_keeps_no_more_than_one() {
        let (mut pruned, mut whole) = (Admissions::default(), Admissions::default());
        for second in 0..200 {
            let now = T0.plus_seconds(second);
            pruned.count(now);
            whole.count(now);
            pruned.forget(now);
            assert_eq!(pruned.last_minute(now), whole.last_minute(now));
            assert_eq!(pruned.last_minute(now.plus_seconds(20)), whole.last_minute(now.plus_seconds(20)));
        }
        assert_eq!(pruned.up_to.len(), 60);
    }
}
