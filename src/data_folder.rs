//! Opening a data folder: the lock, the log, its proof and its key, in an order that changes nothing before all is well.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use domain::{Action, Command, CreateLog, Credential, Hash, Position, Timestamp};
use uuid::Uuid;

use crate::config::Place;
use crate::engine::{
    Clock, Engine, Replayed, Sequencer, SnapshotFolder, SnapshotWriter, StartError, Submission, Undecided,
};
use crate::key::ServerKey;
use crate::log::{self, EventLog, FolderError, FolderLock, OpenError, ReadError};
use crate::progress;

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
        let lock = FolderLock::take(&place.data)?;
        let log = log::open(&place.log, &place.data).await?;
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
) -> Result<(Engine, tokio::task::JoinHandle<Result<(), crate::engine::Fatal>>), FolderProblem> {
    let node_id = Uuid::new_v4();
    let is_new = replayed.state.log.is_none();
    let (engine, sequencer): (Engine, Sequencer) = Engine::new(log.clone(), replayed, system_clock(), node_id);
    let sequencer = match snapshots {
        Some(snapshots) => sequencer.with_snapshots(snapshots),
        None => sequencer,
    };
    let sequencer = tokio::spawn(sequencer.run());
    let create = CreateLog { log_id: Uuid::new_v4(), key_check: key.check(), capacity };
    let command = Command { by: Credential::System, idempotency: None, action: Action::CreateLog(create) };
    engine.submit(Submission::new(command, None)).await.map_err(FolderProblem::NotCreated)?;
    if is_new && key_check(&log).await? != Some(key.check()) {
        return Err(FolderProblem::OthersKey);
    }
    tracing::info!("this run of the node has the id {node_id}");
    Ok((engine, sequencer))
}

/// What the log's first record remembers of its key.
async fn key_check(log: &Arc<dyn EventLog>) -> Result<Option<Hash>, FolderProblem> {
    let first = log.read(Position::START, 1).await.map_err(FolderProblem::Unreadable)?;
    let first = first.first().and_then(|record| record.decode().ok());
    Ok(first.and_then(|recorded| recorded.event.log_created().map(|created| created.key_check)))
}
