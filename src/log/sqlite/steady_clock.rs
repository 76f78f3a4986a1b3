//! A clock that cannot be set: the time that this machine's clock showed once, plus the time since.

use std::time::{Duration, Instant};

use domain::Timestamp;

/// The file with the seconds since the machine was started, with those in which it slept, with two digits after the
/// point. <https://man7.org/linux/man-pages/man5/proc_uptime.5.html>
const UPTIME: &str = "/proc/uptime";

/// The time that this machine's clock showed, and the instant of that.
#[derive(Debug)]
pub(super) struct SteadyClock {
    shown: Timestamp,
    uptime: Option<Duration>,
    at: Instant,
}

impl SteadyClock {
    /// Takes this machine's clock as it is now.
    pub(super) fn start() -> Self {
        let shown = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
        Self { shown, uptime: uptime(), at: Instant::now() }
    }

    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        // The uptime includes the time in which the machine slept, if the system counts it. `elapsed` may not.
        let slept = self.uptime.zip(uptime()).map(|(then, now)| now.saturating_sub(then));
        let since = slept.unwrap_or_default().max(self.at.elapsed());
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.shown.millis().saturating_add(millis))
    }
}

fn uptime() -> Option<Duration> {
    let text = std::fs::read_to_string(UPTIME).ok()?;
    Duration::try_from_secs_f64(text.split_whitespace().next()?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_on_by_itself() {
        let clock = SteadyClock::start();
        std::thread::sleep(Duration::from_millis(50));
        let passed = clock.now().millis() - clock.shown.millis();
        assert!((50..5_000).contains(&passed), "{passed} ms");
    }
}
