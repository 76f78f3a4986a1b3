//! `reprise bench replay`: how fast a log is read, in the steps that start-up and the tools are made of.

use std::time::Instant;

use domain::{Head, Record};

use super::BenchError;
use crate::config::Place;
use crate::engine::{self, StartError, decode, stream};
use crate::log::{self, FolderLock};

/// Runs `reprise bench replay`: each step is measured with all before it.
///
/// # Errors
/// There is no log, a server holds it, or it is not what was written.
pub async fn replay(place: &Place) -> Result<(), BenchError> {
    log::must_exist(&place.log, &place.data)?;
    let _lock = FolderLock::take(&place.data)?;
    let log = log::open(&place.log, &place.data).await?;
    let started = Instant::now();
    let events = stream(&log, Head::EMPTY, Ok, |_: Vec<Record>| Ok::<(), StartError>(())).await?;
    tell("read and proved", events, started);
    let started = Instant::now();
    stream(&log, Head::EMPTY, decode, |_| Ok::<(), StartError>(())).await?;
    tell("and decoded", events, started);
    let started = Instant::now();
    let replayed = engine::replay(&log, |_| {}).await?;
    tell("and folded", events, started);
    // Dropping a large state takes a while, and says nothing.
    std::mem::forget(replayed);
    Ok(())
}

fn tell(step: &str, events: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!("{step}: {events} events in {seconds:.3} s, {:.0}/s", events as f64 / seconds);
}
