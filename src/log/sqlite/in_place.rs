//! Whether the files that are open are still those that a start will find: SQLite writes on into a file that has no name any
//! more, and what is in it is gone with the process.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of an open log, as they were found. They are only looked at: to open one and to close it again would give up
/// SQLite's locks. <https://sqlite.org/howtocorrupt.html>
#[derive(Debug)]
pub(super) struct InPlace([File; 2]);

#[derive(Debug)]
struct File {
    path: PathBuf,
    id: Option<(u64, u64)>,
    /// Its length, where SQLite never makes it shorter.
    bytes: Option<u64>,
}

impl InPlace {
    /// Of the log in the file `log`, whose WAL is there by now.
    pub(super) fn of(log: &Path) -> Self {
        let mut wal = log.as_os_str().to_owned();
        wal.push("-wal");
        let found = log.metadata().ok();
        let bytes = found.as_ref().map(Metadata::len);
        let log = File { path: log.to_owned(), id: found.as_ref().map(id), bytes };
        let wal = PathBuf::from(wal);
        Self([log, File { id: wal.metadata().ok().as_ref().map(id), path: wal, bytes: None }])
    }

    /// Looks again.
    ///
    /// # Errors
    /// Which file is another one, shorter, or gone.
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
