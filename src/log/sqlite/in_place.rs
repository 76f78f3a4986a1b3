//! Checks that the open files are still those that a start will find. SQLite goes on writing to a file that was
//! deleted, and its content is lost when the process ends.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of an open log, as they were found. Only their metadata are read: opening and closing one would end
/// SQLite's locks. <https://sqlite.org/howtocorrupt.html>
#[derive(Debug)]
pub(super) struct InPlace([File; 2]);

#[derive(Debug)]
struct File {
    path: PathBuf,
    id: Option<(u64, u64)>,
    /// The length, for a file that SQLite never makes shorter.
    bytes: Option<u64>,
}

impl InPlace {
    /// Finds the files of the log in the file `log`. Its WAL must exist.
    pub(super) fn of(log: &Path) -> Self {
        let mut wal = log.as_os_str().to_owned();
        wal.push("-wal");
        let found = log.metadata().ok();
        let bytes = found.as_ref().map(Metadata::len);
        let log = File { path: log.to_owned(), id: found.as_ref().map(id), bytes };
        let wal = PathBuf::from(wal);
        Self([log, File { id: wal.metadata().ok().as_ref().map(id), path: wal, bytes: None }])
    }

    /// Compares the files with those found at first.
    ///
    /// # Errors
    /// Names the file that was replaced, became shorter, or is gone.
    pub(super) fn check(&mut self) -> Result<(), String> {
        for file in &mut self.0 {
            let found = file.path.metadata().ok();
            let bytes = found.as_ref().map(Metadata::len).filter(|_| file.bytes.is_some());
            let what = match found.as_ref().map(id) {
                known if known == file.id && bytes >= file.bytes => {
                    file.bytes = bytes;
                    continue;
                }
                known if known == file.id => "was cut short",
                Some(_) => "was replaced",
                None => "was removed",
            };
            return Err(format!("{} {what} while the log was open", file.path.display()));
        }
        Ok(())
    }
}

fn id(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}
