//! Appends to SQLite: one transaction per batch, on the only connection that writes.

use std::path::Path;

use domain::{Head, Record};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior, ffi};

use super::cause;
use super::checkpoint::{Checkpoints, checkpoint};
use super::in_place::InPlace;
use super::read::{last_head, result_code};
use super::room::IndexRoom;
use crate::log::{AppendError, is_full};

const INSERT: &str = "INSERT INTO log (position, recorded_at, type, type_version, data, metadata, hash) \
                      VALUES (?, ?, ?, ?, ?, ?, ?)";

/// The connection that writes, with the state of its storage.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    files: InPlace,
    room: IndexRoom,
    checkpoints: Checkpoints,
    /// The failure of the storage, if there was one. After a failed fsync the system may treat lost pages as written,
    /// so a later success means nothing. <https://www.usenix.org/conference/atc20/presentation/rebello>
    broken: Option<String>,
    /// True if there was no room for the last append.
    is_full: bool,
}

impl Writer {
    /// Makes the writer of the log in the file `log`, which `connection` has open.
    pub(super) fn new(connection: Connection, log: &Path, room: IndexRoom) -> Self {
        let (files, checkpoints) = (InPlace::of(log), Checkpoints::of(log));
        Self { connection, files, room, checkpoints, broken: None, is_full: false }
    }

    /// Finds out whether an append would succeed, with an empty one.
    pub(super) fn probe(&mut self, expected: &Head) -> Result<(), AppendError> {
        self.append(expected, &[])
    }

    pub(super) fn append(&mut self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        if let Some(reason) = &self.broken {
            return Err(AppendError::Broken(reason.clone()));
        }
        let result = self.append_in_place(expected, records);
        self.is_full = matches!(&result, Err(AppendError::Full(_)));
        if let Err(AppendError::Broken(reason)) = &result {
            self.breaks(reason.clone());
        }
        result
    }

    /// Moves the WAL's content into the database when it is large enough. The next append reports an error of the disk.
    pub(super) fn look_after(&mut self) {
        if self.broken.is_none()
            && let Err(reason) = self.checkpoints.run(&self.connection)
        {
            self.breaks(reason);
        }
    }

    /// Moves the WAL's content into the database, as far as nobody reads it. Returns true if all of it was moved.
    ///
    /// # Errors
    /// SQLite could not move it, or the storage has failed before.
    pub(super) fn move_into_one_file(&self) -> Result<bool, String> {
        match &self.broken {
            Some(reason) => Err(reason.clone()),
            None => checkpoint(&self.connection, "TRUNCATE").map_err(|error| error.to_string()),
        }
    }

    /// Remembers that the storage failed. From now on the files stay as they are, also when the connection is closed.
    fn breaks(&mut self, reason: String) {
        let stays = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        debug_assert!(stays.is_ok(), "SQLite knows this option since 3.16");
        self.broken = Some(reason);
    }

    /// Appends, and checks that the files are still in place. Records in a deleted file count as not written.
    fn append_in_place(&mut self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        self.files.check(&self.connection).map_err(AppendError::Broken)?;
        let bytes: usize = records.iter().map(Record::size_bytes).sum();
        self.room.make(bytes as u64).map_err(|error| {
            if is_full(&error) { AppendError::Full(error.to_string()) } else { AppendError::Broken(error.to_string()) }
        })?;
        self.write(expected, records)?;
        self.checkpoints.count(bytes, records.is_empty());
        self.files.check(&self.connection).map_err(AppendError::Broken)
    }

    /// Writes in one transaction. A dropped transaction is rolled back, unless SQLite has done that itself, as it does
    /// when the disk is full. If one stayed open, every later BEGIN would be refused.
    fn write(&mut self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        let written = self.try_to_write(expected, records);
        let means = |error: &rusqlite::Error, meaning: fn(Option<i32>, String) -> AppendError| {
            if result_code(error) != Some(ffi::SQLITE_IOERR_WRITE) {
                return meaning(result_code(error), error.to_string());
            }
            match cause::of_a_write(&self.connection) {
                Some(said) if is_full(&said) => AppendError::Full(said.to_string()),
                Some(said) => AppendError::Broken(format!("{error}: {said}")),
                None => AppendError::Broken(error.to_string()),
            }
        };
        written.map_err(|unwritten_error| match unwritten_error {
            Unwritten::Said(said) => said,
            Unwritten::Before(error) => means(&error, unwritten),
            Unwritten::AtCommit(error) => means(&error, uncommitted),
        })
    }

    fn try_to_write(&mut self, expected: &Head, records: &[Record]) -> Result<(), Unwritten> {
        // Take the lock before the head is read, so that nobody can move the head in between.
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate);
        let transaction = transaction.map_err(Unwritten::Before)?;
        let found = last_head(&transaction);
        let found = found.map_err(|damage| Unwritten::Said(AppendError::Broken(damage.to_string())))?;
        if found != *expected {
            return Err(Unwritten::Said(AppendError::Conflict));
        }
        if records.is_empty() && self.is_full {
            touch(&transaction).map_err(Unwritten::Before)?;
        }
        insert(&transaction, records).map_err(Unwritten::Before)?;
        transaction.commit().map_err(Unwritten::AtCommit)
    }
}

/// The step at which a transaction failed.
enum Unwritten {
    /// The meaning is known.
    Said(AppendError),
    /// It failed before its COMMIT.
    Before(rusqlite::Error),
    /// Its COMMIT failed.
    AtCommit(rusqlite::Error),
}

/// Writes a value that is there already, and syncs. Then the whole WAL is on disk. Only such a write shows whether
/// there is room again.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    connection.pragma_update(None, "user_version", version)
}

fn insert(connection: &Connection, records: &[Record]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(INSERT)?;
    for record in records {
        let position = i64::try_from(record.position.get()).expect("2^63 records are never written");
        let recorded_at = record.recorded_at.millis();
        let Record { event_type, type_version, data, metadata, hash, .. } = record;
        let hash = hash.as_bytes().as_slice();
        statement.execute((position, recorded_at, event_type, type_version, data, metadata, hash))?;
    }
    Ok(())
}

/// Converts an error before COMMIT: nothing was written.
fn unwritten(code: Option<i32>, reason: String) -> AppendError {
    match code {
        Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => AppendError::Conflict,
        Some(ffi::SQLITE_FULL | ffi::SQLITE_IOERR_SHMSIZE) => AppendError::Full(reason),
        Some(code) if code & 0xff == ffi::SQLITE_BUSY => AppendError::Unavailable(reason),
        _ => AppendError::Broken(reason),
    }
}

/// Converts an error of COMMIT, by the source of SQLite 3.51 (`walFrames` in wal.c, `unixWrite` in `os_unix.c`).
///
/// FULL: nothing was written. COMMIT writes the frames of the changed pages, the one with the commit mark last, syncs,
/// and then tells the wal-index. FULL comes only from a write that was too short, so the commit frame is not whole: its
/// checksum is wrong, a restart skips it, and the next append writes over it. (The one write behind the commit frame,
/// padding to a sector, is not done where overwriting is power-safe, as SQLite takes every Unix to be.) `IOERR_WRITE`
/// comes from the same write if the system gave another reason: a quota, or a limit of the file's size.
///
/// SHMSIZE: unknown. It comes from the wal-index, after the synced commit frame. This process never sees the records,
/// but a process that restarts would. Only another append of these records settles it.
fn uncommitted(code: Option<i32>, reason: String) -> AppendError {
    match code {
        Some(ffi::SQLITE_IOERR_SHMSIZE) => AppendError::Unknown(reason),
        code => unwritten(code, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_is_known_of_the_records() {
        let why = || "why".to_owned();
        for meaning in [unwritten, uncommitted] {
            let said = |code| meaning(Some(code), why());
            assert_eq!(said(ffi::SQLITE_FULL), AppendError::Full(why()));
            assert_eq!(said(ffi::SQLITE_BUSY), AppendError::Unavailable(why()));
            assert_eq!(said(ffi::SQLITE_BUSY_SNAPSHOT), AppendError::Unavailable(why()));
            assert_eq!(said(ffi::SQLITE_IOERR_FSYNC), AppendError::Broken(why()));
            assert_eq!(said(ffi::SQLITE_CONSTRAINT_PRIMARYKEY), AppendError::Conflict);
            assert_eq!(meaning(None, why()), AppendError::Broken(why()));
        }
    }

    #[test]
    fn a_commit_without_room_in_the_wal_index_may_have_landed() {
        let why = || "why".to_owned();
        assert_eq!(unwritten(Some(ffi::SQLITE_IOERR_SHMSIZE), why()), AppendError::Full(why()));
        assert_eq!(uncommitted(Some(ffi::SQLITE_IOERR_SHMSIZE), why()), AppendError::Unknown(why()));
    }
}
