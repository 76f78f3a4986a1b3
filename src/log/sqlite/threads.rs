//! Connections on their own threads, since SQLite blocks its caller. A job with several statements is one round trip.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

/// A job for a thread, on its connection.
type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

/// Threads with one connection each. A free thread takes the next job, so a single thread does the jobs in order.
/// Connections are closed after this is dropped and every job is done.
#[derive(Debug)]
pub(super) struct Threads<C> {
    jobs: Sender<Job<C>>,
    threads: Vec<JoinHandle<()>>,
}

/// The error of a thread that panicked: the state of its connection is unknown.
#[derive(Debug, thiserror::Error)]
#[error("the thread of a connection to SQLite has ended")]
pub(super) struct Gone;

impl<C: Send + 'static> Threads<C> {
    /// Starts the threads. Tools that look at a process show `name`.
    ///
    /// # Panics
    /// The system has no thread left.
    pub(super) fn start(name: &'static str, connections: impl IntoIterator<Item = C>) -> Self {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let start = |connection| {
            let waiting = Arc::clone(&waiting);
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn(move || work(connection, &waiting)).expect("the system has a thread left")
        };
        Self { jobs, threads: connections.into_iter().map(start).collect() }
    }

    /// Runs `job` on one of the threads. It runs to its end even if the caller does not wait any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut C) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (reply_to, reply) = oneshot::channel();
        let job: Job<C> = Box::new(move |connection| {
            // The caller may be gone.
            let _ = reply_to.send(job(connection));
        });
        self.jobs.send(job).map_err(|_| Gone)?;
        reply.await.map_err(|_| Gone)
    }

    /// Runs `job` after those before it. Nobody waits for it.
    pub(super) fn begin(&self, job: impl FnOnce(&mut C) + Send + 'static) {
        // If the thread is gone, the next caller gets the error.
        let _ = self.jobs.send(Box::new(job));
    }

    /// Ends the threads, and returns once every connection is closed.
    pub(super) async fn close(self) {
        drop(self.jobs);
        let threads = self.threads;
        let closing = tokio::task::spawn_blocking(|| threads.into_iter().for_each(|thread| drop(thread.join())));
        // The task only waits, so it cannot fail.
        let _ = closing.await;
    }
}

fn work<C>(mut connection: C, waiting: &Mutex<Receiver<Job<C>>>) {
    loop {
        // No code panics while it holds the lock, so a poisoned lock can be used.
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(&mut connection),
            Err(_) => return,
        }
    }
}
