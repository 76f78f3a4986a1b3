//! The difference between this machine's clock and the clock of the engine that holds the log. A node with a wrong
//! clock would let holds expire early or tokens live too long, for everyone. So it takes no commands.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::log::EventLog;

/// How far the clocks may be apart, in milliseconds.
const MAX_CLOCK_SKEW_MILLIS: i64 = 2_000;
/// How often the log's clock is read.
const READ_EVERY: Duration = Duration::from_secs(1);

/// The last reading of the log's clock. Between two readings the monotonic clock of this machine is added to it, so
/// that a jump of this machine's wall clock is seen at once.
#[derive(Clone)]
pub struct ClockSkew(watch::Receiver<Option<Reading>>);

/// Reads the log's clock.
pub struct ClockReader(watch::Sender<Option<Reading>>);

/// One reading: the log's clock showed `shown` at some instant between `asked_at` and `answered_at`.
#[derive(Debug, Clone, Copy)]
struct Reading {
    shown: Timestamp,
    asked_at: Instant,
    answered_at: Instant,
    /// The name of the clock that this machine's clock is compared with, for messages.
    reference: &'static str,
}

impl ClockSkew {
    /// Makes a skew before the first reading. Until then every clock is in bounds.
    pub fn unread() -> (ClockReader, Self) {
        let (sender, last) = watch::channel(None);
        (ClockReader(sender), Self(last))
    }

    /// Fails if this machine's clock, which shows `now`, is too far off for deciding commands.
    ///
    /// # Errors
    /// The clock is too far off.
    pub fn in_bounds(&self, now: Timestamp) -> Result<(), String> {
        self.last().map_or(Ok(()), |reading| reading.in_bounds(now))
    }

    /// The time for queries: this machine's clock, or the log's clock if this machine's is too far off.
    pub fn time(&self, now: Timestamp) -> Timestamp {
        match self.last() {
            Some(reading) if reading.in_bounds(now).is_err() => reading.after(reading.asked_at),
            Some(_) | None => now,
        }
    }

    /// A copy of the last reading, so that nobody holds the lock around it for longer, or takes it twice.
    fn last(&self) -> Option<Reading> {
        *self.0.borrow()
    }
}

impl Reading {
    /// Fails if a clock that shows `now` is too far off.
    fn in_bounds(&self, now: Timestamp) -> Result<(), String> {
        // The earliest and the latest time that the log's clock can show now.
        let [least, most] = [self.answered_at, self.asked_at].map(|at| self.after(at).millis());
        let (ahead, behind) = (now.millis().saturating_sub(most), least.saturating_sub(now.millis()));
        let (off, side) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
        if off <= MAX_CLOCK_SKEW_MILLIS {
            return Ok(());
        }
        Err(format!("this machine's clock is {:.1} s {side} {}", off as f64 / 1_000.0, self.reference))
    }

    /// The time that the log's clock shows now if it showed `shown` at the instant `at`.
    fn after(&self, at: Instant) -> Timestamp {
        Timestamp::from_millis(self.shown.millis().saturating_add(millis(at.elapsed())))
    }
}

impl ClockReader {
    /// Reads the log's clock now, and then once a second until no [`ClockSkew`] is left.
    pub async fn start(self, log: Arc<dyn EventLog>) {
        self.read(log.as_ref()).await;
        tokio::spawn(async move {
            while tokio::time::timeout(READ_EVERY, self.0.closed()).await.is_err() {
                self.read(log.as_ref()).await;
            }
        });
    }

    /// Reads the log's clock. If it cannot be read, the last reading stays: then appends fail as well.
    async fn read(&self, log: &dyn EventLog) {
        let asked_at = Instant::now();
        let reference = if log.is_shared() { "the log's" } else { "the time that has passed since the server started" };
        if let Ok(Some(shown)) = log.clock().await {
            self.0.send_replace(Some(Reading { shown, asked_at, answered_at: Instant::now(), reference }));
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::memory::MemoryLog;

    const NOON: Timestamp = Timestamp::from_millis(43_200_000);

    fn after(millis: i64) -> Timestamp {
        Timestamp::from_millis(NOON.millis() + millis)
    }

    async fn watched(log: MemoryLog) -> ClockSkew {
        let (reader, skew) = ClockSkew::unread();
        reader.start(Arc::new(log)).await;
        skew
    }

    async fn at_noon() -> ClockSkew {
        let log = MemoryLog::new();
        log.set_clock(NOON);
        watched(log).await
    }

    #[tokio::test(start_paused = true)]
    async fn two_seconds_are_in_bounds_and_a_millisecond_more_is_not() {
        let skew = at_noon().await;
        for millis in [-2_000, 0, 2_000] {
            assert_eq!(skew.in_bounds(after(millis)), Ok(()));
        }
        assert_eq!(skew.in_bounds(after(-2_001)).unwrap_err(), "this machine's clock is 2.0 s behind the log's");
        assert_eq!(skew.in_bounds(after(2_001)).unwrap_err(), "this machine's clock is 2.0 s ahead of the log's");
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_between_two_readings_is_seen_at_once() {
        let skew = at_noon().await;
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(skew.in_bounds(after(500)), Ok(()));
        assert!(skew.in_bounds(after(3_600_000)).is_err());
        assert_eq!([after(501), after(3_600_000)].map(|now| skew.time(now)), [after(501), after(500)]);
    }

    /// A lock that is taken twice for reading never opens if a writer comes in between.
    #[test]
    fn a_new_reading_never_stops_those_who_ask_for_the_time() {
        let (ClockReader(readings), skew) = ClockSkew::unread();
        let at = Instant::now();
        let reading = Reading { shown: NOON, asked_at: at, answered_at: at, reference: "the log's" };
        let (done, is_done) = std::sync::mpsc::channel();
        for _ in 0..2 {
            let (skew, done) = (skew.clone(), done.clone());
            std::thread::spawn(move || {
                (0..100_000).for_each(|_| _ = skew.time(NOON));
                done.send(()).unwrap();
            });
        }
        std::thread::spawn(move || {
            (0..100_000).for_each(|_| _ = readings.send_replace(Some(reading)));
            done.send(()).unwrap();
        });
        for _ in 0..3 {
            is_done.recv_timeout(Duration::from_secs(60)).expect("nobody waits for ever");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_without_a_clock_sets_no_bounds() {
        let skew = watched(MemoryLog::new()).await;
        assert_eq!(skew.in_bounds(Timestamp::from_millis(0)), Ok(()));
    }
}
