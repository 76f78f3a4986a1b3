//! Appending to SQLite: one transaction a batch, on the one connection that writes.

use domain::{Head, Record};
use rusqlite::{Connection, Transaction, TransactionBehavior, ffi};

use super::read::{last_head, result_code};
use crate::log::AppendError;

const INSERT: &str = "INSERT INTO log (position, recorded_at, type, type_version, data, metadata, hash) \
                      VALUES (?, ?, ?, ?, ?, ?, ?)";

/// The connection that writes, and what its storage once said.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    /// After a failed fsync the system may say of lost pages that they are clean, so what it says later counts for
    /// nothing. <https://www.usenix.org/conference/atc20/presentation/rebello>
    broken: Option<String>,
    /// Whether there was no room for the last append.
    is_full: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, broken: None, is_full: false }
    }

    /// Finds out whether an append would succeed, by one of nothing.
    pub(super) fn probe(&mut self, expected: &Head) -> Result<(), AppendError> {
        self.append(expected, &[])
    }

    pub(super) fn append(&mut self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        if let Some(reason) = &self.broken {
            return Err(AppendError::Broken(reason.clone()));
        }
        let result = self.write(expected, records);
        self.is_full = matches!(&result, Err(AppendError::Full(_)));
        if let Err(AppendError::Broken(reason)) = &result {
            self.broken = Some(reason.clone());
        }
        result
    }

    /// A transaction that is dropped is rolled back, unless SQLite has done so by itself, as it does when the disk is full.
    /// Were it still open, the next BEGIN would be refused, and the log be broken for good.
    fn write(&mut self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        // The lock is taken before the head is read: whoever reads it first is then the only one to move it.
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate);
        let transaction = transaction.map_err(|error| unwritten(&error))?;
        let found = last_head(&transaction).map_err(|damage| AppendError::Broken(damage.to_string()))?;
        if found != *expected {
            return Err(AppendError::Conflict);
        }
        if records.is_empty() && self.is_full {
            touch(&transaction).map_err(|error| unwritten(&error))?;
        }
        insert(&transaction, records).map_err(|error| unwritten(&error))?;
        transaction.commit().map_err(|error| uncommitted(&error))
    }
}

/// Writes what is there already. Whether there is room again, only a write can tell.
fn touch(connection: &Connection) -> rusqlite::Result<()> {
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
fn unwritten(error: &rusqlite::Error) -> AppendError {
    let reason = error.to_string();
    match result_code(error) {
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
///
/// SHMSIZE: unknown. It comes from the wal-index, after the synced commit frame. This process never sees the records,
/// but one that restarts would: only appending the same again settles it.
fn uncommitted(error: &rusqlite::Error) -> AppendError {
    match result_code(error) {
        Some(ffi::SQLITE_IOERR_SHMSIZE) => AppendError::Unknown(error.to_string()),
        _ => unwritten(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Error;

    fn said(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), Some("why".to_owned()))
    }

    #[test]
    fn an_error_says_what_is_known_of_the_records() {
        let why = || "why".to_owned();
        for meaning in [unwritten, uncommitted] {
            assert_eq!(meaning(&said(ffi::SQLITE_FULL)), AppendError::Full(why()));
            assert_eq!(meaning(&said(ffi::SQLITE_BUSY)), AppendError::Unavailable(why()));
            assert_eq!(meaning(&said(ffi::SQLITE_BUSY_SNAPSHOT)), AppendError::Unavailable(why()));
            assert_eq!(meaning(&said(ffi::SQLITE_IOERR_FSYNC)), AppendError::Broken(why()));
            assert_eq!(meaning(&said(ffi::SQLITE_CONSTRAINT_PRIMARYKEY)), AppendError::Conflict);
            assert!(matches!(meaning(&Error::InvalidQuery), AppendError::Broken(_)));
        }
    }

    #[test]
    fn a_commit_without_room_in_the_wal_index_may_have_landed() {
        let without_room = said(ffi::SQLITE_IOERR_SHMSIZE);
        assert_eq!(unwritten(&without_room), AppendError::Full("why".to_owned()));
        assert_eq!(uncommitted(&without_room), AppendError::Unknown("why".to_owned()));
    }
}
