//! A fold on a thread of its own, beside whoever reads the events.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use domain::RecordedEvent;

use super::stream::PAGES_AHEAD;

/// What is folded on a thread of its own.
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

    /// Has the next events folded; waits where the thread is far behind.
    pub fn fold(&self, page: &Arc<Vec<RecordedEvent>>) {
        // A thread that is gone has panicked, which is told at the end.
        let _ = self.pages.send(Arc::clone(page));
    }

    /// Waits for the thread.
    ///
    /// # Panics
    /// It has.
    pub fn finish(self) -> S {
        drop(self.pages);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
