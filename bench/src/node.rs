//! An engine in this process, on a log of its own or one that it shares.

use std::path::Path;
use std::sync::Arc;

use reprise::data_folder::{start, system_clock};
use reprise::engine::{Engine, Fatal, check_clock, replay};
use reprise::key::{KEY_FILE, ServerKey};
use reprise::log::EventLog;
use reprise::served::{Served, ServedMark};
use tokio::task::JoinHandle;

use crate::BenchError;

/// One node.
pub struct Node {
    /// Its door.
    pub engine: Engine,
    sequencer: JoinHandle<Result<(), Fatal>>,
    log: Arc<dyn EventLog>,
}

impl Node {
    /// Folds the log and serves it with the key in `folder`.
    pub async fn start(log: Arc<dyn EventLog>, folder: &Path) -> Result<Self, BenchError> {
        let replayed = replay(&log, |_| {}).await?;
        check_clock(&replayed.state, system_clock()())?;
        let key = ServerKey::load(&folder.join(KEY_FILE))?;
        let served = ServedMark::begin(folder, Served::NOTHING)?;
        let (engine, sequencer) = start(Arc::clone(&log), replayed, &key, 1, served, None).await?;
        Ok(Self { engine, sequencer, log })
    }

    /// Ends it in order.
    pub async fn stop(self) -> Result<(), BenchError> {
        drop(self.engine);
        self.sequencer.await??;
        self.log.close().await;
        Ok(())
    }
}
