//! `reprise log replay`: measures how fast a log is read, in the steps of a start and of the tools.

use std::ops::ControlFlow;
use std::time::Instant;

use domain::{Position, Record};
use serde::Serialize;
use serde_json::json;

use super::ToolError;
use super::output::{Said, count};
use crate::data_folder;
use crate::engine::{self, PAGE_RECORDS, Range, decode, stream};
use crate::log::{EventLog, FolderLock, ReadError};
use crate::place::Place;

/// The speed of a step together with all steps before it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    step: &'static str,
    seconds: f64,
    events_per_second: u64,
    /// The bytes of types, data and metadata per second.
    log_bytes_per_second: u64,
}

/// A log's length.
#[derive(Clone, Copy)]
struct Size {
    events: u64,
    bytes: u64,
}

/// Measures each step together with all steps before it.
///
/// # Errors
/// There is no log, a server holds it, or it is damaged.
pub async fn run(place: &Place) -> Result<Said, ToolError> {
    data_folder::must_exist(place)?;
    let lock = FolderLock::take(&place.data)?;
    let log = data_folder::open_log(place, &lock).await?;
    let started = Instant::now();
    let size = read(log.as_ref()).await?;
    let mut steps = vec![Measured::of("read", size, started)];
    let started = Instant::now();
    stream(&log, Range::ALL, Ok, |_: Vec<Record>| ControlFlow::Continue(())).await?;
    steps.push(Measured::of("proved", size, started));
    let started = Instant::now();
    stream(&log, Range::ALL, decode, |_| ControlFlow::Continue(())).await?;
    steps.push(Measured::of("decoded", size, started));
    let started = Instant::now();
    let replayed = engine::replay(&log, |_| {}).await?;
    steps.push(Measured::of("folded", size, started));
    // Not dropped: dropping a large state takes long and is not measured.
    std::mem::forget(replayed);
    Ok(told(size, &steps))
}

/// Reads the log, and does nothing else.
async fn read(log: &dyn EventLog) -> Result<Size, ReadError> {
    let (mut size, mut position) = (Size { events: 0, bytes: 0 }, Position::START);
    loop {
        let records = log.read(position, PAGE_RECORDS).await?;
        let Some(last) = records.last() else { return Ok(size) };
        position = last.position;
        size.events += records.len() as u64;
        size.bytes += records.iter().map(|record| record.size_bytes() as u64).sum::<u64>();
    }
}

impl Measured {
    fn of(step: &'static str, size: Size, started: Instant) -> Self {
        let seconds = started.elapsed().as_secs_f64();
        let per_second = |count: u64| (count as f64 / seconds) as u64;
        let (events_per_second, log_bytes_per_second) = (per_second(size.events), per_second(size.bytes));
        Self { step, seconds, events_per_second, log_bytes_per_second }
    }
}

fn told(size: Size, steps: &[Measured]) -> Said {
    let Size { events, bytes } = size;
    let mut text = format!("{} events, {} bytes\n", count(events), count(bytes));
    for Measured { step, seconds, events_per_second, log_bytes_per_second } in steps {
        let (events, megabytes) = (count(*events_per_second), log_bytes_per_second / 1_000_000);
        text += &format!("{step:<8} {seconds:>7.3} s {events:>11} events/s {megabytes:>5} MB/s\n");
    }
    Said::new(&json!({ "events": events, "logBytes": bytes, "steps": steps }), text)
}
