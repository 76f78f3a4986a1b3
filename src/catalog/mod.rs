//! Publishing a catalogue: a file is read, compared with what there is, and told as a plan, before anything is written. What
//! is written becomes visible at once, with its last event: an import that was cut off is finished by the same file, or
//! nothing of it is ever sold.
//!
//! [`plan`] makes a plan of bytes, wherever they come from, and [`publish`] carries it out through the engine.

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

/// Why a catalogue is not published.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// It is no catalogue at all.
    #[error("{0}")]
    Unreadable(String),
    /// The file is wrong by itself.
    #[error("{0}")]
    Unfit(Faults),
    /// It contradicts what is published.
    #[error("{0}; nothing was written")]
    Differs(String),
    /// It may be meant in two ways.
    #[error("{0}; nothing was written")]
    Unclear(Faults),
    /// A rule refuses it.
    #[error("{place}: {}", reason(.rejection))]
    Refused { place: String, rejection: Rejection },
    /// The log did not take it; importing again completes it.
    #[error("{place}: {undecided}; importing the file again completes it")]
    Undecided { place: String, undecided: Undecided },
}

fn reason(rejection: &Rejection) -> String {
    if let Rejection::CatalogueConflict { reason } = rejection { reason.clone() } else { format!("{rejection:?}") }
}

/// What importing these bytes would do to what there is. Nothing is written.
///
/// # Errors
/// They are no catalogue, or one that is wrong by itself. A plan that must not be carried out is none: see [`Plan::check`].
pub fn plan(bytes: &[u8], catalogue: &Catalogue, options: Options, now: Timestamp) -> Result<Plan, CatalogError> {
    plan_file(read(bytes)?, catalogue, options, now)
}

/// The same for a catalogue that comes from the program itself.
///
/// # Errors
/// As [`plan`].
pub fn plan_file(
    file: CatalogFile,
    catalogue: &Catalogue,
    options: Options,
    now: Timestamp,
) -> Result<Plan, CatalogError> {
    let listed = Listed::of(file).map_err(CatalogError::Unfit)?;
    Ok(Plan::of(&listed, catalogue, options, now))
}

/// Who imports, why, and under which key.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who asks for it.
    pub by: Credential,
    /// Why.
    pub reason: Option<String>,
    /// The key that its end is known by.
    pub idempotency: Option<IdempotencyKey>,
    /// The HTTP request's id.
    pub request_id: Option<String>,
}

impl Order {
    /// An import that nobody gave a reason for.
    pub fn by(by: Credential) -> Self {
        Self { by, reason: None, idempotency: None, request_id: None }
    }
}

/// Carries a plan out. `None`: there was nothing to do.
///
/// # Errors
/// It must not be carried out, a rule refuses a part of it (then nothing was written, unless another published something else
/// meanwhile), or the log does not take it.
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

/// Decides all of it on a copy of the catalogue, before the first part is written.
fn try_out(engine: &Engine, portions: &[(String, Command)]) -> Result<(), CatalogError> {
    let mut trial = State { catalogue: engine.catalogue(), ..State::default() };
    let now = engine.now();
    for (place, Command { action, .. }) in portions {
        let command = Command { by: Credential::System, idempotency: None, action: action.clone() };
        rehearse(&mut trial, &command, now)
            .map_err(|rejection| CatalogError::Refused { place: place.clone(), rejection })?;
    }
    Ok(())
}
