//! `reprise draw verify`: lists every opening of the log, and proves its draw.

use std::ops::ControlFlow;

use domain::{Event, Head, OpeningEvent, Position, RecordedEvent, RoomEvent, TokenId};
use projections::rfc3339;
use serde::Serialize;

use super::checker::openings::OpeningsCheck;
use super::checker::{Checker, Proof, Violation};
use super::output::{Said, Table, count};
use super::{ToolError, source};
use crate::engine::decode;
use crate::past::walk;
use crate::place::Place;

/// An event of an opening.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    position: Position,
    at: String,
    event: &'static str,
    what: String,
}

/// The place of the requested token.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Traced {
    token_id: TokenId,
    /// The position of the draw that gave the place. `None` before the draw.
    draw_position: Option<Position>,
    entrant: Option<u64>,
    queue_number: u64,
}

/// Reads a log, and finds the first fault of its draws.
#[derive(Debug, Default)]
struct Verifier {
    checker: Checker,
    openings: OpeningsCheck,
    steps: Vec<Step>,
    draws: u64,
    asked: Option<u64>,
    traced: Option<Traced>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified<'a> {
    ok: bool,
    draws: u64,
    violation: Option<&'a Violation>,
    steps: &'a [Step],
    token: Option<&'a Traced>,
}

/// Proves every draw. With `token_id` it also shows the place of that token.
pub async fn run(place: &Place, token_id: Option<u64>, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let end = log.head().await.map_or(Position::START, |head| head.position);
    let bar = source::progress_bar("verifying draws", end, json);
    let mut verifier = Verifier { asked: token_id, ..Verifier::default() };
    let Head { position, hash } = walk(&log, None, decode, |recorded| {
        verifier.see(recorded);
        bar.inc(1);
        if verifier.violation().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await?;
    let violation = verifier.violation();
    if let (Some(asked), None, None) = (token_id, &verifier.traced, violation) {
        return Err(ToolError::NotFound(format!("the log has no token {asked} up to position {position}")));
    }
    let (ok, steps, token) = (violation.is_none(), verifier.steps.as_slice(), verifier.traced.as_ref());
    let mut table = Table::new(["position", "at", "event", "what"], &[0]);
    for step in steps {
        table.row([step.position.to_string(), step.at.clone(), step.event.to_owned(), step.what.clone()]);
    }
    let mut text = format!("{table}\n");
    text.extend(token.map(Traced::text));
    text.push_str(&match violation {
        None => format!("{} draws hold, head {position}:{hash}\n", count(verifier.draws)),
        Some(Violation { position, proof, reason }) => format!("WRONG at position {position}: {proof}: {reason}\n"),
    });
    Ok(Said::verdict(ok, &Verified { ok, draws: verifier.draws, violation, steps, token }, text))
}

impl Verifier {
    fn see(&mut self, recorded: &RecordedEvent) {
        self.checker.check(recorded);
        match &recorded.event {
            Event::Opening(event) => self.follow(event, recorded),
            Event::Room(RoomEvent::TokenIssued(issued)) if Some(issued.token_id.get()) == self.asked => {
                let (token_id, queue_number) = (issued.token_id, issued.queue_number);
                self.traced = Some(Traced { token_id, draw_position: None, entrant: None, queue_number });
            }
            Event::Room(
                RoomEvent::TokenIssued(_)
                | RoomEvent::RoomConfigured(_)
                | RoomEvent::TokenAdmitted(_)
                | RoomEvent::TokenArrived(_)
                | RoomEvent::TokenExpired(_)
                | RoomEvent::RoomLeft(_)
                | RoomEvent::TokenGranted(_)
                | RoomEvent::SalePaused(_)
                | RoomEvent::SaleResumed(_),
            )
            | Event::Log(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(_)
            | Event::Sale(_) => {}
        }
    }

    fn follow(&mut self, event: &OpeningEvent, recorded: &RecordedEvent) {
        let position = recorded.head.position;
        let (at, event_type) = (rfc3339(recorded.recorded_at), recorded.event.event_type());
        self.steps.push(Step { position, at, event: event_type, what: told(event) });
        let Some(drawn) = self.openings.fold(event, recorded.head, None) else { return };
        self.draws += 1;
        if let Some(token) = &mut self.traced
            && let Some(entrant) = drawn.entrant(token.queue_number)
        {
            token.queue_number = drawn.place(token.queue_number);
            (token.entrant, token.draw_position) = (Some(entrant), Some(position));
        }
    }

    /// The first fault of an opening, the line or its numbers. `audit all` proves the other rules.
    fn violation(&self) -> Option<&Violation> {
        let concerns =
            |proof| matches!(proof, Proof::DrawsAreFair | Proof::PlacesWereKept | Proof::NumbersAreConsecutive);
        self.checker.violations().iter().find(|violation| concerns(violation.proof))
    }
}

impl Traced {
    fn text(&self) -> String {
        let Self { token_id, draw_position, entrant, queue_number } = self;
        match (entrant, draw_position) {
            (Some(entrant), Some(draw)) => {
                format!(
                    "token {token_id}: entrant {entrant}, queue number {queue_number} by the draw at position {draw}\n"
                )
            }
            (Some(_) | None, Some(_) | None) => format!("token {token_id}: queue number {queue_number}, not drawn\n"),
        }
    }
}

/// Describes an event of an opening in one line.
fn told(event: &OpeningEvent) -> String {
    let beacon = |source: &Option<String>, at: &Option<domain::Timestamp>| match (source, at) {
        (Some(source), Some(at)) => format!(", beacon {source} at {}", rfc3339(*at)),
        (Some(_) | None, Some(_) | None) => String::new(),
    };
    match event {
        OpeningEvent::OpeningScheduled(scheduled) => format!(
            "pre-queue from {}, opening at {}, commitment {}{}: {}",
            rfc3339(scheduled.prequeue_from),
            rfc3339(scheduled.opens_at),
            scheduled.commitment,
            beacon(&scheduled.beacon_source, &scheduled.beacon_at),
            scheduled.reason
        ),
        OpeningEvent::OpeningMoved(moved) => {
            let beacon = beacon(&moved.beacon_source, &moved.beacon_at);
            format!("moved to {}{beacon}: {}", rfc3339(moved.opens_at), moved.reason)
        }
        OpeningEvent::OpeningWithdrawn(withdrawn) => format!("withdrawn: {}", withdrawn.reason),
        OpeningEvent::EntryClosed(closed) => format!("{} entrants, from place {} on", closed.entrants, closed.first),
        OpeningEvent::BeaconReceived(received) => format!("{}: {}", received.value, received.reason),
        OpeningEvent::QueueDrawn(drawn) => format!("seed {}", drawn.seed),
    }
}

#[cfg(test)]
mod tests;
