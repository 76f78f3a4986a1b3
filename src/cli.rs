//! The commands beside `serve`: what operators do with a data folder that no server holds. On a log that several nodes
//! share, they are one more node, with a data folder of their own.

use std::io::Read;
use std::path::{Path, PathBuf};

use domain::{Catalogue, Credential, Timestamp};

use crate::catalog::{self, CatalogError, EXAMPLE, MAX_CATALOG_BYTES, Options, Order, Plan};
use crate::config::{self, DEFAULT_CAPACITY, Place};
use crate::data_folder::{DataFolder, FolderProblem, start, system_clock};
use crate::engine::Fatal;
use crate::failure::Failure;
use crate::log::{self, FolderLock};
use crate::operations::{self, CommandError};
use crate::{printing, progress};

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: std::io::Error },
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
            CliError::File { .. } | CliError::Catalog { .. } | CliError::NothingToSet | CliError::Panicked(_) => false,
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
        config::Catalog::Import(import) => {
            let unfit = |error| CliError::Catalog { path: named(&import.file), error };
            let bytes = read(&import.file)?;
            if import.dry_run {
                plan(place, import, &bytes, unfit).await
            } else {
                publish(place, import, &bytes, unfit).await
            }
        }
    }
}

/// A file's bytes, or those of standard input; of a file that is too large, more than are taken.
fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let unreadable = |error| CliError::File { path: named(file), error };
    let limit = MAX_CATALOG_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = if is_standard_input(file) {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(unreadable).map(|_| bytes)
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

/// A file, as it is called in what is said.
fn named(file: &Path) -> PathBuf {
    if is_standard_input(file) { PathBuf::from("standard input") } else { file.to_owned() }
}

/// Tells what an import would do. A folder without a log stays one.
async fn plan(
    place: &Place,
    import: &config::Import,
    bytes: &[u8],
    unfit: impl Fn(CatalogError) -> CliError,
) -> Result<String, CliError> {
    let (_lock, folder) = if log::must_exist(&place.log, &place.data).is_ok() {
        let lock = FolderLock::take(&place.data).map_err(FolderProblem::from)?;
        let folder = DataFolder::open(place, None, &lock).await?;
        (Some(lock), Some(folder))
    } else {
        (None, None)
    };
    let state = folder.as_ref().map(|folder| &folder.replayed.state);
    let now = system_clock()().max(state.map_or(Timestamp::default(), |state| state.recorded_at));
    let catalogue = state.map_or_else(Catalogue::default, |state| state.catalogue.clone());
    if let Some(folder) = folder {
        folder.log.close().await;
    }
    let plan = catalog::plan(bytes, &catalogue, Options { is_new: import.new }, now).map_err(&unfit)?;
    if let Err(error) = plan.check() {
        // What is wrong is told in the plan and as the reason for the exit code.
        let _ = printing::line(&told(&plan, import.output.json));
        return Err(unfit(error));
    }
    Ok(told(&plan, import.output.json))
}

fn told(plan: &Plan, json: bool) -> String {
    if json {
        serde_json::to_string_pretty(plan).expect("a plan holds only what JSON can say")
    } else {
        plan.to_string()
    }
}

async fn publish(
    place: &Place,
    import: &config::Import,
    bytes: &[u8],
    unfit: impl Fn(CatalogError) -> CliError,
) -> Result<String, CliError> {
    let lock = FolderLock::take(&place.data).map_err(FolderProblem::from)?;
    let folder = DataFolder::open(place, None, &lock).await?;
    let (catalogue, recorded_at) = (folder.replayed.state.catalogue.clone(), folder.replayed.state.recorded_at);
    let now = system_clock()().max(recorded_at);
    let plan = catalog::plan(bytes, &catalogue, Options { is_new: import.new }, now).map_err(&unfit)?;
    plan.check().map_err(&unfit)?;
    let (shown, added, is_empty) = (told(&plan, import.output.json), plan.added(), plan.is_empty());
    let log = folder.log;
    let (engine, sequencer) =
        start(log.clone(), folder.replayed, &folder.key, DEFAULT_CAPACITY, folder.served, None).await?;
    let bar = progress::bar("importing {bar:40} {human_pos}/{human_len} commands{time_left}", 0, 1);
    let order = Order { reason: import.reason.clone(), ..Order::by(Credential::OPERATOR) };
    let advance = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    catalog::publish(&engine, plan, order, advance).await.map_err(&unfit)?;
    bar.finish_and_clear();
    drop(engine);
    sequencer.await??;
    log.close().await;
    let file = named(&import.file);
    Ok(match (import.output.json, is_empty) {
        (true, _) => shown,
        (false, true) => format!("{}: nothing to import; all of it is in the log already", file.display()),
        (false, false) => format!("{}: imported {added}", file.display()),
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
