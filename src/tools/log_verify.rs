//! `reprise log verify`: proves that the log is as it was written, and that every event keeps the rules.

use std::ops::ControlFlow;
use std::time::Instant;

use domain::{Head, Position};
use projections::rfc3339;
use serde::Serialize;
use uuid::Uuid;

use super::checker::Checker;
use super::output::{Said, count};
use super::{ToolError, source};
use crate::config::Expected;
use crate::engine::{StreamError, decode};
use crate::past::{PastError, walk};
use crate::place::Place;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    ok: bool,
    /// The first position with a fault.
    position: Option<Position>,
    reason: Option<String>,
    log_id: Option<Uuid>,
    /// The number of good records.
    events: u64,
    head_hash: Option<String>,
    last_recorded_at: Option<String>,
    seconds: f64,
    events_per_second: u64,
}

/// Proves the chain of hashes, that no record is missing, and that every event is known and keeps the rules.
pub async fn run(place: &Place, expected: Option<Expected>, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let end = log.head().await.map_or(Position::START, |head| head.position);
    let bar = source::progress_bar("verifying", end, json);
    let started = Instant::now();
    let (mut checker, mut found) = (Checker::default(), Verified::default());
    let mut wrong: Option<(Position, String)> = None;
    let mut last = None;
    let walked = walk(&log, None, decode, |recorded| {
        let Head { position, hash } = recorded.head;
        if let Some(created) = recorded.event.log_created() {
            found.log_id = Some(created.log_id);
        }
        checker.check(recorded);
        let noted = expected.filter(|noted| noted.0.position == position && noted.0.hash != hash);
        if let Some(violation) = checker.violations().first() {
            wrong = Some((violation.position, format!("{}: {}", violation.proof, violation.reason)));
        } else if noted.is_some() {
            wrong = Some((position, "the record has another hash than the one that was noted".to_owned()));
        } else {
            last = Some((recorded.head, recorded.recorded_at));
            found.events = position.get();
        }
        if found.events.is_multiple_of(4_096) {
            bar.set_position(found.events);
        }
        if wrong.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await;
    match (walked, wrong) {
        (Err(PastError::Stopped(StreamError::Wrong { position, reason })), _) => wrong = Some((position, reason)),
        (Err(error), _) => return Err(error.into()),
        (Ok(_), Some(known)) => wrong = Some(known),
        (Ok(head), None) => wrong = at_the_end(&mut checker, head, expected),
    }
    found.ok = wrong.is_none();
    (found.head_hash, found.last_recorded_at) =
        last.map(|(head, recorded_at)| (head.hash.to_string(), rfc3339(recorded_at))).unzip();
    (found.position, found.reason) = wrong.unzip();
    found.seconds = started.elapsed().as_secs_f64();
    found.events_per_second = (found.events as f64 / found.seconds.max(f64::EPSILON)) as u64;
    let text = text(&found);
    Ok(Said::verdict(found.ok, &found, text))
}

/// Checks the rules that need the whole log.
fn at_the_end(checker: &mut Checker, head: Head, expected: Option<Expected>) -> Option<(Position, String)> {
    checker.finish();
    if let Some(violation) = checker.violations().first() {
        return Some((violation.position, format!("{}: {}", violation.proof, violation.reason)));
    }
    let noted = expected?.0.position;
    (noted > head.position)
        .then(|| (head.position.next(), format!("the log ends before position {noted}, which was noted")))
}

fn text(found: &Verified) -> String {
    let rate = format!("{:.3} s, {} events/s", found.seconds, count(found.events_per_second));
    match (&found.position, &found.reason) {
        (Some(position), Some(reason)) => {
            format!(
                "WRONG at position {position}: {reason}\n{} records before it are intact ({rate})",
                count(found.events)
            )
        }
        _ => format!(
            "the log is intact: {} records, the last of {}; each fits its hash and keeps the rules ({rate})\nhead {}:{}",
            count(found.events),
            found.last_recorded_at.as_deref().unwrap_or("no time"),
            found.events,
            found.head_hash.as_deref().unwrap_or("-"),
        ),
    }
}
