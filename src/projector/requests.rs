//! What a command asks of the server beside it: files in the data folder, each whole or not there.
//!
//! A request is `requests/NAME.json`; the server says in `requests/NAME.outcome` how far it is, and takes the request
//! away once it is carried out. A server that dies over one finds it again when it starts. Whoever asked takes the outcome
//! away; where they are gone, the server does, after a while.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use projections::sql::SqlModel;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The folder for requests, in the data folder.
const REQUESTS: &str = "requests";
/// How often the server looks for requests, and a command for an outcome.
pub const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long what is no request may lie about: whoever waits for an outcome looks several times a second.
const FETCHED_WITHIN: Duration = Duration::from_secs(60);
/// What stands for every projection.
pub const ALL: &str = "all";

/// A request for a rebuild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The projection to rebuild, or `all`.
    pub projection: String,
    #[serde(skip)]
    path: PathBuf,
}

/// What became of a request, so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Outcome {
    /// It is at `position` of about `end`.
    Building { position: u64, end: u64 },
    /// It is done, with the log up to `position`.
    Built { position: u64 },
    /// It was not done.
    Failed { reason: String },
}

impl Request {
    /// Leaves a request in the data folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn leave(folder: &Path, projection: &str) -> io::Result<Self> {
        let folder = folder.join(REQUESTS);
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}.json", Uuid::new_v4()));
        let request = Self { projection: projection.to_owned(), path };
        write(&request.path, &request)?;
        Ok(request)
    }

    /// What became of it, so far.
    pub fn outcome(&self) -> Option<Outcome> {
        serde_json::from_slice(&std::fs::read(self.outcome_path()).ok()?).ok()
    }

    /// Whether neither it nor its outcome is there any more: nobody will tell what became of it.
    pub fn is_lost(&self) -> bool {
        // The outcome is written before the request is taken away.
        !self.path.exists() && self.outcome().is_none()
    }

    /// Takes it away with its outcome.
    pub fn forget(&self) {
        for path in [&self.path, &self.outcome_path()] {
            // What is not there need not be taken away.
            let _ = std::fs::remove_file(path);
        }
    }

    /// The models that it is about.
    pub(super) fn models(&self, all: &[&'static SqlModel]) -> Vec<&'static SqlModel> {
        all.iter().copied().filter(|model| self.projection == ALL || self.projection == model.name).collect()
    }

    /// Says how far it is. Where that cannot be said, it is done all the same.
    pub(super) fn tell(&self, outcome: &Outcome) {
        if let Err(error) = write(&self.outcome_path(), outcome) {
            tracing::warn!("the outcome of a request cannot be written: {error}");
        }
    }

    pub(super) fn finish(&self, outcome: &Outcome) {
        self.tell(outcome);
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("{}: {error}", self.path.display());
        }
    }

    fn outcome_path(&self) -> PathBuf {
        self.path.with_extension("outcome")
    }
}

/// The next request, where there is one.
pub(super) fn next(folder: &Path) -> Option<Request> {
    let entries = std::fs::read_dir(folder.join(REQUESTS)).ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let (mut requests, others): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.partition(|path| path.extension().is_some_and(|extension| extension == "json"));
    others.iter().filter(|path| is_forgotten(path)).for_each(|path| drop(std::fs::remove_file(path)));
    requests.sort();
    requests.into_iter().find_map(|path| match serde_json::from_slice(&std::fs::read(&path).ok()?) {
        Ok(Request { projection, .. }) => Some(Request { projection, path }),
        Err(error) => {
            tracing::warn!("{} is no request, and is taken away: {error}", path.display());
            let _ = std::fs::remove_file(&path);
            None
        }
    })
}

/// Whether nobody comes for this file any more.
fn is_forgotten(path: &Path) -> bool {
    let written_at = path.metadata().and_then(|metadata| metadata.modified());
    let age = written_at.ok().and_then(|written_at| written_at.elapsed().ok());
    age.is_some_and(|age| age > FETCHED_WITHIN) && !path.with_extension("json").exists()
}

/// Writes a file that is whole whenever somebody sees it.
fn write(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let partial = path.with_extension("partial");
    std::fs::write(&partial, serde_json::to_vec(content)?)?;
    std::fs::rename(partial, path)
}
