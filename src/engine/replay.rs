//! Start-up: the log is read, proved and folded, from its first record to its last.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::{Head, Position, State, Timestamp};
use projections::ReadModels;

use super::MAX_CLOCK_LAG;
use super::snapshot::Contradiction;
use super::stream::{Proved, Range, StreamError, decode, stream};
use crate::log::{EventLog, ReadError};

/// The reason why a log cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log cannot be read, is damaged, or holds an event that this program does not know.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The log contradicts a snapshot beside it.
    #[error(transparent)]
    Snapshot(#[from] Contradiction),
    /// The last record is ahead of this machine's clock. Until the clock reaches it, deadlines would stand still.
    #[error(
        "position {position}: the last record is {seconds} s ahead of this machine's clock; set the clock, or start \
         with --accept-clock to serve at the log's time"
    )]
    FromTheFuture { position: Position, seconds: i64 },
}

impl From<ReadError> for StartError {
    fn from(error: ReadError) -> Self {
        Self::Stream(error.into())
    }
}

/// Reads and folds the whole log. `progress` is called with each position reached.
///
/// # Errors
/// The log cannot be read, is damaged, or holds what this program does not understand; the error names the position.
pub async fn replay(log: &Arc<dyn EventLog>, progress: impl FnMut(Position)) -> Result<ReadModels, StartError> {
    replay_on(ReadModels::default(), log, progress).await
}

/// Folds the records after the head of `models`. `progress` is called with each position reached.
///
/// # Errors
/// The errors of [`replay`].
pub async fn replay_on(
    mut models: ReadModels,
    log: &Arc<dyn EventLog>,
    mut progress: impl FnMut(Position),
) -> Result<ReadModels, StartError> {
    let State { log: begun, head, recorded_at, .. } = &models.state;
    // Before the first record the state tells no time.
    let recorded_at = if begun.is_some() { *recorded_at } else { Proved::NOTHING.recorded_at };
    let range = Range::after(Proved { head: *head, recorded_at });
    let read = stream(log, range, decode, |page| {
        page.iter().for_each(|recorded| models.apply(recorded));
        progress(models.state.head.position);
        ControlFlow::Continue(())
    });
    read.await?;
    Ok(models)
}

/// Refuses a log whose last record is more than a minute ahead of the clock.
///
/// # Errors
/// The last record is more than a minute ahead of `now`.
pub fn check_clock(replayed: &State, now: Timestamp) -> Result<(), StartError> {
    let Head { position, .. } = replayed.head;
    let ahead_millis = replayed.recorded_at.millis() - now.millis();
    if position > Position::START && ahead_millis > MAX_CLOCK_LAG.as_millis() as i64 {
        return Err(StartError::FromTheFuture { position, seconds: ahead_millis / 1_000 });
    }
    Ok(())
}
