//! The published state for queries: the read models of the last batch, and the readiness of the engine.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::Position;
use projections::{Behind, ReadModels};
use tokio::sync::{Notify, watch};

/// How long a query waits for the position that it asks for.
pub const MAX_WAIT: Duration = Duration::from_secs(2);

/// The readiness for commands: `Err` says why none can be taken.
pub type Readiness = Result<(), NotReady>;

/// The reason why commands cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady {
    /// The reason for the public: it names no host.
    pub told: Cow<'static, str>,
    /// The full reason, for operators.
    pub whole: String,
}

impl NotReady {
    /// Makes a reason that the public may read in full.
    pub fn told_to_all(reason: String) -> Self {
        Self { told: reason.clone().into(), whole: reason }
    }

    /// Makes a reason from an error of the log. Only operators see its text.
    pub fn of_the_log(reason: String) -> Self {
        Self { told: "the log takes no events at the moment".into(), whole: reason }
    }
}

/// Shared between the sequencer, which writes, and everyone who asks.
pub struct Published {
    read_models: ArcSwap<ReadModels>,
    position: watch::Sender<Position>,
    readiness: watch::Sender<Readiness>,
    follow: Notify,
}

impl Published {
    pub fn new(read_models: ReadModels) -> Self {
        let (position, _) = watch::channel(read_models.state.head.position);
        let (readiness, _) = watch::channel(Err(NotReady::told_to_all("the server is starting".to_owned())));
        Self { read_models: ArcSwap::from_pointee(read_models), position, readiness, follow: Notify::new() }
    }

    pub fn publish(&self, read_models: ReadModels) {
        let position = read_models.state.head.position;
        self.read_models.store(Arc::new(read_models));
        self.position.send_replace(position);
    }

    /// Publishes whether commands can be taken. A line is logged only when that changes.
    pub fn set_readiness(&self, readiness: Readiness) {
        self.readiness.send_if_modified(|current| {
            let changed = *current != readiness;
            match (&readiness, changed) {
                (Err(NotReady { whole, .. }), true) => tracing::warn!("not ready: {whole}"),
                (Ok(()), true) => tracing::info!("ready"),
                (_, false) => {}
            }
            *current = readiness;
            changed
        });
    }

    /// Asks the sequencer to read what others have written.
    pub fn ask_to_follow(&self) {
        self.follow.notify_one();
    }

    /// Ends when somebody has called `ask_to_follow`.
    pub async fn asked_to_follow(&self) {
        self.follow.notified().await;
    }

    pub fn readiness(&self) -> Readiness {
        self.readiness.borrow().clone()
    }

    pub fn read_models(&self) -> Arc<ReadModels> {
        self.read_models.load_full()
    }

    pub async fn read_models_at(&self, position: Position) -> Result<Arc<ReadModels>, Behind> {
        let read_models = self.read_models();
        if read_models.state.head.position >= position {
            return Ok(read_models);
        }
        let mut reached = self.position.subscribe();
        // Boxed because this is rare; otherwise every query's future would be larger.
        let wait = Box::pin(reached.wait_for(|reached| *reached >= position));
        match tokio::time::timeout(MAX_WAIT, wait).await {
            Ok(Ok(_)) => Ok(self.read_models()),
            Ok(Err(_)) | Err(_) => Err(Behind { position: self.read_models().state.head.position }),
        }
    }
}
