//! Checks that the open files are still those that a start will find. SQLite goes on writing to a file that was
//! deleted or cut, and what it wrote is lost when the process ends.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// The bytes before the first frame of a WAL, and before the page in each frame. <https://sqlite.org/walformat.html>
const WAL_HEADER_BYTES: u64 = 32;
const FRAME_HEADER_BYTES: u64 = 24;

/// The files of an open log, as they were found. Only their metadata are read: opening and closing one would end
/// SQLite's locks. <https://sqlite.org/howtocorrupt.html>
#[derive(Debug)]
pub(super) struct InPlace {
    log: File,
    wal: File,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    id: Option<(u64, u64)>,
    bytes: u64,
}

impl InPlace {
    /// Finds the files of the log in the file `log`. Its WAL must exist.
    pub(super) fn of(log: &Path) -> Self {
        let mut wal = log.as_os_str().to_owned();
        wal.push("-wal");
        Self { log: File::found(log.to_owned()), wal: File::found(wal.into()) }
    }

    /// Compares the files with those found before.
    ///
    /// # Errors
    /// Names the file that was replaced, was cut short, or is gone.
    pub(super) fn check(&mut self, connection: &Connection) -> Result<(), String> {
        if self.log.is_shorter()? {
            return Err(self.log.says("was cut short"));
        }
        // A checkpoint may shorten the WAL, but not by frames that SQLite still counts on.
        if self.wal.is_shorter()? && bytes_in_use(connection).is_none_or(|needed| self.wal.bytes < needed) {
            return Err(self.wal.says("was cut short"));
        }
        Ok(())
    }
}

/// The length that a WAL with all of SQLite's frames has at least; `None` if SQLite cannot tell.
fn bytes_in_use(connection: &Connection) -> Option<u64> {
    let count = |sql, column| {
        let counted = connection.query_row(sql, (), |row| row.get::<_, i64>(column)).ok();
        counted.and_then(|count| u64::try_from(count).ok())
    };
    match count("PRAGMA wal_checkpoint(NOOP)", "log")? {
        0 => Some(0),
        frames => Some(WAL_HEADER_BYTES + frames * (FRAME_HEADER_BYTES + count("PRAGMA page_size", "page_size")?)),
    }
}

/// Which file stands at a path, if there is one, and how long it is.
fn look(path: &Path) -> (Option<(u64, u64)>, u64) {
    path.metadata().map_or((None, 0), |found| (Some((found.dev(), found.ino())), found.len()))
}

impl File {
    fn found(path: PathBuf) -> Self {
        let (id, bytes) = look(&path);
        Self { path, id, bytes }
    }

    /// Looks at the file again, and tells whether it has become shorter.
    ///
    /// # Errors
    /// It was replaced, or is gone.
    fn is_shorter(&mut self) -> Result<bool, String> {
        let (id, bytes) = look(&self.path);
        if id != self.id {
            return Err(self.says(if id.is_some() { "was replaced" } else { "was removed" }));
        }
        Ok(std::mem::replace(&mut self.bytes, bytes) > bytes)
    }

    fn says(&self, what: &str) -> String {
        format!("{} {what} while the log was open", self.path.display())
    }
}
