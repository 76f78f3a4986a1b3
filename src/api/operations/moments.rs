//! The read models as they were at a moment: one that a query names, or the one after a command that is repeated.

use std::sync::Arc;

use domain::{Position, Timestamp};
use projections::ReadModels;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::api::Api;
use super::command::Told;
use super::kinds;
use super::log::unreadable;
use super::problem::{FieldError, Problem};
use crate::past::{AsOf, PastError, fold_on};

/// How many requests may fold the log from its beginning at once: each needs a core.
static FOLDING: Semaphore = Semaphore::const_new(2);

/// Takes one of the places to fold the log. It does not wait for one.
///
/// # Errors
/// All places are taken.
pub fn turn() -> Result<SemaphorePermit<'static>, Problem> {
    let busy =
        |_| Problem::new(&kinds::OVERLOADED, "The log is already being read for two other requests. Try again later.");
    FOLDING.try_acquire().map_err(busy)
}

/// Folds the read models up to a moment.
///
/// # Errors
/// The moment is after the log's end, the log cannot be read, or two others fold it already.
pub async fn folded(api: &Api, as_of: AsOf) -> Result<ReadModels, Problem> {
    let _turn = turn()?;
    let beyond = |last: Position| {
        let message = format!("must not be after position {last}, the log's last one").into();
        Problem::invalid_request(&[FieldError { field: "asOf".to_owned(), message }])
    };
    let folded = fold_on(&api.log, ReadModels::default(), Some(as_of), |_| {}).await;
    folded.map_err(|error| match error {
        PastError::NotYet { last, .. } => beyond(last),
        PastError::Stopped(_) => unreadable(&error),
    })
}

/// The read models from which a decided command is answered, and their time. A repeated command is answered as it was at
/// first, so it needs those of that position: what was changed since then is not in its answer.
///
/// # Errors
/// The command is repeated, and the log cannot be folded at the moment.
pub async fn after(api: &Api, told: &Told) -> Result<(Arc<ReadModels>, Timestamp), Problem> {
    let newest = api.engine.read_models();
    if !told.replayed || newest.state.head.position == told.position {
        let now = api.engine.now_at(&newest);
        return Ok((newest, now));
    }
    let folded = folded(api, AsOf::Position(told.position)).await?;
    let then = folded.state.recorded_at;
    Ok((Arc::new(folded), then))
}
