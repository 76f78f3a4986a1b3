//! The errors of tools.

use std::io;
use std::path::PathBuf;

use domain::Position;

use crate::data_folder::FolderProblem;
use crate::engine::{StartError, StreamError};
use crate::log::{AppendError, FolderError, OpenError, ReadError, SqliteOpenError};
use crate::operations::CommandError;
use crate::past::PastError;
use crate::printing::Unprinted;
use crate::projector::{BuildError, StandingError, VerifyError};

/// The reason why a tool has no result.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error(transparent)]
    Folder(#[from] FolderProblem),
    #[error(transparent)]
    Lock(#[from] FolderError),
    #[error(transparent)]
    Log(#[from] OpenError),
    #[error("{}: {error}", path.display())]
    Open { path: PathBuf, error: SqliteOpenError },
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Stopped(#[from] StreamError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{}: it exists already, and is not overwritten; give another name", .0.display())]
    Exists(PathBuf),
    #[error("{}: line {line}: {reason}", path.display())]
    Line { path: PathBuf, line: u64, reason: String },
    #[error("{}: the log is complete, but a power cut may lose its name: {error}", path.display())]
    IsThere { path: PathBuf, error: io::Error },
    #[error("{0}: there is a log already, and it is not overwritten; choose an empty place")]
    HasLog(String),
    #[error("{log}: `reprise backup` copies a log in SQLite only; {instead}")]
    NotSqlite { log: String, instead: &'static str },
    #[error("{0}; nothing was copied")]
    OtherLog(String),
    #[error(transparent)]
    Past(#[from] PastError),
    #[error(transparent)]
    Standing(#[from] StandingError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("the read models were not rebuilt: {0}")]
    NotBuilt(String),
    #[error("the database of the read models: {0}")]
    ReadModels(#[from] sqlx::Error),
    #[error("the database of the read models cannot be opened: {0}")]
    Migrations(#[from] sqlx::migrate::MigrateError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("{0}")]
    NotFound(String),
    #[error(transparent)]
    Unprinted(#[from] Unprinted),
    #[error("the copy differs from what was copied: {0}")]
    Unfaithful(String),
}

impl ToolError {
    /// An error of the file or folder at `path`.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error }
    }

    /// True if only a person can decide how to go on.
    pub fn needs_a_person(&self) -> bool {
        if let Self::Command(error) = self {
            return error.needs_a_person();
        }
        if let Self::Folder(problem) = self { problem.needs_a_person() } else { false }
    }

    /// The position of the fault, if the log has one.
    pub fn position(&self) -> Option<Position> {
        let (Self::Stopped(stopped) | Self::Past(PastError::Stopped(stopped))) = self else { return None };
        if let StreamError::Wrong { position, .. } = stopped { Some(*position) } else { None }
    }
}
