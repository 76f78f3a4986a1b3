//! Starts the engine on an opened data folder.

use std::sync::Arc;
use std::time::Duration;

use domain::{Action, Command, CreateLog, Credential, Hash, Position, Timestamp};
use projections::ReadModels;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::FolderProblem;
use crate::engine::{Clock, Engine, Fatal, Sequencer, SnapshotWriter, Submission};
use crate::key::ServerKey;
use crate::log::EventLog;
use crate::served::ServedMark;

/// How often a start looks whether commands are taken.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How often the first append is tried again.
const CREATE_TRIES: u32 = 5;

/// The time of this machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()))
}

/// Starts the engine on an opened folder. An empty log gets its first events: its id, the key's check value, and the
/// room.
///
/// # Errors
/// The first events could not be appended, or another node was faster and has another key.
pub async fn start(
    log: Arc<dyn EventLog>,
    replayed: ReadModels,
    key: &ServerKey,
    capacity: u64,
    served: ServedMark,
    snapshots: Option<SnapshotWriter>,
) -> Result<(Engine, JoinHandle<Result<(), Fatal>>), FolderProblem> {
    let node_id = Uuid::new_v4();
    let is_new = replayed.state.log.is_none();
    let (engine, sequencer): (Engine, Sequencer) = Engine::new(log.clone(), replayed, system_clock(), node_id);
    let seeds = key.clone();
    let sequencer = sequencer.with_seeds(Arc::new(move |log_id, nonce| seeds.draw_seed(log_id, nonce)));
    served.keep_synced();
    let sequencer = sequencer.with_served_mark(served);
    let sequencer = match snapshots {
        Some(snapshots) => sequencer.with_snapshots(snapshots),
        None => sequencer,
    };
    let sequencer = tokio::spawn(sequencer.run());
    if is_new {
        let create = CreateLog { log_id: Uuid::new_v4(), key_check: key.check(), capacity };
        until_ready(&engine, &sequencer).await;
        create_log(&engine, create).await?;
        if key_check(&log).await? != Some(key.check()) {
            return Err(FolderProblem::OthersKey);
        }
    }
    tracing::info!("the id of this run of the node: {node_id}");
    Ok((engine, sequencer))
}

/// Waits until commands are taken, or the sequencer has ended. The reasons for waiting are logged elsewhere.
pub async fn until_ready(engine: &Engine, sequencer: &JoinHandle<Result<(), Fatal>>) {
    while engine.readiness().is_err() && !sequencer.is_finished() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Makes the log's first append. If several nodes make one log at once, it may be unavailable for a moment.
async fn create_log(engine: &Engine, create: CreateLog) -> Result<(), FolderProblem> {
    let mut refused = 0;
    loop {
        let command = Command { by: Credential::System, idempotency: None, action: Action::CreateLog(create.clone()) };
        match engine.submit(Submission::new(command, None)).await {
            Ok(_) => return Ok(()),
            Err(undecided) if refused == CREATE_TRIES => return Err(FolderProblem::NotCreated(undecided)),
            Err(_) => refused += 1,
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Reads the key's check value from the log's first record.
async fn key_check(log: &Arc<dyn EventLog>) -> Result<Option<Hash>, FolderProblem> {
    let first = log.read(Position::START, 1).await.map_err(FolderProblem::Unreadable)?;
    let first = first.first().and_then(|record| record.decode().ok());
    Ok(first.and_then(|recorded| recorded.event.log_created().map(|created| created.key_check)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::engine::replay;
    use crate::log::memory::MemoryLog;
    use crate::served::Served;

    const KEY: &str = "abababababababababababababababababababababababababababababababab";

    /// The mark lies in `folder`, which must stay there: a node that can remember nothing stops.
    async fn started(log: &Arc<dyn EventLog>, key: &ServerKey, folder: &Path) -> Engine {
        let replayed = replay(log, |_| {}).await.unwrap();
        let served = ServedMark::begin(folder, Served::NOTHING).unwrap();
        start(Arc::clone(log), replayed, key, 10, served, None).await.unwrap().0
    }

    async fn until(what: impl Fn() -> bool) {
        while !what() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    #[tokio::test]
    async fn a_node_whose_clock_is_off_waits_and_says_why() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("server.key"), format!("{KEY}\n")).unwrap();
        let key = ServerKey::load(&folder.path().join("server.key")).unwrap();
        let memory = MemoryLog::new();
        let log: Arc<dyn EventLog> = Arc::new(memory.clone());
        // The log's clock runs, so many seconds off this machine's.
        let off = Arc::new(std::sync::atomic::AtomicI64::new(0));
        let shows = |seconds: i64| {
            off.store(seconds, std::sync::atomic::Ordering::Relaxed);
            memory.set_clock(system_clock()().plus_seconds(seconds));
        };
        let (running, by) = (memory.clone(), Arc::clone(&off));
        let runs = tokio::spawn(async move {
            loop {
                running.set_clock(system_clock()().plus_seconds(by.load(std::sync::atomic::Ordering::Relaxed)));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        // A log that nobody has made yet is made once the clock is right.
        shows(-10);
        let starting = tokio::spawn({
            let (log, folder) = (Arc::clone(&log), folder.path().to_owned());
            async move { (started(&log, &key, &folder).await, key) }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!starting.is_finished() && memory.records().is_empty());
        shows(0);
        let (first, key) = starting.await.unwrap();
        until(|| first.readiness().is_ok()).await;
        // One that is there is served at once: queries work, and why there are no commands is told.
        shows(-10);
        let second = started(&log, &key, other.path()).await;
        until(|| second.readiness().is_err_and(|why| why.told.contains("clock") && why.told.contains("ahead"))).await;
        shows(0);
        until(|| second.readiness().is_ok()).await;
        runs.abort();
    }
}
