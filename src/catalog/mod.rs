//! Publishing a catalogue: a file becomes commands like any other, tried on a copy of the state before the first is
//! submitted, so that a file with a mistake changes nothing.

mod file;
mod plan;

pub use file::{CatalogFile, ConcertEntry, DEFAULT_TIME_ZONE, EXAMPLE, ScheduleEntry, SeatEntry, ZoneEntry};

use domain::{Action, Command, Credential, Rejection, State, Timestamp};
use uuid::Uuid;

use crate::engine::{Engine, Submission, Undecided, rehearse};

/// Why a catalogue is not published.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file contradicts itself or what is published.
    #[error("{place}: {reason}")]
    Unfit { place: String, reason: String },
    /// A rule refuses it; nothing was written.
    #[error("{place}: {}", reason(.rejection))]
    Refused { place: String, rejection: Rejection },
    /// The log did not take it; importing again completes it.
    #[error("{place}: {undecided}; importing the file again completes it")]
    Undecided { place: String, undecided: Undecided },
}

fn reason(rejection: &Rejection) -> String {
    if let Rejection::CatalogueConflict { reason } = rejection { reason.clone() } else { format!("{rejection:?}") }
}

/// One command of a plan, with the place in the file that it comes from.
pub struct Step {
    place: String,
    action: Action,
}

/// The commands that publish `file` on top of `state`, each tried already.
///
/// # Errors
/// The file contradicts itself, or a rule refuses a part of it.
pub fn plan(file: &CatalogFile, state: &State, now: Timestamp) -> Result<Vec<Step>, CatalogError> {
    let steps = plan::steps(file, state, now)?;
    let mut rehearsal = state.clone();
    for step in &steps {
        rehearse(&mut rehearsal, &step.command(), now)
            .map_err(|rejection| CatalogError::Refused { place: step.place.clone(), rejection })?;
    }
    Ok(steps)
}

/// Submits a plan's commands in order, telling `progress` of each, and counts those that wrote something.
///
/// # Errors
/// The log does not take them, or another node has published something else meanwhile.
pub async fn publish(engine: &Engine, steps: Vec<Step>, mut progress: impl FnMut()) -> Result<u64, CatalogError> {
    let correlation_id = Uuid::new_v4();
    let mut written = 0;
    for step in steps {
        let before = engine.read_models().head.position;
        let submission = Submission { correlation_id, ..Submission::new(step.command(), None) };
        let reply = engine.submit(submission).await;
        let reply = reply.map_err(|undecided| CatalogError::Undecided { place: step.place.clone(), undecided })?;
        reply.outcome.map_err(|rejection| CatalogError::Refused { place: step.place, rejection })?;
        written += u64::from(reply.position > before);
        progress();
    }
    Ok(written)
}

impl Step {
    fn command(&self) -> Command {
        Command { by: Credential::OPERATOR, idempotency: None, action: self.action.clone() }
    }
}
