//! The batch that is on its way to the log, and where its append ended.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use ::metrics::histogram;
use tokio::time::Instant;

use crate::engine::batch::Sent;
use crate::log::{AppendError, EventLog};
use crate::metrics;

/// A batch, and the append that carries it.
pub(super) struct OnItsWay {
    pub(super) batch: Sent,
    pub(super) since: Instant,
    append: Pin<Box<dyn Future<Output = Result<(), AppendError>> + Send>>,
    /// Where it ended when it was begun.
    outcome: Option<Result<(), AppendError>>,
}

impl OnItsWay {
    /// Begins the append: by the promise of [`EventLog::append`], whatever carries it out has it before this returns. It is
    /// asked how it went by [`landed`].
    pub(super) fn begin(log: Arc<dyn EventLog>, batch: Sent) -> Self {
        let (base, records) = (batch.base, Arc::clone(&batch.records));
        let mut append: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(async move {
            // Who is refused, or answered again, only needs the head to be what it was.
            if records.is_empty() { log.compare_head(&base).await } else { log.append(&base, &records).await }
        });
        // Nobody is to be woken yet: whoever waits for it asks again.
        let outcome = match append.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        };
        Self { batch, since: Instant::now(), append, outcome }
    }
}

/// What the log says about the batch that is on its way, once it does.
pub(super) async fn landed(on_its_way: &mut Option<OnItsWay>) -> Result<(), AppendError> {
    let Some(OnItsWay { since, append, outcome, .. }) = on_its_way else { return std::future::pending().await };
    let outcome = match outcome.take() {
        Some(outcome) => outcome,
        None => append.await,
    };
    histogram!(metrics::APPEND_SECONDS).record(since.elapsed());
    outcome
}
