//! The read models as they were at a moment: one that a query names, or the one after a command that is repeated.

use std::sync::Arc;
use std::time::Duration;

use domain::{Head, Position, Timestamp};
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
/// Repeated commands wait for a place of their own, so that those who look at the past do not keep them from it.
static REPEATING: Semaphore = Semaphore::const_new(1);
/// How long a repeated command waits for its answer. A command is answered within five seconds.
const REPEATED_WITHIN: Duration = Duration::from_secs(4);

/// Takes one of the places to fold the log. It does not wait for one.
///
/// # Errors
/// All places are taken.
pub fn turn() -> Result<SemaphorePermit<'static>, Problem> {
    let busy =
        |_| Problem::new(&kinds::OVERLOADED, "The log is already being read for two other requests. Try again later.");
    FOLDING.try_acquire().map_err(busy)
}

/// Shows the read models as they were at a moment.
///
/// # Errors
/// The moment is after the log's end, the log cannot be read, or two others fold it already.
pub async fn folded<T: Send + 'static>(
    api: &Api,
    as_of: AsOf,
    show: impl FnOnce(&ReadModels) -> T + Send + 'static,
) -> Result<T, Problem> {
    if let (AsOf::Position(asked), Ok(Head { position: last, .. })) = (as_of, api.log.head().await)
        && asked > last
    {
        return Err(beyond(last));
    }
    aside(api, turn()?, as_of, show).await
}

/// Folds the log on a thread of its own: that takes a core for seconds, and the threads that serve requests go on serving.
/// The fold ends early if this future is dropped.
async fn aside<T: Send + 'static>(
    api: &Api,
    turn: SemaphorePermit<'static>,
    as_of: AsOf,
    show: impl FnOnce(&ReadModels) -> T + Send + 'static,
) -> Result<T, Problem> {
    let (log, runtime) = (Arc::clone(&api.log), Handle::current());
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
    let shown = answer.await.map_err(|_| Problem::internal("the thread that folds the log has panicked"))?;
    shown.map_err(|error| match error {
        PastError::NotYet { last, .. } => beyond(last),
        PastError::Stopped(_) => unreadable(&error),
    })
}

fn beyond(last: Position) -> Problem {
    let message = format!("must not be after position {last}, the log's last one").into();
    Problem::invalid_request(&[FieldError { field: "asOf".to_owned(), message }])
}

/// Answers an operator's command from the read models right after it, and their time. A repeated command is answered as it
/// was at first, so the log is folded up to its position: what was changed since then is not in its answer.
///
/// # Errors
/// The command is repeated, and the log cannot be folded in time.
pub async fn after<T: Send + 'static>(
    api: &Api,
    told: &Told,
    show: impl FnOnce(&ReadModels, Timestamp) -> T + Send + 'static,
) -> Result<T, Problem> {
    let newest = api.engine.read_models();
    let then = told.then.as_ref().or((newest.state.head.position == told.position).then_some(&newest));
    if let Some(then) = then {
        return Ok(show(then, api.engine.now_at(then)));
    }
    let again = async {
        let turn = REPEATING.acquire().await.expect("it is never closed");
        aside(api, turn, AsOf::Position(told.position), move |then| show(then, then.state.recorded_at)).await
    };
    let shown = tokio::time::timeout(REPEATED_WITHIN, again).await.unwrap_or_else(|_| {
        let detail = format!(
            "The change was made when this request was sent first, at position {}. Its answer cannot be made again in time, \
             because the log is long or others wait for theirs. Read what the change was about, or send the request again \
             later with the same `Idempotency-Key`.",
            told.position
        );
        Err(Problem::new(&kinds::LOG_UNAVAILABLE, detail))
    });
    shown.map_err(|problem| problem.at(told.position))
}
