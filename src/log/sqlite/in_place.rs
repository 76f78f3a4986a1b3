//! Whether the files that are open are still those that a start will find: SQLite writes on into a file that has no name any
//! more, and what is in it is gone with the process.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of an open log, as they were found when it was opened. They are only looked at: to open one and to close it again
/// would give up SQLite's locks. <https://sqlite.org/howtocorrupt.html>
#[derive(Debug)]
pub(super) struct InPlace {
    files: Vec<(PathBuf, Option<(u64, u64)>)>,
    log: PathBuf,
    /// How long the log's file was. SQLite never makes it shorter.
    bytes: u64,
}

impl InPlace {
    /// Of the log in the file `log`, whose WAL is there by now.
    pub(super) fn of(log: &Path) -> Self {
        let mut wal = log.as_os_str().to_owned();
        wal.push("-wal");
        let found = [log.to_owned(), wal.into()].into_iter().map(|path| {
            let id = id(&path);
            (path, id)
        });
        Self { files: found.collect(), log: log.to_owned(), bytes: bytes(log) }
    }

    /// Looks again.
    ///
    /// # Errors
    /// Which file is another one, or gone.
    pub(super) fn check(&mut self) -> Result<(), String> {
        for (path, known) in &self.files {
            let found = id(path);
            if found != *known {
                let what = if found.is_some() { "was replaced" } else { "was removed" };
                return Err(format!("{} {what} while the log was open", path.display()));
            }
        }
        let before = std::mem::replace(&mut self.bytes, bytes(&self.log));
        if self.bytes < before {
            return Err(format!("{} was cut short while the log was open", self.log.display()));
        }
        Ok(())
    }
}

fn bytes(path: &Path) -> u64 {
    path.metadata().map_or(0, |found| found.len())
}

fn id(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}
