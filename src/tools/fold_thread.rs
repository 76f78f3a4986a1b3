//! Folds a log on a thread of its own, beside the task that reads the events.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use domain::RecordedEvent;
use projections::ReadModels;

/// How many pages wait for the thread before the reader waits.
const PAGES_AHEAD: usize = 4;

/// Read models that are folded on a thread of their own.
pub(super) struct FoldThread {
    pages: SyncSender<Arc<Vec<RecordedEvent>>>,
    thread: JoinHandle<ReadModels>,
}

impl FoldThread {
    /// Starts the thread before the first event.
    pub(super) fn start() -> Self {
        let (pages, given) = sync_channel::<Arc<Vec<RecordedEvent>>>(PAGES_AHEAD);
        let thread = std::thread::spawn(move || {
            let mut folded = ReadModels::default();
            given.iter().for_each(|page| page.iter().for_each(|recorded| folded.apply(recorded)));
            folded
        });
        Self { pages, thread }
    }

    /// Hands the next events to the thread. Waits if the thread is far behind.
    pub(super) fn fold(&self, page: &Arc<Vec<RecordedEvent>>) {
        // A thread that is gone has panicked; `finish` passes the panic on.
        let _ = self.pages.send(Arc::clone(page));
    }

    /// Waits for the thread, and returns what it has folded.
    ///
    /// # Panics
    /// The thread has panicked.
    pub(super) fn finish(self) -> ReadModels {
        drop(self.pages);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
