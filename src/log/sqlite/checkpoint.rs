//! Checkpoints run by this program. SQLite's automatic ones fail silently, and then the WAL grows for ever.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ffi};

use super::cause;
use super::read::result_code;
use crate::log::is_full;

/// How long a statement waits for a lock of another process (a backup, someone's shell), in seconds.
pub(super) const BUSY_SECONDS: u64 = 5;
/// The size of a page of the database.
const PAGE_BYTES: usize = 4_096;
/// The pages that each commit writes again: the last leaf and the pages above it.
const PAGES_A_COMMIT: usize = 3;
/// About so many pages are written between two checkpoints, as with SQLite's automatic ones.
/// <https://sqlite.org/pragma.html#pragma_wal_autocheckpoint>
const PAGES_BETWEEN: usize = 1_000;
/// The WAL shrinks to this size when nobody reads from it.
pub(super) const MAX_IDLE_WAL_BYTES: u64 = 16 * 1024 * 1024;

/// Counts pages, to know when a checkpoint is due.
#[derive(Debug)]
pub(super) struct Checkpoints {
    wal: PathBuf,
    /// About how many pages were written since the last checkpoint.
    pages: usize,
    /// True if the log was only probed since the last commit.
    is_idle: bool,
}

impl Checkpoints {
    pub(super) fn of(log: &Path) -> Self {
        let mut wal = log.as_os_str().to_owned();
        wal.push("-wal");
        Self { wal: wal.into(), pages: 0, is_idle: false }
    }

    /// Counts a commit of `bytes` bytes.
    pub(super) fn count(&mut self, bytes: usize, is_idle: bool) {
        self.is_idle = is_idle;
        if !is_idle {
            self.pages += bytes / PAGE_BYTES + PAGES_A_COMMIT;
        }
    }

    /// Runs a checkpoint if one is due.
    ///
    /// # Errors
    /// The disk failed, and it is not known which pages were moved.
    pub(super) fn run(&mut self, connection: &Connection) -> Result<(), String> {
        let is_too_long = || self.wal.metadata().is_ok_and(|wal| wal.len() > MAX_IDLE_WAL_BYTES);
        let checkpointed = if self.pages >= PAGES_BETWEEN {
            self.pages = 0;
            checkpoint(connection, "PASSIVE").map(drop)
        } else if self.is_idle && is_too_long() {
            // Readers keep the WAL as it is. Do not wait for them.
            connection.busy_timeout(Duration::ZERO).and_then(|()| {
                let truncated = checkpoint(connection, "TRUNCATE");
                connection.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
                truncated.map(drop)
            })
        } else {
            Ok(())
        };
        checkpointed.or_else(|error| meaning(connection, &error))
    }
}

/// Runs a checkpoint. Returns true if no reader was in its way. <https://sqlite.org/pragma.html#pragma_wal_checkpoint>
pub(super) fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<bool> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    connection.query_row(&sql, (), |row| row.get("busy")).map(|busy: i64| busy == 0)
}

/// Converts an error of a checkpoint. If the database has no room to grow, that is no failure: the WAL keeps its
/// content, and appends find out for themselves whether they have room.
fn meaning(connection: &Connection, error: &rusqlite::Error) -> Result<(), String> {
    let code = result_code(error);
    let is_harmless = match code {
        Some(ffi::SQLITE_FULL | ffi::SQLITE_IOERR_SHMSIZE) => true,
        Some(ffi::SQLITE_IOERR_WRITE) => cause::of_a_write(connection).is_some_and(|said| is_full(&said)),
        Some(code) => [ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED].contains(&(code & 0xff)),
        None => false,
    };
    if is_harmless { Ok(()) } else { Err(format!("a checkpoint failed: {error}")) }
}
