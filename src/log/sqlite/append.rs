//! Appending to SQLite: one transaction a batch, on the one connection that writes.

use std::path::Path;

use domain::{Head, Record};
use rusqlite::{Connection, Transaction, TransactionBehavior, ffi};

use super::cause;
use super::checkpoint::Checkpoints;
use super::in_place::InPlace;
use super::read::{last_head, result_code};
use super::room::IndexRoom;
use crate::log::{AppendError, is_full};

const INSERT: &str = "INSERT INTO log (position, recorded_at, type, type_version, data, metadata, hash) \
                      VALUES (?, ?, ?, ?, ?, ?, ?)";

/// The connection that writes, and what its storage once said.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    files: InPlace,
    room: IndexRoom,
    checkpoints: Checkpoints,
    /// After a failed fsync the system may say of lost pages that they are clean, so what it says later counts for
    /// nothing. <https://www.usenix.org/conference/atc20/presentation/rebello>
    broken: Option<String>,
    /// Whether there was no room for the last append.
    is_full: bool,
}

impl Writer {
    /// On the log in the file `log`, which `connection` has open.
    pub(super) fn new(connection: Connection, log: &Path, room: IndexRoom) -> Self {
        let (files, checkpoints) = (InPlace::of(log), Checkpoints::of(log));
        Self { connection, files, room, checkpoints, broken: None, is_full: false }
    }

    /// Finds out whether an append would succeed, by one of nothing.
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
            self.broken = Some(reason.clone());
        }
        result
    }

    /// Moves what stands in the WAL into the database, once that is worth it. What is wrong with the disk is told by the next
    /// append.
    pub(super) fn look_after(&mut self) {
        if self.broken.is_none() {
            self.broken = self.checkpoints.run(&self.connection).err();
        }
    }

    /// What was written to a file that nobody will find was not written.
    fn append_in_place(&mut self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        self.files.check().map_err(AppendError::Broken)?;
        let bytes: usize = records.iter().map(Record::size_bytes).sum();
        self.room.make(bytes as u64).map_err(|error| {
            if is_full(&error) { AppendError::Full(error.to_string()) } else { AppendError::Broken(error.to_string()) }
        })?;
        self.write(expected, records)?;
        self.checkpoints.count(bytes, records.is_empty());
        self.files.check().map_err(AppendError::Broken)
    }

    /// A transaction that is dropped is rolled back, unless SQLite has done so by itself, as it does when the disk is full.
    /// Were it still open, the next BEGIN would be refused, and the log be broken for good.
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
        // The lock is taken before the head is read: whoever reads it first is then the only one to move it.
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

/// How far a transaction came.
enum Unwritten {
    /// What it means is known.
    Said(AppendError),
    /// Not to its COMMIT.
    Before(rusqlite::Error),
    /// Its COMMIT failed.
    AtCommit(rusqlite::Error),
}

/// Writes what is there already, and syncs: all that stands in the WAL is on disk then. Whether there is room again, only a
/// write can tell.
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

/// What an error before COMMIT means: nothing was written.
fn unwritten(code: Option<i32>, reason: String) -> AppendError {
    match code {
        Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => AppendError::Conflict,
        Some(ffi::SQLITE_FULL | ffi::SQLITE_IOERR_SHMSIZE) => AppendError::Full(reason),
        Some(code) if code & 0xff == ffi::SQLITE_BUSY => AppendError::Unavailable(reason),
        _ => AppendError::Broken(reason),
    }
}

/// What an error of COMMIT means, by the source of SQLite 3.51 (`walFrames` in wal.c, `unixWrite` in `os_unix.c`).
///
/// FULL: nothing was written. COMMIT writes the frames of the changed pages, the one with the commit mark last, syncs,
/// and then tells the wal-index. FULL is said only by a write that came up short, so the commit frame is not whole: its
/// checksum does not hold, a restart passes over it, and the next append writes over it. (The one write behind the
/// commit frame, padding to a sector, is not done where overwriting is power-safe, as SQLite takes every Unix to be.)
/// `IOERR_WRITE` is said by the same write, where the system gave another reason: a quota, or a limit of the file's size.
///
/// SHMSIZE: unknown. It comes from the wal-index, after the synced commit frame. This process never sees the records,
/// but one that restarts would: only appending the same again settles it.
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
