//! What was measured: how many answers of which kind, how late each came, and what that took of the machine.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::process::Cpu;

/// The longest latency that is told apart from a longer one, in microseconds: a minute.
const MAX_MICROS: u64 = 60_000_000;
/// What a client hopes for, and 409: of many who want one seat, all but one are told that it is taken.
const GOOD: [u16; 3] = [200, 304, 409];
/// Digits that a latency is kept to.
const DIGITS: u8 = 3;
/// A thread that took less of an answer is not told of, in microseconds.
const LEAST_MICROS: f64 = 0.05;

/// One side's rounds, added up.
#[derive(Debug, Clone)]
pub struct Sample {
    /// How long it went on, in seconds.
    pub seconds: f64,
    /// Processor time of the measured process in it; 0 where nobody looked.
    pub cpu: Cpu,
    /// Answers by status.
    pub answers: BTreeMap<u16, u64>,
    /// Arrivals that found no free connection, and were not sent.
    pub unsent: u64,
    /// Answers that were as they should be.
    pub good: u64,
    /// Their latencies.
    latencies: Histogram<u64>,
}

impl Default for Sample {
    fn default() -> Self {
        let latencies = Histogram::new_with_bounds(1, MAX_MICROS, DIGITS).expect("the bounds are in order");
        Self { seconds: 0.0, cpu: Cpu::default(), answers: BTreeMap::new(), unsent: 0, good: 0, latencies }
    }
}

impl Sample {
    /// Counts an answer that came so long after it was asked for.
    pub fn record(&mut self, status: u16, latency: Duration) {
        *self.answers.entry(status).or_default() += 1;
        if GOOD.contains(&status) {
            self.good += 1;
            let micros = u64::try_from(latency.as_micros()).unwrap_or(MAX_MICROS);
            self.latencies.saturating_record(micros.clamp(1, MAX_MICROS));
        }
    }

    /// Adds another round of the same.
    pub fn add(&mut self, round: &Self) {
        self.seconds += round.seconds;
        self.cpu.add(&round.cpu);
        self.unsent += round.unsent;
        self.good += round.good;
        for (status, count) in &round.answers {
            *self.answers.entry(*status).or_default() += count;
        }
        self.latencies.add(&round.latencies).expect("all samples have the same bounds");
    }

    /// All answers.
    pub fn all(&self) -> u64 {
        self.answers.values().sum()
    }

    /// Good answers in a second.
    pub fn rate(&self) -> f64 {
        self.good as f64 / self.seconds.max(f64::EPSILON)
    }

    /// The latency that so many of the good answers have at most, in milliseconds.
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// Processor time an answer, in microseconds.
    pub fn cpu_micros(&self) -> f64 {
        self.micros_an_answer(self.cpu.seconds())
    }

    /// The parts of the processor time an answer, in microseconds, the threads that took most first.
    pub fn cpu_parts(&self) -> String {
        let threads = self.cpu.threads.iter().map(|(name, seconds)| (self.micros_an_answer(*seconds), name));
        let mut threads: Vec<_> = threads.filter(|(micros, _)| *micros >= LEAST_MICROS).collect();
        threads.sort_by(|one, other| other.0.total_cmp(&one.0));
        let threads: Vec<String> = threads.iter().map(|(micros, name)| format!("{name} {micros:.1}")).collect();
        let [user, system] = [self.cpu.user, self.cpu.system].map(|seconds| self.micros_an_answer(seconds));
        format!("user {user:.1}, system {system:.1}; {}", threads.join(", "))
    }

    fn micros_an_answer(&self, seconds: f64) -> f64 {
        seconds * 1e6 / (self.all() as f64).max(1.0)
    }
}
