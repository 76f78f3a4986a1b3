//! The batch that is on its way to the log, and the outcome of its append.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use ::metrics::histogram;
use tokio::time::Instant;

use crate::engine::batch::CommittedBatch;
use crate::log::{AppendError, EventLog};
use crate::metrics;

/// A batch, and the append that carries it.
pub(super) struct OnItsWay {
    pub(super) batch: CommittedBatch,
    pub(super) since: Instant,
    append: Pin<Box<dyn Future<Output = Result<(), AppendError>> + Send>>,
    /// The outcome, if the append was complete at once.
    outcome: Option<Result<(), AppendError>>,
}

impl OnItsWay {
    /// Begins the append. [`EventLog::append`] promises that the backend has the records before this returns.
    /// [`landed`] waits for the outcome.
    pub(super) fn begin(log: Arc<dyn EventLog>, batch: CommittedBatch) -> Self {
        let (base, records) = (batch.base, Arc::clone(&batch.records));
        let mut append: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(async move {
            // A batch without records is answered from the state. It is enough that the head has not moved.
            if records.is_empty() { log.compare_head(&base).await } else { log.append(&base, &records).await }
        });
        // No waker is needed here: `landed` polls the append again.
        let outcome = match append.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        };
        Self { batch, since: Instant::now(), append, outcome }
    }
}

/// Waits for the outcome of the batch that is on its way. Pending for ever if there is none.
pub(super) async fn landed(on_its_way: &mut Option<OnItsWay>) -> Result<(), AppendError> {
    let Some(OnItsWay { since, append, outcome, .. }) = on_its_way else { return std::future::pending().await };
    let outcome = match outcome.take() {
        Some(outcome) => outcome,
        None => append.await,
    };
    histogram!(metrics::APPEND_SECONDS).record(since.elapsed());
    outcome
}
