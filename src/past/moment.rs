//! Folds a log up to a moment: the state of the server at that moment.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::{Hash, Head, Position, RecordedEvent, State, Timestamp};
use projections::{ReadModels, rfc3339};
use serde::Serialize;

use super::walk::walk_on;
use super::{AsOf, PastError};
use crate::engine::{Proved, decode};
use crate::log::EventLog;

/// A moment of a log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// The last record folded.
    pub position: Position,
    /// The time of that record. `None` before the first record.
    pub recorded_at: Option<String>,
    /// The hash of that record, which proves all records up to it.
    pub hash: Hash,
}

impl Moment {
    /// The moment after the record at `head`, with that record's time.
    pub(super) fn new(head: Head, recorded_at: Option<Timestamp>) -> Self {
        Self { position: head.position, recorded_at: recorded_at.map(rfc3339), hash: head.hash }
    }

    /// The moment of these read models.
    pub fn of(read_models: &ReadModels) -> Self {
        let State { head, recorded_at, .. } = &read_models.state;
        Self::new(*head, (head.position > Position::START).then_some(*recorded_at))
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.recorded_at {
            Some(recorded_at) => write!(f, "as of position {}, {recorded_at}", self.position),
            None => f.write_str("before the first record"),
        }
    }
}

/// Folds the records after the head of `read_models` up to `as_of`, with the server's own code. `each` is called with
/// each event.
///
/// # Errors
/// The log cannot be read, is damaged at a position, or does not reach `as_of`.
pub async fn fold_on(
    log: &Arc<dyn EventLog>,
    mut read_models: ReadModels,
    as_of: Option<AsOf>,
    mut each: impl FnMut(&RecordedEvent),
) -> Result<ReadModels, PastError> {
    let begin = read_models.state.head;
    // Before the first record there is no time.
    let is_new = begin.position == Position::START;
    let recorded_at = if is_new { Proved::NOTHING.recorded_at } else { read_models.state.recorded_at };
    let walked = walk_on(log, Proved { head: begin, recorded_at }, as_of, decode, |recorded| {
        read_models.apply(recorded);
        each(recorded);
        ControlFlow::Continue(())
    })
    .await;
    walked.map(|_| read_models)
}
