//! The read models as they were at a moment: one that a query names, or the one after a command that is repeated.

use std::sync::Arc;

use domain::{Position, Timestamp};
use projections::ReadModels;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

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

/// Folds the read models up to a moment, and shows them. It takes a core for seconds, so it has a thread of its own, and
/// the threads that serve requests go on serving. It ends early if nobody waits for it any more.
///
/// # Errors
/// The moment is after the log's end, the log cannot be read, or two others fold it already.
pub async fn folded<T: Send + 'static>(
    api: &Api,
    as_of: AsOf,
    show: impl FnOnce(&ReadModels) -> T + Send + 'static,
) -> Result<T, Problem> {
    let (turn, log, runtime) = (turn()?, Arc::clone(&api.log), Handle::current());
    let (mut shown, answer) = oneshot::channel();
    let fold = async move {
        let folded = tokio::select! {
            folded = fold_on(&log, ReadModels::default(), Some(as_of), |_| {}) => folded,
            () = shown.closed() => return,
        };
        let answer = folded.map(|read_models| show(&read_models));
        drop(turn);
        // Nobody may wait for it any more.
        let _ = shown.send(answer);
    };
    tokio::task::spawn_blocking(move || runtime.block_on(fold));
    let beyond = |last: Position| {
        let message = format!("must not be after position {last}, the log's last one").into();
        Problem::invalid_request(&[FieldError { field: "asOf".to_owned(), message }])
    };
    let shown = answer.await.map_err(|_| Problem::internal("the thread that folds the log has panicked"))?;
    shown.map_err(|error| match error {
        PastError::NotYet { last, .. } => beyond(last),
        PastError::Stopped(_) => unreadable(&error),
    })
}

/// Answers a decided command from the read models and their time. A repeated command is answered as it was at first, so it
/// needs those of that position: what was changed since then is not in its answer.
///
/// # Errors
/// The command is repeated, and the log cannot be folded at the moment.
pub async fn after<T: Send + 'static>(
    api: &Api,
    told: &Told,
    show: impl FnOnce(&ReadModels, Timestamp) -> T + Send + 'static,
) -> Result<T, Problem> {
    let newest = api.engine.read_models();
    if !told.replayed || newest.state.head.position == told.position {
        return Ok(show(&newest, api.engine.now_at(&newest)));
    }
    folded(api, AsOf::Position(told.position), |then| show(then, then.state.recorded_at)).await
}
