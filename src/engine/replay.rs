//! Start-up: the log is read, proved and folded, from its first record to its last.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::{Head, Position, State, Timestamp};
use projections::ReadModels;

use super::MAX_CLOCK_LAG;
use super::fold_thread::FoldThread;
use super::snapshot::Contradiction;
use super::stream::{Proved, Range, StreamError, decode, stream};
use crate::log::{EventLog, ReadError};

/// The state and the read models of a log.
#[derive(Default)]
pub struct Replayed {
    /// The state, for commands.
    pub state: State,
    /// The read models, for queries.
    pub read_models: ReadModels,
}

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

/// Reads the whole log. `progress` is called with each position reached.
///
/// # Errors
/// The log cannot be read, is damaged, or holds what this program does not understand; the error names the position.
pub async fn replay(log: &Arc<dyn EventLog>, progress: impl FnMut(Position)) -> Result<Replayed, StartError> {
    Replayed::default().read_on(log, progress).await
}

impl Replayed {
    /// Folds the records after the head. `progress` is called with each position reached. State and read models do not
    /// depend on each other, so each is folded on its own thread.
    ///
    /// # Errors
    /// The log cannot be read, is damaged, or holds what this program does not understand; the error names the position.
    pub async fn read_on(
        self,
        log: &Arc<dyn EventLog>,
        mut progress: impl FnMut(Position),
    ) -> Result<Self, StartError> {
        let Self { state, mut read_models } = self;
        // Before the first record the state tells no time.
        let recorded_at = if state.log.is_some() { state.recorded_at } else { Proved::NOTHING.recorded_at };
        let range = Range::after(Proved { head: state.head, recorded_at });
        let state = FoldThread::start(state, State::apply);
        let read = stream(log, range, decode, |page| {
            let page = Arc::new(page);
            state.fold(&page);
            page.iter().for_each(|recorded| read_models.apply(recorded));
            progress(read_models.head.position);
            ControlFlow::Continue(())
        });
        read.await?;
        Ok(Self { state: state.finish(), read_models })
    }

    /// Refuses a log whose last record is more than a minute ahead of the clock.
    ///
    /// # Errors
    /// The last record is more than a minute ahead of `now`.
    pub fn check_clock(&self, now: Timestamp) -> Result<(), StartError> {
        let Head { position, .. } = self.state.head;
        let ahead_millis = self.state.recorded_at.millis() - now.millis();
        if position > Position::START && ahead_millis > MAX_CLOCK_LAG.as_millis() as i64 {
            return Err(StartError::FromTheFuture { position, seconds: ahead_millis / 1_000 });
        }
        Ok(())
    }
}
