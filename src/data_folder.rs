//! Opens a data folder: the lock, the log, its proof and its key. The order is such that nothing is changed before all
//! checks have passed. `witnesses.rs` compares the log with what the folder has seen of it. `start.rs` starts the
//! engine.

mod start;
mod witnesses;

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use domain::{Head, Position};
use projections::ReadModels;

pub use self::start::{start, system_clock, until_ready};
use self::witnesses::{NotTheLog, Witnesses, holds};
use crate::engine::{Range, SnapshotFolder, StartError, Undecided, decode, replay_on, stream};
use crate::key::ServerKey;
use crate::log::{self, EventLog, FolderError, FolderLock, OpenError, ReadError};
use crate::place::Place;
use crate::progress;
use crate::served::{Served, ServedMark};

/// A data folder that this process holds, with its log proved and folded.
pub struct DataFolder {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// The state and the read models that the log folds to.
    pub replayed: ReadModels,
    /// The key that belongs to the log.
    pub key: ServerKey,
    /// The position of the restored snapshot; 0 if there was none.
    pub last_snapshot: Position,
    /// The file that remembers what was served.
    pub served: ServedMark,
}

/// The reason why a data folder cannot be used.
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
    #[error("{}: a key for the new log could not be made: {error}", path.display())]
    KeyNotMade { path: PathBuf, error: io::Error },
    #[error(transparent)]
    NotTheLog(Box<NotTheLog>),
    #[error("--accept-rewind {}:{}: the log does not hold this record. {refused}", .accepted.position, .accepted.hash)]
    NotAccepted { accepted: Head, refused: Box<NotTheLog> },
    #[error("{}: the file `served` cannot be read or written: {error}", folder.display())]
    NoMark { folder: PathBuf, error: io::Error },
    #[error("{}: this key is not the one that the log was made with; give the right file with `--key-file`", .0.display())]
    WrongKey(PathBuf),
    #[error(transparent)]
    Unreadable(ReadError),
    #[error("another node has just made the log with another key; give all nodes the same key with `--key-file`")]
    OthersKey,
    #[error("the log could not be created: {0}")]
    NotCreated(Undecided),
}

impl FolderProblem {
    /// True if the log could not be reached, but may be reached later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Open(error) => error.may_pass(),
            Self::Lock(_)
            | Self::Log { .. }
            | Self::Key { .. }
            | Self::KeyNotMade { .. }
            | Self::WrongKey(_)
            | Self::Unreadable(_)
            | Self::OthersKey
            | Self::NotCreated(_)
            | Self::NotTheLog(_)
            | Self::NotAccepted { .. }
            | Self::NoMark { .. } => false,
        }
    }

    /// True if only a person can decide how to go on: every later try would be refused for this reason.
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::NotTheLog(_) | Self::NotAccepted { .. } | Self::Key { .. } | Self::WrongKey(_) | Self::OthersKey => {
                true
            }
            Self::Log { error, .. } => matches!(error, StartError::Snapshot(_)),
            Self::Lock(_)
            | Self::Open(_)
            | Self::KeyNotMade { .. }
            | Self::NoMark { .. }
            | Self::Unreadable(_)
            | Self::NotCreated(_) => false,
        }
    }
}

/// Fails if opening the log would make a new one. The error tells what the folder knows of an earlier log.
///
/// # Errors
/// There is no log.
pub fn must_exist(place: &Place) -> Result<(), FolderProblem> {
    let Err(none) = log::must_exist(&place.log, &place.data) else { return Ok(()) };
    Witnesses::of(place).allow_a_new_log(place).map_err(FolderProblem::NotTheLog)?;
    Err(none.into())
}

/// Opens a log for reading, also if other processes have it open.
///
/// # Errors
/// There is no log, or it cannot be reached.
pub async fn open_read_only(place: &Place) -> Result<Arc<dyn EventLog>, FolderProblem> {
    must_exist(place)?;
    match log::open_read_only(&place.log, &place.data).await {
        // Only the server of a log that is elsewhere knows that the log is empty.
        Err(none @ OpenError::NoLog { .. }) => {
            Witnesses::of(place).allow_a_new_log(place).map_err(FolderProblem::NotTheLog)?;
            Err(none.into())
        }
        opened => Ok(opened?),
    }
}

/// Opens the log of a locked folder, for a command that does not serve it.
///
/// # Errors
/// The log cannot be reached, or does not hold what was served from the folder.
pub async fn open_log(place: &Place, _held: &FolderLock) -> Result<Arc<dyn EventLog>, FolderProblem> {
    let witnesses = Witnesses::of(place);
    let log = log::open(&place.log, &place.data).await?;
    witnesses.allow(place, log.as_ref()).await.map_err(FolderProblem::Unreadable)?.map_err(FolderProblem::NotTheLog)?;
    Ok(log)
}

impl DataFolder {
    /// Folds the log of a locked folder: from the newest snapshot on, or from the first record. All folded records are
    /// proved, and always the last record. A log that does not hold what was served from here is refused, unless it
    /// holds the record `accepted` by `--accept-rewind`.
    ///
    /// # Errors
    /// The folder cannot be written, or its log or key is not the one that was served.
    pub async fn open(place: &Place, accepted: Option<Head>, _held: &FolderLock) -> Result<Self, FolderProblem> {
        let witnesses = Witnesses::of(place);
        if log::must_exist(&place.log, &place.data).is_err()
            && accepted != Some(Head::EMPTY)
            && let Err(refused) = witnesses.allow_a_new_log(place)
        {
            return Err(refuse(refused, accepted));
        }
        let log = log::open(&place.log, &place.data).await?;
        let no_mark = |error| FolderProblem::NoMark { folder: place.data.clone(), error };
        let unread = |error: ReadError| FolderProblem::Log { log: place.log_name(), error: error.into() };
        let head = log.head().await.map_err(unread)?;
        tracing::info!("the log is in {}; its head is position {}", place.log_name(), head.position);
        if let Err(refused) = witnesses.allow(place, log.as_ref()).await.map_err(unread)? {
            let is_there = match accepted {
                Some(Head::EMPTY) => head == Head::EMPTY,
                Some(record) => holds(log.as_ref(), &record).await.map_err(unread)?,
                None => false,
            };
            if !is_there {
                // If a record was altered, that is the cause, and the error names it.
                let proved = stream(&log, Range::ALL, decode, |_| ControlFlow::Continue(())).await;
                proved.map_err(|error| FolderProblem::Log { log: place.log_name(), error: error.into() })?;
                return Err(refuse(refused, accepted));
            }
            refused.accept().map_err(no_mark)?;
        } else if accepted.is_some() {
            tracing::warn!(
                "--accept-rewind is not needed: nothing is missing; remove it, before it accepts a later loss"
            );
        }
        let failed = |error| FolderProblem::Log { log: place.log_name(), error };
        let (replayed, last_snapshot) = fold(place, &log, head.position).await.map_err(failed)?;
        let served = replayed.state.log.as_ref().map_or(Served::NOTHING, |log| {
            let (log_id, head) = (log.log_id, replayed.state.head);
            Served { log_id, head }
        });
        if served == Served::NOTHING {
            // Make the mark before the key: if both exist and nothing was served, a first start was interrupted.
            ServedMark::begin(&place.data, served).map_err(no_mark)?;
        }
        let key = key(place, &replayed)?;
        let served = ServedMark::begin(&place.data, served).map_err(no_mark)?;
        Ok(Self { log, replayed, key, last_snapshot, served })
    }
}

fn refuse(refused: Box<NotTheLog>, accepted: Option<Head>) -> FolderProblem {
    match accepted {
        None => FolderProblem::NotTheLog(refused),
        Some(accepted) => FolderProblem::NotAccepted { accepted, refused },
    }
}

/// Folds the log: from its newest snapshot on, or all of it.
async fn fold(place: &Place, log: &Arc<dyn EventLog>, end: Position) -> Result<(ReadModels, Position), StartError> {
    let started = Instant::now();
    let restored = SnapshotFolder::beside(&place.data).restore(log.as_ref()).await?.unwrap_or_default();
    let snapshot = restored.state.head.position;
    if snapshot > Position::START {
        tracing::info!("restored the snapshot of position {snapshot} in {:.3} s", started.elapsed().as_secs_f64());
    }
    let started = Instant::now();
    let bar = progress::of_events("replaying", snapshot, end);
    let replayed = replay_on(restored, log, |position| bar.set_position(position.get())).await?;
    bar.finish_and_clear();
    let events = replayed.state.head.position.get() - snapshot.get();
    tracing::info!("replayed {events} events in {:.3} s", started.elapsed().as_secs_f64());
    Ok((replayed, snapshot))
}

/// Loads the key. The key of a log with events must exist and fit; only an empty log may get a new key.
fn key(place: &Place, replayed: &ReadModels) -> Result<ServerKey, FolderProblem> {
    let path = place.key_path();
    let key = match &replayed.state.log {
        None => {
            ServerKey::load_or_create(&path).map_err(|error| FolderProblem::KeyNotMade { path: path.clone(), error })
        }
        Some(_) => ServerKey::load(&path).map_err(|error| FolderProblem::Key { path: path.clone(), error }),
    }?;
    match &replayed.state.log {
        Some(log) if log.key_check != key.check() => Err(FolderProblem::WrongKey(path)),
        Some(_) | None => Ok(key),
    }
}
