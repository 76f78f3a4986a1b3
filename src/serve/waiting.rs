//! Waits for a log that cannot be reached at the start. Meanwhile the server listens: `healthz` says that it lives, and
//! every other answer says why it takes no commands.

use std::os::fd::AsFd;
use std::time::Duration;

use domain::Head;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::api::{serve as serve_http, while_waiting};
use crate::data_folder::{DataFolder, FolderProblem};
use crate::log::FolderLock;
use crate::place::Place;

/// The number of connections meanwhile.
const CONNECTIONS: usize = 256;
/// The pause before the log is looked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Opens the folder that `held` locks. If its log cannot be reached, this waits until `patience` is over.
///
/// # Errors
/// The log still cannot be reached then, or waiting does not help.
pub async fn open(
    place: &Place,
    accepted: Option<Head>,
    held: &FolderLock,
    patience: Duration,
    listener: &TcpListener,
) -> Result<DataFolder, FolderProblem> {
    let deadline = Instant::now() + patience;
    let mut waiting: Option<Waiting> = None;
    let opened = loop {
        match DataFolder::open(place, accepted, held).await {
            Err(problem) if problem.may_pass() && Instant::now() < deadline => {
                let waiting = waiting.get_or_insert_with(|| Waiting::begin(listener));
                waiting.say(problem.to_string());
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            opened => break opened,
        }
    };
    if let Some(waiting) = waiting {
        waiting.end().await;
    }
    opened
}

/// The server that answers meanwhile.
struct Waiting {
    why: String,
    stop: oneshot::Sender<()>,
    answering: Option<JoinHandle<()>>,
}

impl Waiting {
    fn begin(listener: &TcpListener) -> Self {
        let (stop, stopped) = oneshot::channel();
        if let Ok(address) = listener.local_addr() {
            tracing::info!("http://{address}/readyz says meanwhile what the server waits for");
        }
        // Another handle on the same socket, so that connections that come later are accepted by the real server.
        let twin = listener.as_fd().try_clone_to_owned().and_then(|twin| TcpListener::from_std(twin.into()));
        let answering = twin.ok().map(|twin| {
            tokio::spawn(serve_http(twin, while_waiting(), CONNECTIONS, false, async {
                let _ = stopped.await;
            }))
        });
        Self { why: String::new(), stop, answering }
    }

    fn say(&mut self, why: String) {
        if self.why != why {
            tracing::warn!("not ready: waiting for the log: {why}");
            self.why = why;
        }
    }

    async fn end(self) {
        let _ = self.stop.send(());
        if let Some(answering) = self.answering {
            // The task only serves, so it cannot fail.
            let _ = answering.await;
        }
    }
}
