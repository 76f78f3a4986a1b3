//! The commands beside `serve`: what operators do with a data folder that no server holds. On a log that several nodes
//! share, they are one more node, with a data folder of their own.

use std::path::{Path, PathBuf};

use indicatif::HumanCount;

use crate::catalog::{self, CatalogError, CatalogFile, EXAMPLE};
use crate::config::{self, DEFAULT_CAPACITY, Place};
use crate::data_folder::{DataFolder, FolderProblem, start, system_clock};
use crate::engine::Fatal;
use crate::failure::Failure;
use crate::log::FolderLock;
use crate::operations::{self, CommandError};
use crate::progress;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: std::io::Error },
    #[error("{}: {error}", path.display())]
    Json { path: PathBuf, error: serde_json::Error },
    #[error("{}: {error}", path.display())]
    Catalog { path: PathBuf, error: CatalogError },
    #[error("say what to set: --capacity N, --admissions-per-second N, or both")]
    NothingToSet,
    #[error(transparent)]
    Folder(#[from] FolderProblem),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error("the sequencer stopped: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        let needs_a_person = match &error {
            CliError::Folder(problem) => problem.needs_a_person(),
            CliError::Fatal(fatal) => fatal.needs_a_person(),
            CliError::Command(error) => error.needs_a_person(),
            CliError::File { .. }
            | CliError::Json { .. }
            | CliError::Catalog { .. }
            | CliError::NothingToSet
            | CliError::Panicked(_) => false,
        };
        Self { said: error.to_string(), needs_a_person }
    }
}

/// Runs `reprise catalog …`, and tells what came of it.
///
/// # Errors
/// The file cannot be read or does not fit, or the folder cannot be used.
pub async fn catalog(place: &Place, command: &config::Catalog) -> Result<String, CliError> {
    match command {
        config::Catalog::Example => Ok(EXAMPLE.to_owned()),
        config::Catalog::Import { file } => import(place, file).await,
    }
}

async fn import(place: &Place, path: &Path) -> Result<String, CliError> {
    let text = std::fs::read(path).map_err(|error| CliError::File { path: path.to_owned(), error })?;
    let unreadable = |error| CliError::Json { path: path.to_owned(), error };
    let file: CatalogFile = serde_json::from_slice(&text).map_err(unreadable)?;
    drop(text);
    let unfit = |error| CliError::Catalog { path: path.to_owned(), error };

    let lock = FolderLock::take(&place.data).map_err(FolderProblem::from)?;
    let folder = DataFolder::open(place, None, &lock).await?;
    let now = system_clock()().max(folder.replayed.state.recorded_at);
    let steps = catalog::plan(&file, &folder.replayed.state, now).map_err(unfit)?;
    let log = folder.log;
    let (engine, sequencer) =
        start(log.clone(), folder.replayed, &folder.key, DEFAULT_CAPACITY, folder.served, None).await?;
    let bar = progress::bar("importing {bar:40} {human_pos}/{human_len} commands{time_left}", 0, steps.len() as u64);
    let written = catalog::publish(&engine, steps, || bar.inc(1)).await.map_err(unfit)?;
    bar.finish_and_clear();
    drop(engine);
    sequencer.await??;
    log.close().await;
    Ok(match written {
        0 => format!("{}: nothing to import; all of it is in the log already", path.display()),
        _ => format!("{}: imported by {} commands", path.display(), HumanCount(written)),
    })
}

/// Runs `reprise room …`, and tells what is set now.
///
/// # Errors
/// There is no log, or its server refuses.
pub async fn room(place: &Place, command: &config::Room) -> Result<String, CliError> {
    let config::Room::Set(options) = command;
    if options.capacity.is_none() && options.admissions_per_second.is_none() {
        return Err(CliError::NothingToSet);
    }
    Ok(operations::set_room(place, options).await?)
}
