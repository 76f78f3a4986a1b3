//! `reprise catalog …`.

use std::io::Read;
use std::path::{Path, PathBuf};

use domain::{Catalogue, Timestamp};
use form_urlencoded::Serializer;
use reqwest::Method;
use serde_json::Value;

use super::reached::Reached;
use super::{ClientError, CommandError, Sent, Server};
use crate::catalog::{self, CatalogError, EXAMPLE, MAX_CATALOG_BYTES, Options, PlanShown, media_type};
use crate::config::{Catalog, Import};
use crate::data_folder::{DataFolder, FolderProblem, system_clock};
use crate::failure::Failure;
use crate::log::{self, FolderLock};
use crate::place::Place;
use crate::printing;

const CATALOG: &str = "/api/operations/catalog";

/// The reason why a catalogue was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: std::io::Error },
    #[error("{}: {error}", path.display())]
    Catalog { path: PathBuf, error: CatalogError },
    #[error("{}: {refusal}", path.display())]
    Refused { path: PathBuf, refusal: String },
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        let needs_a_person = match &error {
            ImportError::Command(error) => error.needs_a_person(),
            ImportError::File { .. } | ImportError::Catalog { .. } | ImportError::Refused { .. } => false,
        };
        Self { said: error.to_string(), needs_a_person }
    }
}

/// Prints the example, imports a file, or shows the plan of an import.
///
/// # Errors
/// The file cannot be read or has mistakes, or the folder cannot be used.
pub async fn run(place: &Place, command: &Catalog) -> Result<String, ImportError> {
    match command {
        Catalog::Example => Ok(EXAMPLE.to_owned()),
        Catalog::Import(import) => {
            let bytes = read(&import.file)?;
            if import.dry_run { plan(place, import, bytes).await } else { carry_out(place, import, bytes).await }
        }
    }
}

/// Reads a file or standard input. Of a file that is too large, it reads one byte more than is allowed.
fn read(file: &Path) -> Result<Vec<u8>, ImportError> {
    let unreadable = |error| ImportError::File { path: named(file), error };
    let limit = MAX_CATALOG_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = if is_standard_input(file) {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(unreadable)?;
    catalog::check_size(&bytes).map_err(|error| ImportError::Catalog { path: named(file), error })?;
    Ok(bytes)
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

/// The name of a file in messages.
fn named(file: &Path) -> PathBuf {
    if is_standard_input(file) { PathBuf::from("standard input") } else { file.to_owned() }
}

/// Shows the plan of an import. Its faults are in the plan, and are also the reason for the exit code.
async fn plan(place: &Place, import: &Import, bytes: Vec<u8>) -> Result<String, ImportError> {
    let shown = match Server::of(&place.data).await.map_err(CommandError::from)? {
        Some(server) => {
            let answer = server.ask(Method::POST, &asked(import), None, Some(sent(bytes))).await;
            answer.map_err(|error| refused(import, error.into()))?.body
        }
        None => planned(place, import, &bytes).await?,
    };
    let said =
        if import.output.json { format!("{shown:#}") } else { shown["words"].as_str().unwrap_or_default().to_owned() };
    match shown["refusal"].as_str() {
        None => Ok(said),
        Some(refusal) => {
            let _ = printing::line(&said);
            Err(ImportError::Refused { path: named(&import.file), refusal: refusal.to_owned() })
        }
    }
}

/// Makes the plan without a server. A folder without a log stays so, and a log gets no record.
async fn planned(place: &Place, import: &Import, bytes: &[u8]) -> Result<Value, ImportError> {
    let mut catalogue = Catalogue::default();
    let mut now = system_clock()();
    if is_there(place) {
        let lock = FolderLock::take(&place.data).map_err(|error| CommandError::from(FolderProblem::from(error)))?;
        let folder = DataFolder::open(place, None, &lock).await.map_err(CommandError::from)?;
        catalogue = folder.replayed.state.catalogue.clone();
        now = now.max(folder.replayed.state.recorded_at);
        folder.log.close().await;
    }
    let plan = planned_of(import, bytes, &catalogue, now)?;
    Ok(serde_json::to_value(PlanShown::of(&plan)).expect("a plan holds only what JSON can say"))
}

fn planned_of(
    import: &Import,
    bytes: &[u8],
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<catalog::Plan, ImportError> {
    let unfit = |error| ImportError::Catalog { path: named(&import.file), error };
    catalog::plan(bytes, catalogue, Options { is_new: import.new }, now).map_err(unfit)
}

fn is_there(place: &Place) -> bool {
    log::must_exist(&place.log, &place.data).is_ok()
}

async fn carry_out(place: &Place, import: &Import, bytes: Vec<u8>) -> Result<String, ImportError> {
    if !is_there(place) {
        // A file with mistakes must not make a log.
        let plan = planned_of(import, &bytes, &Catalogue::default(), system_clock()())?;
        plan.check().map_err(|error| ImportError::Catalog { path: named(&import.file), error })?;
    }
    let server = Reached::of_any(place).await?;
    let key = import.change.idempotency_key.as_deref();
    let answer = server.send(Method::POST, &asked(import), key, Some(sent(bytes))).await;
    server.close().await?;
    let body = answer.map_err(|error| refused(import, error))?.body;
    Ok(if import.output.json { format!("{body:#}") } else { told(&named(&import.file), &body["added"]) })
}

/// The route with its parameters.
fn asked(import: &Import) -> String {
    let mut parameters = Serializer::new(String::new());
    if import.dry_run {
        parameters.append_pair("dryRun", "true");
    }
    if import.new {
        parameters.append_pair("new", "true");
    }
    if let Some(reason) = &import.change.reason {
        parameters.append_pair("reason", reason);
    }
    format!("{CATALOG}?{}", parameters.finish())
}

fn sent(bytes: Vec<u8>) -> Sent {
    Sent { media_type: media_type(&bytes), bytes }
}

/// Adds the file's name to a refusal.
fn refused(import: &Import, error: CommandError) -> ImportError {
    if let CommandError::Refused(ClientError::Refused { detail, .. }) = error {
        return ImportError::Refused { path: named(&import.file), refusal: detail };
    }
    error.into()
}

/// Describes what was added.
fn told(file: &Path, added: &Value) -> String {
    match catalog::Added::of(added) {
        None => format!("{}: nothing to import; all of it is in the log already", file.display()),
        Some(added) => format!("{}: imported {added}", file.display()),
    }
}
