//! Whether the files that are open are still those that a start will find: SQLite writes on into a file that has no name any
//! more, and what is in it is gone with the process.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of an open log, as they were found when it was opened.
#[derive(Debug)]
pub(super) struct InPlace(Vec<(PathBuf, Option<(u64, u64)>)>);

impl InPlace {
    /// Of the log in the file `log`, whose WAL is there by now.
    pub(super) fn of(log: &Path) -> Self {
        let mut wal = log.as_os_str().to_owned();
        wal.push("-wal");
        let found = [log.to_owned(), wal.into()].into_iter().map(|path| {
            let id = id(&path);
            (path, id)
        });
        Self(found.collect())
    }

    /// Looks again.
    ///
    /// # Errors
    /// Which file is another one, or gone.
    pub(super) fn check(&self) -> Result<(), String> {
        for (path, known) in &self.0 {
            let found = id(path);
            if found != *known {
                let what = if found.is_some() { "was replaced" } else { "was removed" };
                return Err(format!("{} {what} while the log was open", path.display()));
            }
        }
        Ok(())
    }
}

fn id(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}
