//! What is told at the end: a row for each thing measured, as a table and as JSON.

use serde::Serialize;

use crate::sample::Sample;

/// What must hold of a row.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Bound {
    /// The ratio is at least this.
    RatioAtLeast(f64),
    /// The ratio is at most this.
    RatioAtMost(f64),
    /// The 95th percentile is below this many milliseconds.
    P95Below(f64),
    /// The 99th percentile is at most this many milliseconds.
    P99AtMost(f64),
    /// The figure is below this.
    Below(f64),
}

/// One thing measured.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Which scenario it belongs to.
    pub scenario: String,
    /// What was done.
    pub what: String,
    /// By how many clients at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<usize>,
    /// How often in a second, or the figure in `unit`.
    pub figure: f64,
    /// What is counted.
    pub unit: &'static str,
    /// The figure that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<f64>,
    /// The figure as a part of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// Latencies in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    /// The server's processor time for each answer, in microseconds, and that of the other side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_micros: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_cpu_micros: Option<f64>,
    /// Answers by status, where not all are 200 or 304, and what else there is to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What must hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// Whether it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
}

impl Row {
    /// A row of one side's answers.
    pub fn of(scenario: &str, what: impl Into<String>, clients: usize, sample: &Sample) -> Self {
        let cpu = (sample.cpu.seconds() > 0.0).then(|| sample.cpu_micros());
        let has_errors = sample.answers.keys().any(|status| !matches!(status, 200 | 304));
        let note = if has_errors { format!("answers by status: {:?}", sample.answers) } else { String::new() };
        Self {
            scenario: scenario.to_owned(),
            what: what.into(),
            clients: Some(clients),
            figure: sample.rate(),
            unit: "/s",
            p50_ms: Some(sample.quantile_ms(0.5)),
            p95_ms: Some(sample.quantile_ms(0.95)),
            p99_ms: Some(sample.quantile_ms(0.99)),
            cpu_micros: cpu,
            note,
            ..Self::default()
        }
    }

    /// A row of the server's processor time for one answer, compared with another side's.
    pub fn cpu(scenario: &str, what: &str, clients: usize, sample: &Sample, other: &Sample) -> Self {
        let row = Self::figure(scenario, format!("{what}: the server's CPU an answer"), sample.cpu_micros(), "us");
        let row = Self { clients: Some(clients), ..row.against_figure(other.cpu_micros()) };
        row.noting(format!("{}; against {}", sample.cpu_parts(), other.cpu_parts()))
    }

    /// A row of a single figure.
    pub fn figure(scenario: &str, what: impl Into<String>, figure: f64, unit: &'static str) -> Self {
        Self { scenario: scenario.to_owned(), what: what.into(), figure, unit, ..Self::default() }
    }

    /// The same, compared with another side's answers.
    #[must_use]
    pub fn against(self, other: &Sample) -> Self {
        let against_cpu_micros = (other.cpu.seconds() > 0.0).then(|| other.cpu_micros());
        Self { against_cpu_micros, ..self.against_figure(other.rate()) }
    }

    /// The same, compared with another figure.
    #[must_use]
    pub fn against_figure(self, other: f64) -> Self {
        let ratio = Some(self.figure / other.max(f64::EPSILON));
        Self { against: Some(other), ratio, ..self }
    }

    /// The same with something more to say.
    #[must_use]
    pub fn noting(mut self, note: impl AsRef<str>) -> Self {
        if !self.note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(note.as_ref());
        self
    }

    /// The same, held to a bound.
    #[must_use]
    pub fn must(self, bound: Bound) -> Self {
        let holds = match bound {
            Bound::RatioAtLeast(least) => self.ratio.is_some_and(|ratio| ratio >= least),
            Bound::RatioAtMost(most) => self.ratio.is_some_and(|ratio| ratio <= most),
            Bound::P95Below(most) => self.p95_ms.is_some_and(|ms| ms < most),
            Bound::P99AtMost(most) => self.p99_ms.is_some_and(|ms| ms <= most),
            Bound::Below(most) => self.figure < most,
        };
        Self { bound: Some(bound), holds: Some(holds), ..self }
    }

    fn cells(&self) -> [String; 11] {
        let optional = |value: Option<f64>, digits: usize| value.map_or(String::new(), |v| format!("{v:.digits$}"));
        let bound = match self.bound {
            Some(Bound::RatioAtLeast(least)) => format!(">= {least}"),
            Some(Bound::RatioAtMost(most)) => format!("<= {most}"),
            Some(Bound::P95Below(most)) => format!("p95 < {most}"),
            Some(Bound::P99AtMost(most)) => format!("p99 <= {most}"),
            Some(Bound::Below(most)) => format!("< {most}"),
            None => String::new(),
        };
        let bound = match self.holds {
            Some(true) => format!("{bound} ok"),
            Some(false) => format!("{bound} SHORT"),
            None => bound,
        };
        let digits = if self.figure < 100.0 { 2 } else { 0 };
        let cpu = [self.cpu_micros, self.against_cpu_micros].map(|cpu| optional(cpu, 1));
        [
            self.what.clone(),
            self.clients.map_or(String::new(), |clients| clients.to_string()),
            format!("{:.digits$} {}", self.figure, self.unit),
            optional(self.against, digits),
            optional(self.ratio, 2),
            bound,
            optional(self.p50_ms, 2),
            optional(self.p95_ms, 2),
            optional(self.p99_ms, 2),
            cpu.join(" / ").trim_matches([' ', '/']).to_owned(),
            self.note.clone(),
        ]
    }
}

const HEADINGS: [&str; 11] =
    ["", "clients", "figure", "against", "ratio", "must be", "p50 ms", "p95 ms", "p99 ms", "CPU us", ""];

/// All rows, aligned, each scenario under its name.
pub fn text(rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(Row::cells).collect();
    let widths: [usize; 11] = std::array::from_fn(|column| {
        lines.iter().map(|cells| cells[column].chars().count()).chain([HEADINGS[column].len()]).max().unwrap_or(0)
    });
    let line = |cells: &[String; 11]| {
        let aligned = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
            0 | 10 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        aligned.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&HEADINGS.map(str::to_owned));
    let mut scenario = "";
    for (row, cells) in rows.iter().zip(&lines) {
        if scenario != row.scenario {
            scenario = &row.scenario;
            text.push_str(&format!("{scenario}\n"));
        }
        text.push_str("  ");
        text.push_str(&line(cells));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sample(answers: u64) -> Sample {
        let mut sample = Sample::default();
        sample.seconds = 2.0;
        for _ in 0..answers {
            sample.record(200, Duration::from_millis(3));
        }
        sample
    }

    #[test]
    fn a_ratio_on_its_bound_holds_and_one_below_falls_short() {
        let row = |answers| Row::of("s", "w", 1, &sample(answers)).against(&sample(10)).must(Bound::RatioAtLeast(0.5));
        assert_eq!((row(5).ratio, row(5).holds), (Some(0.5), Some(true)));
        assert_eq!(row(4).holds, Some(false));
        assert!(text(&[row(4)]).contains("SHORT"));
    }

    #[test]
    fn answers_that_are_not_good_do_not_count_as_rate_and_are_shown() {
        let mut sample = sample(10);
        sample.record(503, Duration::from_millis(1));
        assert_eq!((sample.rate(), sample.all()), (5.0, 11));
        assert!(Row::of("s", "w", 1, &sample).note.contains("503: 1"));
    }
}
