//! Publishes a catalogue. Before anything is written, a file is read, compared with the published catalogue, and shown
//! as a plan. All schedules of an import become visible together, with its last event. An import that was broken off
//! can be finished with the same file; without that its schedules are never sold.
//!
//! [`plan`] makes a plan from the bytes of a file, and [`publish`] carries it out through the engine.

mod faults;
mod file;
mod listed;
mod names;
mod plan;
mod read;
mod sheet;
mod times;

use domain::{Action, Catalogue, Command, Credential, IdempotencyKey, Rejection, State, Timestamp};
use uuid::Uuid;

use crate::engine::{Engine, Reply, Submission, Undecided, rehearse};
use faults::Faults;
pub use file::{CatalogFile, ConcertEntry, DEFAULT_TIME_ZONE, EXAMPLE, ScheduleEntry, SeatEntry, ZoneEntry};
use listed::Listed;
pub use names::tidy;
pub use plan::{Added, Options, Plan, PlanShown};
pub use read::{CSV, JSON, MAX_CATALOG_BYTES, check_size, media_type, read};
pub use times::venue_clock;

/// The reason why a catalogue is not published.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file is not a catalogue.
    #[error("{0}")]
    Unreadable(String),
    /// The file has mistakes.
    #[error("{0}")]
    Unfit(Faults),
    /// The file contradicts the published catalogue.
    #[error("{0}; nothing was written")]
    Differs(String),
    /// The file may be meant in two ways.
    #[error("{0}; nothing was written")]
    Unclear(Faults),
    /// A rule of the domain refuses a part.
    #[error("{place}: {}", reason(.rejection))]
    Refused { place: String, rejection: Rejection },
    /// The log did not accept a part. A second import completes it.
    #[error("{place}: {undecided}; importing the file again completes it")]
    Undecided { place: String, undecided: Undecided },
}

fn reason(rejection: &Rejection) -> String {
    if let Rejection::CatalogueConflict { reason } = rejection { reason.clone() } else { format!("{rejection:?}") }
}

/// Plans the import of these bytes. Nothing is written.
///
/// # Errors
/// The bytes are not a catalogue, or have mistakes. A plan that must not be carried out is not an error here: see
/// [`Plan::check`].
pub fn plan(bytes: &[u8], catalogue: &Catalogue, options: Options, now: Timestamp) -> Result<Plan, CatalogError> {
    plan_file(read(bytes)?, catalogue, options, now)
}

/// Plans the import of a catalogue of the program itself.
///
/// # Errors
/// The errors of [`plan`].
pub fn plan_file(
    file: CatalogFile,
    catalogue: &Catalogue,
    options: Options,
    now: Timestamp,
) -> Result<Plan, CatalogError> {
    let listed = Listed::of(file).map_err(CatalogError::Unfit)?;
    Ok(Plan::of(&listed, catalogue, options, now))
}

/// The sender of an import, with the reason and the idempotency key.
#[derive(Debug, Clone)]
pub struct Order {
    /// The sender.
    pub by: Credential,
    /// The reason, if there is one.
    pub reason: Option<String>,
    /// The idempotency key, which the last event carries.
    pub idempotency: Option<IdempotencyKey>,
    /// The HTTP request's id.
    pub request_id: Option<String>,
}

impl Order {
    /// Makes an order without a reason and without a key.
    pub fn by(by: Credential) -> Self {
        Self { by, reason: None, idempotency: None, request_id: None }
    }
}

/// Carries out a plan. `None` if there was nothing to do.
///
/// # Errors
/// The plan must not be carried out; or a rule refuses a part (then nothing was written, unless something else was
/// published meanwhile); or the log does not accept it.
pub async fn publish(engine: &Engine, plan: Plan, order: Order) -> Result<Option<Reply>, CatalogError> {
    plan.check()?;
    let mut portions: Vec<(String, Command)> = Vec::new();
    for portion in plan.into_portions(order.reason) {
        let idempotency = if portion.import.end.is_some() { order.idempotency } else { None };
        let action = Action::ImportCatalogue(portion.import);
        portions.push((portion.place, Command { by: order.by.clone(), idempotency, action }));
    }
    try_out(engine, &portions)?;
    let correlation_id = Uuid::new_v4();
    let mut last = None;
    for (place, command) in portions {
        let submission = Submission { correlation_id, ..Submission::new(command, order.request_id.clone()) };
        let undecided = |undecided| CatalogError::Undecided { place: place.clone(), undecided };
        let reply = engine.submit(submission).await.map_err(undecided)?;
        if let Err(rejection) = &reply.outcome {
            return Err(CatalogError::Refused { place, rejection: rejection.clone() });
        }
        last = Some(reply);
    }
    Ok(last)
}

/// Decides all parts on a copy of the catalogue, before the first one is written.
fn try_out(engine: &Engine, portions: &[(String, Command)]) -> Result<(), CatalogError> {
    let mut trial = State { catalogue: engine.read_models().state.catalogue.clone(), ..State::default() };
    let now = engine.now();
    for (place, Command { action, .. }) in portions {
        let command = Command { by: Credential::System, idempotency: None, action: action.clone() };
        rehearse(&mut trial, &command, now)
            .map_err(|rejection| CatalogError::Refused { place: place.clone(), rejection })?;
    }
    Ok(())
}
