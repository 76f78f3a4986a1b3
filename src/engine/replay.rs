//! Start-up: the log is read, proved and folded, from its first record to its last.

use std::sync::Arc;

use domain::{Head, Position, RecordedEvent, State, Timestamp};
use projections::ReadModels;

use super::MAX_CLOCK_LAG;
use super::snapshot::Contradiction;
use super::stream::{StreamError, decode, stream};
use crate::log::{EventLog, ReadError};

/// What a log folds to.
#[derive(Default)]
pub struct Replayed {
    /// For commands.
    pub state: State,
    /// For queries.
    pub read_models: ReadModels,
}

/// Why a log cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot be read, is not what was written, or holds what this program does not understand.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// It is not the log that a snapshot beside it was taken of.
    #[error(transparent)]
    Snapshot(#[from] Contradiction),
    /// Its last record is from the future: served now, deadlines would stand still until then.
    #[error(
        "position {position}: the last record is {seconds} s ahead of this machine's clock; set the clock, or say \
         --accept-clock to serve at the log's time"
    )]
    FromTheFuture { position: Position, seconds: i64 },
}

impl From<ReadError> for StartError {
    fn from(error: ReadError) -> Self {
        Self::Stream(error.into())
    }
}

/// Reads the whole log, telling `progress` of each position reached.
///
/// # Errors
/// The log cannot be read, is damaged, or holds what this program does not understand; the error names the position.
pub async fn replay(log: &Arc<dyn EventLog>, progress: impl FnMut(Position)) -> Result<Replayed, StartError> {
    Replayed::default().read_on(log, progress).await
}

impl Replayed {
    /// Folds what the log holds after what is folded already, telling `progress` of each position reached.
    ///
    /// # Errors
    /// The log cannot be read, is damaged, or holds what this program does not understand; the error names the position.
    pub async fn read_on(
        mut self,
        log: &Arc<dyn EventLog>,
        mut progress: impl FnMut(Position),
    ) -> Result<Self, StartError> {
        stream(log, self.state.head, decode, |page: Vec<RecordedEvent>| {
            self.fold(&page);
            progress(self.state.head.position);
            Ok::<(), StartError>(())
        })
        .await?;
        Ok(self)
    }

    /// State and read models do not know of each other, so each is folded on a thread of its own.
    fn fold(&mut self, page: &[RecordedEvent]) {
        let Self { state, read_models } = self;
        std::thread::scope(|threads| {
            threads.spawn(|| page.iter().for_each(|recorded| state.apply(recorded)));
            page.iter().for_each(|recorded| read_models.apply(recorded));
        });
    }

    /// Refuses a log whose last record is more than a minute ahead of the clock.
    ///
    /// # Errors
    /// It is.
    pub fn check_clock(&self, now: Timestamp) -> Result<(), StartError> {
        let Head { position, .. } = self.state.head;
        let ahead_millis = self.state.recorded_at.millis() - now.millis();
        if position > Position::START && ahead_millis > MAX_CLOCK_LAG.as_millis() as i64 {
            return Err(StartError::FromTheFuture { position, seconds: ahead_millis / 1_000 });
        }
        Ok(())
    }
}
