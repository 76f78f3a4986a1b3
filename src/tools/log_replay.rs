//! `reprise bench replay`: how fast a log is read, in the steps that start-up and the tools are made of.

use std::ops::ControlFlow;
use std::time::Instant;

use domain::{Position, Record};
use indicatif::HumanCount;
use serde::Serialize;

use super::BenchError;
use crate::config::Place;
use crate::engine::{self, PAGE_RECORDS, Range, StartError, decode, stream};
use crate::log::{self, EventLog, FolderLock, ReadError};

/// How fast the log went through a step and all before it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    step: &'static str,
    seconds: f64,
    events_per_second: u64,
    /// Of types, data and metadata.
    log_bytes_per_second: u64,
}

/// A log's length.
#[derive(Clone, Copy)]
struct Size {
    events: u64,
    bytes: u64,
}

/// Runs `reprise bench replay`: each step is measured with all before it.
///
/// # Errors
/// There is no log, a server holds it, or it is not what was written.
pub async fn replay(place: &Place, json: bool) -> Result<String, BenchError> {
    log::must_exist(&place.log, &place.data)?;
    let _lock = FolderLock::take(&place.data)?;
    let log = log::open(&place.log, &place.data).await?;
    let started = Instant::now();
    let size = read(log.as_ref()).await.map_err(StartError::from)?;
    let mut steps = vec![Step::of("read", size, started)];
    let started = Instant::now();
    stream(&log, Range::ALL, Ok, |_: Vec<Record>| ControlFlow::Continue(())).await.map_err(StartError::from)?;
    steps.push(Step::of("proved", size, started));
    let started = Instant::now();
    stream(&log, Range::ALL, decode, |_| ControlFlow::Continue(())).await.map_err(StartError::from)?;
    steps.push(Step::of("decoded", size, started));
    let started = Instant::now();
    let replayed = engine::replay(&log, |_| {}).await?;
    steps.push(Step::of("folded", size, started));
    // Dropping a large state takes a while, and says nothing.
    std::mem::forget(replayed);
    Ok(told(size, &steps, json))
}

/// Reads the log, and does nothing with it.
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

impl Step {
    fn of(step: &'static str, size: Size, started: Instant) -> Self {
        let seconds = started.elapsed().as_secs_f64();
        let per_second = |count: u64| (count as f64 / seconds) as u64;
        let (events_per_second, log_bytes_per_second) = (per_second(size.events), per_second(size.bytes));
        Self { step, seconds, events_per_second, log_bytes_per_second }
    }
}

fn told(size: Size, steps: &[Step], json: bool) -> String {
    let Size { events, bytes } = size;
    if json {
        return serde_json::json!({ "events": events, "logBytes": bytes, "steps": steps }).to_string();
    }
    let mut text = format!("{} events, {} bytes\n", HumanCount(events), HumanCount(bytes));
    for Step { step, seconds, events_per_second, log_bytes_per_second } in steps {
        let (events, megabytes) = (HumanCount(*events_per_second).to_string(), log_bytes_per_second / 1_000_000);
        text.push_str(&format!("{step:<8} {seconds:>7.3} s {events:>11} events/s {megabytes:>5} MB/s\n"));
    }
    text
}
