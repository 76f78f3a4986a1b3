//! Folding events, and building everything anew from a log of the program's own making.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use domain::{Position, Record, RecordedEvent, State};
use projections::ReadModels;
use reprise::engine::{PAGE_RECORDS, Range, decode, replay, stream};
use reprise::log::{EventLog, LogAddress, open};

use crate::http::child;
use crate::table::Row;
use crate::{BenchError, Options};

const NAME: &str = "fold";
/// Events of the log.
const EVENTS: u64 = 200_000;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let folder = options.folder()?;
    let data = child::text(folder.path())?;
    child::program(&["log", "make", "--ends-now", "--events", &EVENTS.to_string(), "--data", data])?;
    let log = open(&LogAddress::Sqlite, folder.path()).await?;
    let mut rows = Vec::new();
    let mut tell = |what: &str, started: Instant| {
        rows.push(Row::figure(NAME, what, EVENTS as f64 / started.elapsed().as_secs_f64(), "events/s"));
    };

    let events = events(&log).await?;
    let started = Instant::now();
    let state = events.iter().fold(State::default(), |mut state, event| {
        state.apply(event);
        state
    });
    tell("folding events into the state", started);
    let started = Instant::now();
    let read_models = events.iter().fold(ReadModels::default(), |mut read_models, event| {
        read_models.apply(event);
        read_models
    });
    tell("folding events into the state and the read models", started);
    drop((events, state, read_models));

    let started = Instant::now();
    let proved = stream(&log, Range::ALL, Ok, |_: Vec<Record>| ControlFlow::Continue(())).await?;
    tell("reading and proving the log", started);
    assert_eq!(proved.position.get(), EVENTS, "the log is as long as it was made");
    let started = Instant::now();
    let replayed = replay(&log, |_| {}).await?;
    tell("rebuilding from the log: read, prove, decode, fold", started);
    drop(replayed);
    log.close().await;
    let started = Instant::now();
    child::program(&["projections", "rebuild", "all", "--data", data])?;
    tell("rebuilding the read models in SQL", started);
    Ok(rows)
}

/// Every event of a log.
pub async fn events(log: &Arc<dyn EventLog>) -> Result<Vec<RecordedEvent>, BenchError> {
    let mut events = Vec::new();
    let mut after = Position::START;
    loop {
        let page = log.read(after, PAGE_RECORDS).await?;
        let Some(last) = page.last() else { return Ok(events) };
        after = last.position;
        for record in page {
            events.push(decode(record)?);
        }
    }
}
