//! A fold on its own thread, beside the task that reads the events.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use domain::RecordedEvent;

use super::stream::PAGES_AHEAD;

/// A value that is folded on its own thread.
pub struct FoldThread<S> {
    pages: SyncSender<Arc<Vec<RecordedEvent>>>,
    thread: JoinHandle<S>,
}

impl<S: Send + 'static> FoldThread<S> {
    /// Starts the thread with what is folded so far.
    pub fn start(mut folded: S, apply: fn(&mut S, &RecordedEvent)) -> Self {
        let (pages, given) = sync_channel::<Arc<Vec<RecordedEvent>>>(PAGES_AHEAD);
        let thread = std::thread::spawn(move || {
            given.iter().for_each(|page| page.iter().for_each(|recorded| apply(&mut folded, recorded)));
            folded
        });
        Self { pages, thread }
    }

    /// Hands the next events to the thread. Waits if the thread is far behind.
    pub fn fold(&self, page: &Arc<Vec<RecordedEvent>>) {
        // A thread that is gone has panicked; `finish` passes the panic on.
        let _ = self.pages.send(Arc::clone(page));
    }

    /// Waits for the thread, and returns the folded value.
    ///
    /// # Panics
    /// The thread has panicked.
    pub fn finish(self) -> S {
        drop(self.pages);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
