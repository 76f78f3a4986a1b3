//! Opening a data folder: the lock, the log, its proof and its key, in an order that changes nothing before all is well.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use domain::{Action, Command, CreateLog, Credential, Position, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use crate::engine::{
    Clock, Engine, Replayed, Sequencer, SnapshotFolder, SnapshotWriter, StartError, Submission, Undecided,
};
use crate::key::{KEY_FILE, ServerKey};
use crate::log::{EventLog, FolderError, FolderLock, LOG_FILE, OpenError, ReadError, SqliteLog};

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
    #[error("{}: {error}", path.display())]
    Log { path: PathBuf, error: StartError },
    #[error("{}: there is no log; `reprise serve` or `reprise catalog import` makes one", .0.display())]
    NoLog(PathBuf),
    #[error("{}: {error}; the log cannot be served without the key that it was made with", path.display())]
    Key { path: PathBuf, error: io::Error },
    #[error("{}: this key is not the one that the log was made with", .0.display())]
    WrongKey(PathBuf),
    #[error("the log could not be created: {0}")]
    NotCreated(Undecided),
}

impl DataFolder {
    /// Takes the folder, made if missing, and folds its log: from the newest snapshot, or from the first record. What is
    /// folded is proved, and always the last record.
    ///
    /// # Errors
    /// Another process holds the folder, it cannot be written, or its log or key is not what it was.
    pub async fn open(path: &Path) -> Result<Self, FolderProblem> {
        let lock = FolderLock::take(path)?;
        let log: Arc<dyn EventLog> = Arc::new(SqliteLog::open(path).await?);
        let failed = |error| FolderProblem::Log { path: path.to_owned(), error };
        let head = log.head().await.map_err(|error: ReadError| failed(error.into()))?;
        tracing::info!("the log is in {}; its head is position {}", path.display(), head.position);
        let (replayed, last_snapshot) = fold(path, &log, head.position).await.map_err(failed)?;
        let key = key(path, &replayed)?;
        Ok(Self { log, replayed, key, last_snapshot, lock })
    }

    /// Fails where the folder has no log yet.
    ///
    /// # Errors
    /// It has none.
    pub fn must_exist(path: &Path) -> Result<(), FolderProblem> {
        if path.join(LOG_FILE).exists() { Ok(()) } else { Err(FolderProblem::NoLog(path.to_owned())) }
    }
}

/// Folds the log: from its newest snapshot on, or all of it.
async fn fold(path: &Path, log: &Arc<dyn EventLog>, end: Position) -> Result<(Replayed, Position), StartError> {
    let started = Instant::now();
    let restored = SnapshotFolder::beside(path).restore(log.as_ref()).await?.unwrap_or_default();
    let snapshot = restored.state.head.position;
    if snapshot > Position::START {
        tracing::info!("restored the snapshot of position {snapshot} in {:.3} s", started.elapsed().as_secs_f64());
    }
    let started = Instant::now();
    let bar = progress_bar(end).with_position(snapshot.get());
    let replayed = restored.read_on(log, |position| bar.set_position(position.get())).await?;
    bar.finish_and_clear();
    let events = replayed.state.head.position.get() - snapshot.get();
    tracing::info!("replayed {events} events in {:.3} s", started.elapsed().as_secs_f64());
    Ok((replayed, snapshot))
}

/// The key of a log that has events must be there and fit; only an empty one may get a new key.
fn key(folder: &Path, replayed: &Replayed) -> Result<ServerKey, FolderProblem> {
    let path = || folder.join(KEY_FILE);
    let key = match &replayed.state.log {
        None => ServerKey::load_or_create(folder),
        Some(_) => ServerKey::load(folder),
    };
    let key = key.map_err(|error| FolderProblem::Key { path: path(), error })?;
    match &replayed.state.log {
        Some(log) if log.key_check != key.check() => Err(FolderProblem::WrongKey(path())),
        Some(_) | None => Ok(key),
    }
}

fn progress_bar(end: Position) -> ProgressBar {
    let style =
        ProgressStyle::with_template("replaying {bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left");
    ProgressBar::new(end.get()).with_style(style.expect("the template is a constant"))
}

/// The time of this machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()))
}

/// Starts the engine on an opened folder; a log that is empty begins with its name, its key and its room.
///
/// # Errors
/// The first events could not be appended.
pub async fn start(
    log: Arc<dyn EventLog>,
    replayed: Replayed,
    key: &ServerKey,
    capacity: u64,
    snapshots: Option<SnapshotWriter>,
) -> Result<(Engine, tokio::task::JoinHandle<Result<(), crate::engine::Fatal>>), FolderProblem> {
    let node_id = Uuid::new_v4();
    let (engine, sequencer): (Engine, Sequencer) = Engine::new(log, replayed, system_clock(), node_id);
    let sequencer = match snapshots {
        Some(snapshots) => sequencer.with_snapshots(snapshots),
        None => sequencer,
    };
    let sequencer = tokio::spawn(sequencer.run());
    let create = CreateLog { log_id: Uuid::new_v4(), key_check: key.check(), capacity };
    let command = Command { by: Credential::System, idempotency: None, action: Action::CreateLog(create) };
    engine.submit(Submission::new(command, None)).await.map_err(FolderProblem::NotCreated)?;
    tracing::info!("this run of the node is {node_id}");
    Ok((engine, sequencer))
}
