//! A draw of a million entrants, and then a thousand admissions in each tick: from when the sequencer read the clock until
//! every query sees it, the append included.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Position, Timestamp};
use reprise::data_folder::system_clock;
use reprise::engine::Engine;
use reprise::log::{EventLog, LogAddress, open};

use crate::node::Node;
use crate::sale::{self, Plan};
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

const NAME: &str = "draw";
const ENTRANTS: u64 = 1_000_000;
/// Admissions in a tick, and how many such ticks there are.
const WAVE: u64 = domain::limits::MAX_TICK_EVENTS as u64;
const WAVES: u64 = 9;
/// How often it is looked.
const LOOK: Duration = Duration::from_micros(100);
const AT_MOST: Duration = Duration::from_secs(10);
const DRAWN_WITHIN_MS: f64 = 50.0;
const ADMITTED_WITHIN_MS: f64 = 15.0;

/// Runs it. The opening time is over when the node starts, so its first tick closes entry, and the next one draws.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let folder = options.folder()?;
    let log = open(&LogAddress::Sqlite, folder.path()).await?;
    let plan = Plan { people: ENTRANTS, capacity: WAVE * WAVES, opens_in_seconds: Some(0), ..Plan::default() };
    sale::prepare(log.as_ref(), folder.path(), plan).await?;
    let node = Node::start(Arc::clone(&log), folder.path()).await?;
    let engine = node.engine.clone();
    let seen = tokio::task::spawn_blocking(move || watch(&engine)).await??;
    let drawn_ms = since_decided(&log, seen.draw).await?;
    let mut admitted_ms = Vec::new();
    for wave in seen.waves {
        admitted_ms.push(since_decided(&log, wave).await?);
    }
    admitted_ms.sort_by(f64::total_cmp);
    drop(log);
    node.stop().await?;
    let (median, most) = (admitted_ms[admitted_ms.len() / 2], admitted_ms.last().copied().unwrap_or_default());
    Ok(vec![
        Row::figure(NAME, "a draw of a million: decided, appended and shown", drawn_ms, "ms")
            .must(Bound::Below(DRAWN_WITHIN_MS)),
        Row::figure(NAME, "1,000 admissions in a tick, likewise, median of nine", median, "ms")
            .noting(format!("{most} ms at most"))
            .must(Bound::Below(ADMITTED_WITHIN_MS)),
    ])
}

/// A record, and when queries saw what it says.
#[derive(Clone, Copy)]
struct Shown {
    position: Position,
    at: Timestamp,
}

struct Seen {
    draw: Shown,
    waves: Vec<Shown>,
}

/// Looks at the read models until all has happened.
fn watch(engine: &Engine) -> Result<Seen, BenchError> {
    let (clock, until) = (system_clock(), Instant::now() + AT_MOST);
    let (mut draw, mut waves) = (None, Vec::new());
    while Instant::now() < until {
        let (read_models, at) = (engine.read_models(), clock());
        let room = &read_models.state.room;
        if let (None, Some(last)) = (draw, room.openings().last_draw()) {
            draw = Some(Shown { position: last.position, at });
        }
        if room.active() >= WAVE * (waves.len() as u64 + 1) {
            waves.push(Shown { position: read_models.state.head.position, at });
        }
        if let Some(draw) = draw.filter(|_| waves.len() as u64 == WAVES) {
            return Ok(Seen { draw, waves });
        }
        std::thread::sleep(LOOK);
    }
    Err(BenchError::Books(format!("drawn: {}; waves let in: {}", draw.is_some(), waves.len())))
}

/// Milliseconds from when the clock was read for a record until it was shown.
async fn since_decided(log: &Arc<dyn EventLog>, shown: Shown) -> Result<f64, BenchError> {
    let record = log.record(shown.position).await?;
    let recorded_at = record.map_or(shown.at, |record| record.recorded_at);
    Ok((shown.at.millis() - recorded_at.millis()) as f64)
}
