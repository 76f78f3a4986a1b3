//! Connections on threads of their own: SQLite blocks whoever asks it, and what is asked at once is one trip there and back.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

/// What a thread is given to do with its connection.
type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

/// Threads with a connection each. Whichever is free takes the next job, so one alone takes them in order. Connections are
/// closed when this is dropped and every job is done.
#[derive(Debug)]
pub(super) struct Threads<C> {
    jobs: Sender<Job<C>>,
    threads: Vec<JoinHandle<()>>,
}

/// The thread panicked: nothing is known of its connection.
#[derive(Debug, thiserror::Error)]
#[error("the thread of a connection to SQLite is gone")]
pub(super) struct Gone;

impl<C: Send + 'static> Threads<C> {
    pub(super) fn start(connections: impl IntoIterator<Item = C>) -> Self {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let start = |connection| {
            let waiting = Arc::clone(&waiting);
            std::thread::spawn(move || work(connection, &waiting))
        };
        Self { jobs, threads: connections.into_iter().map(start).collect() }
    }

    /// Runs `job` on one of the threads. It runs to its end whether its caller still waits or not.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut C) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (answer, answered) = oneshot::channel();
        let job: Job<C> = Box::new(move |connection| {
            // Whoever asked may be gone.
            let _ = answer.send(job(connection));
        });
        self.jobs.send(job).map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }

    /// Has `job` run once those before it are done. Nobody waits for it.
    pub(super) fn begin(&self, job: impl FnOnce(&mut C) + Send + 'static) {
        // Where the thread is gone, whoever comes next is told so.
        let _ = self.jobs.send(Box::new(job));
    }

    /// Ends the threads, and returns once every connection is closed.
    pub(super) async fn close(self) {
        drop(self.jobs);
        let threads = self.threads;
        let closing = tokio::task::spawn_blocking(|| threads.into_iter().for_each(|thread| drop(thread.join())));
        // It only waits: there is nothing in it to fail.
        let _ = closing.await;
    }
}

fn work<C>(mut connection: C, waiting: &Mutex<Receiver<Job<C>>>) {
    loop {
        // Nothing panics while it waits, so a lock that is poisoned is as good as any.
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(&mut connection),
            Err(_) => return,
        }
    }
}
