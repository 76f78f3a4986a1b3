//! Checkpoints by our own hand: SQLite's own ones fail without a word, and then the WAL grows for ever.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ffi};

use super::cause;
use super::read::result_code;
use crate::log::is_full;

/// How long a statement waits for a lock of another process (a backup, someone's shell), in seconds.
pub(super) const BUSY_SECONDS: u64 = 5;
/// A page of the database.
const PAGE_BYTES: usize = 4_096;
/// What each commit writes again: the last leaf and the pages above it.
const PAGES_A_COMMIT: usize = 3;
/// A checkpoint moves about as many pages, as SQLite's own ones do. <https://sqlite.org/pragma.html#pragma_wal_autocheckpoint>
const PAGES_BETWEEN: usize = 1_000;
/// The WAL shrinks to this once nobody reads what is in it.
pub(super) const MAX_IDLE_WAL_BYTES: u64 = 16 * 1024 * 1024;

/// When a checkpoint is due.
#[derive(Debug)]
pub(super) struct Checkpoints {
    wal: PathBuf,
    /// What was written since the last one, about.
    pages: usize,
    /// Whether the log was asked for since, and nothing was appended.
    is_idle: bool,
}

impl Checkpoints {
    pub(super) fn of(log: &Path) -> Self {
        let mut wal = log.as_os_str().to_owned();
        wal.push("-wal");
        Self { wal: wal.into(), pages: 0, is_idle: false }
    }

    /// Counts a commit of so many bytes.
    pub(super) fn count(&mut self, bytes: usize, is_idle: bool) {
        self.is_idle = is_idle;
        if !is_idle {
            self.pages += bytes / PAGE_BYTES + PAGES_A_COMMIT;
        }
    }

    /// Runs one that is due.
    ///
    /// # Errors
    /// The disk failed: what was moved is not known.
    pub(super) fn run(&mut self, connection: &Connection) -> Result<(), String> {
        let is_too_long = || self.wal.metadata().is_ok_and(|wal| wal.len() > MAX_IDLE_WAL_BYTES);
        let checkpointed = if self.pages >= PAGES_BETWEEN {
            self.pages = 0;
            checkpoint(connection, "PASSIVE").map(drop)
        } else if self.is_idle && is_too_long() {
            // Whoever reads keeps it as it is, and is not waited for.
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

/// Runs a checkpoint, and tells whether nobody was in its way. <https://sqlite.org/pragma.html#pragma_wal_checkpoint>
pub(super) fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<bool> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    connection.query_row(&sql, (), |row| row.get("busy")).map(|busy: i64| busy == 0)
}

/// Where the database has no room to grow, the WAL keeps what is in it, and appends say by themselves whether they have room.
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
