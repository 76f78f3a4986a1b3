//! Progress bars on a terminal. Nothing is drawn if standard error is not a terminal.

use std::fmt::Write;
use std::time::Duration;

use domain::Position;
use indicatif::{HumanCount, ProgressBar, ProgressFinish, ProgressState, ProgressStyle};

/// How long the work must have run before its end is estimated: the first page is not typical.
const FIRST_ESTIMATE: Duration = Duration::from_secs(2);

/// Makes a bar for the events after `begin`, up to `end`.
pub fn of_events(what: &'static str, begin: Position, end: Position) -> ProgressBar {
    bar("{msg} {bar:40} {human_pos}/{human_len} events{rate}{time_left}", begin.get(), end.get()).with_message(what)
}

/// Makes a bar with a template of indicatif. It is removed before anything else is printed. `{rate}` is the mean since
/// the beginning, and `{time_left}` follows from it, each with a comma before it. Both are empty until there is a mean.
pub fn bar(template: &'static str, begin: u64, end: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is a constant");
    let per_second = move |state: &ProgressState| per_second(state.pos().saturating_sub(begin), state.elapsed());
    let rate = move |state: &ProgressState, out: &mut dyn Write| {
        let _ = per_second(state).map_or(Ok(()), |rate| write!(out, ", {}/s", HumanCount(rate as u64)));
    };
    let time_left = move |state: &ProgressState, out: &mut dyn Write| {
        let left = state.len().unwrap_or(end).saturating_sub(state.pos());
        let _ = per_second(state).map_or(Ok(()), |rate| write!(out, ", {} left", duration(left as f64 / rate)));
    };
    let style = style.with_key("rate", rate).with_key("time_left", time_left);
    ProgressBar::new(end).with_style(style).with_finish(ProgressFinish::AndClear).with_position(begin)
}

fn per_second(done: u64, elapsed: Duration) -> Option<f64> {
    (done > 0 && elapsed >= FIRST_ESTIMATE).then(|| done as f64 / elapsed.as_secs_f64())
}

/// Formats a time in a suitable unit.
fn duration(seconds: f64) -> String {
    match seconds.ceil() as u64 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_of_the_rate_before_there_is_one() {
        assert_eq!(per_second(0, Duration::from_secs(60)), None);
        assert_eq!(per_second(4_096, FIRST_ESTIMATE - Duration::from_millis(1)), None);
        assert_eq!(per_second(4_096, FIRST_ESTIMATE), Some(2_048.0));
    }

    #[test]
    fn a_time_is_told_in_one_unit() {
        let told = [0.2, 119.0, 119.5, 7_199.0, 7_201.0].map(duration);
        assert_eq!(told, ["1 s", "119 s", "2 min", "120 min", "3 h"]);
    }
}
