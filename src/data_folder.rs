//! Opening a data folder: the lock, the log, its proof and its key, in an order that changes nothing before all is well.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Action, Command, CreateLog, Credential, Hash, Position, Timestamp};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::config::Place;
use crate::engine::{
    Clock, Engine, Fatal, Replayed, Sequencer, SnapshotFolder, SnapshotWriter, StartError, Submission, Undecided,
};
use crate::key::ServerKey;
use crate::log::{self, EventLog, FolderError, FolderLock, OpenError, ReadError};
use crate::progress;

/// How often a start looks whether commands are taken.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How often the first append is tried again.
const CREATE_TRIES: u32 = 5;

/// A data folder that this process holds, with its log proved and folded.
pub struct DataFolder {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// What the log folds to.
    pub replayed: Replayed,
    /// The key that belongs to the log.
    pub key: ServerKey,
    /// The position of the snapshot that it was restored from, 0 where there was none.
    pub last_snapshot: Position,
    /// Holds the folder as long as it lives.
    pub lock: FolderLock,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderProblem {
    #[error(transparent)]
    Lock(#[from] FolderError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{log}: {error}")]
    Log { log: String, error: StartError },
    #[error("{}: {error}; the log cannot be served without the key that it was made with", path.display())]
    Key { path: PathBuf, error: io::Error },
    #[error("{}: this key is not the one that the log was made with; give the right file with `--key-file`", .0.display())]
    WrongKey(PathBuf),
    #[error(transparent)]
    Unreadable(ReadError),
    #[error("another node has just made the log with another key; all nodes of a log need the same key: `--key-file`")]
    OthersKey,
    #[error("the log could not be created: {0}")]
    NotCreated(Undecided),
}

impl DataFolder {
    /// Takes the folder, made if missing, and folds its log: from the newest snapshot, or from the first record. What is
    /// folded is proved, and always the last record.
    ///
    /// # Errors
    /// Another process holds the folder, it cannot be written, or its log or key is not what it was.
    pub async fn open(place: &Place) -> Result<Self, FolderProblem> {
        Self::open_patiently(place, Duration::ZERO, |_| {}).await
    }

    /// The same. A log whose server is not there yet is waited for as long as `patience`; `waiting` is told why.
    ///
    /// # Errors
    /// As of [`DataFolder::open`], once waiting is of no use or has been long enough.
    pub async fn open_patiently(
        place: &Place,
        patience: Duration,
        waiting: impl FnMut(&OpenError),
    ) -> Result<Self, FolderProblem> {
        let lock = FolderLock::take(&place.data)?;
        let log = log::open_patiently(&place.log, &place.data, patience, waiting).await?;
        let failed = |error| FolderProblem::Log { log: place.log_name(), error };
        let head = log.head().await.map_err(|error: ReadError| failed(error.into()))?;
        tracing::info!("the log is in {}; its head is position {}", place.log_name(), head.position);
        let (replayed, last_snapshot) = fold(place, &log, head.position).await.map_err(failed)?;
        let key = key(place, &replayed)?;
        Ok(Self { log, replayed, key, last_snapshot, lock })
    }
}

/// Folds the log: from its newest snapshot on, or all of it.
async fn fold(place: &Place, log: &Arc<dyn EventLog>, end: Position) -> Result<(Replayed, Position), StartError> {
    let started = Instant::now();
    let restored = SnapshotFolder::beside(&place.data).restore(log.as_ref()).await?.unwrap_or_default();
    let snapshot = restored.state.head.position;
    if snapshot > Position::START {
        tracing::info!("restored the snapshot of position {snapshot} in {:.3} s", started.elapsed().as_secs_f64());
    }
    let started = Instant::now();
    let bar = progress::of_events("replaying", snapshot, end);
    let replayed = restored.read_on(log, |position| bar.set_position(position.get())).await?;
    bar.finish_and_clear();
    let events = replayed.state.head.position.get() - snapshot.get();
    tracing::info!("replayed {events} events in {:.3} s", started.elapsed().as_secs_f64());
    Ok((replayed, snapshot))
}

/// The key of a log that has events must be there and fit; only an empty one may get a new key.
fn key(place: &Place, replayed: &Replayed) -> Result<ServerKey, FolderProblem> {
    let path = place.key_path();
    let key = match &replayed.state.log {
        None => ServerKey::load_or_create(&path),
        Some(_) => ServerKey::load(&path),
    };
    let key = key.map_err(|error| FolderProblem::Key { path: path.clone(), error })?;
    match &replayed.state.log {
        Some(log) if log.key_check != key.check() => Err(FolderProblem::WrongKey(path)),
        Some(_) | None => Ok(key),
    }
}

/// The time of this machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()))
}

/// Starts the engine on an opened folder; a log that is empty begins with its name, its key and its room.
///
/// # Errors
/// The first events could not be appended, or another node was faster and has another key.
pub async fn start(
    log: Arc<dyn EventLog>,
    replayed: Replayed,
    key: &ServerKey,
    capacity: u64,
    snapshots: Option<SnapshotWriter>,
) -> Result<(Engine, JoinHandle<Result<(), Fatal>>), FolderProblem> {
    let node_id = Uuid::new_v4();
    let is_new = replayed.state.log.is_none();
    let (engine, sequencer): (Engine, Sequencer) = Engine::new(log.clone(), replayed, system_clock(), node_id);
    let seeds = key.clone();
    let sequencer = sequencer.with_seeds(Arc::new(move |log_id, nonce| seeds.draw_seed(log_id, nonce)));
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
    tracing::info!("this run of the node has the id {node_id}");
    Ok((engine, sequencer))
}

/// Waits until commands are taken. Why they are not yet is told by whoever finds out.
pub async fn until_ready(engine: &Engine, sequencer: &JoinHandle<Result<(), Fatal>>) {
    while engine.readiness().is_err() && !sequencer.is_finished() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// The log's first append. Where several nodes make one log, a start may find it unavailable for a moment.
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

/// What the log's first record remembers of its key.
async fn key_check(log: &Arc<dyn EventLog>) -> Result<Option<Hash>, FolderProblem> {
    let first = log.read(Position::START, 1).await.map_err(FolderProblem::Unreadable)?;
    let first = first.first().and_then(|record| record.decode().ok());
    Ok(first.and_then(|recorded| recorded.event.log_created().map(|created| created.key_check)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::replay;
    use crate::log::memory::MemoryLog;

    const KEY: &str = "abababababababababababababababababababababababababababababababab";

    async fn started(log: &Arc<dyn EventLog>, key: &ServerKey) -> Engine {
        let replayed = replay(log, |_| {}).await.unwrap();
        start(Arc::clone(log), replayed, key, 10, None).await.unwrap().0
    }

    async fn until(what: impl Fn() -> bool) {
        while !what() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    #[tokio::test]
    async fn a_node_whose_clock_is_off_waits_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("server.key"), format!("{KEY}\n")).unwrap();
        let key = ServerKey::load(&folder.path().join("server.key")).unwrap();
        let memory = MemoryLog::new();
        let log: Arc<dyn EventLog> = Arc::new(memory.clone());
        let shows = |seconds: i64| memory.set_clock(system_clock()().plus_seconds(seconds));
        // A log that nobody has made yet is made once the clock is right.
        shows(-10);
        let starting = tokio::spawn({
            let log = Arc::clone(&log);
            async move { (started(&log, &key).await, key) }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!starting.is_finished() && memory.records().is_empty());
        shows(0);
        let (first, key) = starting.await.unwrap();
        until(|| first.readiness().is_ok()).await;
        // One that is there is served at once: queries work, and why there are no commands is told.
        shows(-10);
        let second = started(&log, &key).await;
        until(|| second.readiness().is_err_and(|why| why.told.contains("clock") && why.told.contains("ahead"))).await;
        shows(0);
        until(|| second.readiness().is_ok()).await;
    }
}
