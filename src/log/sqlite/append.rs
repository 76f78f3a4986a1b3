//! Appending to SQLite: one transaction a batch, in few statements.
//!
//! Each statement is a trip to sqlx's thread and back, so rows go many at a time: one INSERT for each power of two, each
//! of them prepared once.

use std::sync::{Arc, LazyLock};

use domain::{Head, Record};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};

use super::{head, result_code};
use crate::log::AppendError;

/// The largest INSERT has 2^8 = 256 rows: 1,792 parameters of the 32,766 that SQLite takes.
const LARGEST_INSERT_LOG2: usize = 8;
const COLUMNS: usize = 7;

/// The lock is taken before the head is read: whoever reads it first is then the only one to move it.
const BEGIN_AND_READ_HEAD: &str = "BEGIN IMMEDIATE; SELECT position, hash FROM log ORDER BY position DESC LIMIT 1";

/// The INSERT of 2^i rows at index i.
static INSERTS: LazyLock<[Arc<str>; LARGEST_INSERT_LOG2 + 1]> = LazyLock::new(|| {
    std::array::from_fn(|log2| {
        let rows = vec!["(?,?,?,?,?,?,?)"; 1 << log2].join(",");
        format!("INSERT INTO log (position, recorded_at, type, type_version, data, metadata, hash) VALUES {rows}")
            .into()
    })
});

pub(super) const SQLITE_BUSY: u32 = 5;
const SQLITE_FULL: u32 = 13;
const SQLITE_IOERR_SHMSIZE: u32 = 4874;
const SQLITE_CONSTRAINT_PRIMARYKEY: u32 = 1555;

/// Records, ready to be bound.
pub(super) struct Batch {
    expected: Head,
    inserts: Vec<(Arc<str>, SqliteArguments)>,
}

impl Batch {
    pub(super) fn new(expected: Head, records: &[Record]) -> Self {
        let mut inserts = Vec::new();
        let mut rest = records;
        while !rest.is_empty() {
            let log2 = (rest.len().ilog2() as usize).min(LARGEST_INSERT_LOG2);
            let (rows, after) = rest.split_at(1 << log2);
            inserts.push((Arc::clone(&INSERTS[log2]), bound(rows)));
            rest = after;
        }
        Self { expected, inserts }
    }
}

fn bound(records: &[Record]) -> SqliteArguments {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(records.len() * COLUMNS, 0);
    for record in records {
        let position = i64::try_from(record.position.get()).expect("2^63 records are never written");
        arguments
            .add(position)
            .and_then(|()| arguments.add(record.recorded_at.millis()))
            .and_then(|()| arguments.add(record.event_type.as_str()))
            .and_then(|()| arguments.add(record.type_version))
            .and_then(|()| arguments.add(record.data.as_str()))
            .and_then(|()| arguments.add(record.metadata.as_str()))
            .and_then(|()| arguments.add(record.hash.as_bytes().as_slice()))
            .expect("numbers, text and bytes always encode");
    }
    arguments
}

/// The connection that writes, and what its storage once said.
///
/// BEGIN, COMMIT and ROLLBACK are plain statements here, not sqlx's `Transaction`: SQLite itself rolls back when the disk
/// is full, and `Transaction` would go on counting itself inside.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: SqliteConnection,
    /// After a failed fsync the system may say of lost pages that they are clean, so what it says later counts for
    /// nothing. <https://www.usenix.org/conference/atc20/presentation/rebello>
    broken: Option<String>,
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection, broken: None }
    }

    pub(super) async fn append(&mut self, batch: Batch) -> Result<(), AppendError> {
        if let Some(reason) = &self.broken {
            return Err(AppendError::Broken(reason.clone()));
        }
        let result = match self.insert(batch).await {
            Ok(()) => self.commit().await,
            refused => refused,
        };
        if result.is_err() {
            self.roll_back().await;
        }
        if let Err(AppendError::Broken(reason)) = &result {
            self.broken = Some(reason.clone());
        }
        result
    }

    async fn insert(&mut self, batch: Batch) -> Result<(), AppendError> {
        let last = sqlx::query(BEGIN_AND_READ_HEAD).fetch_optional(&mut self.connection).await;
        let last = last.map_err(|e| unwritten(result_code(&e), e.to_string()))?;
        let found = last.as_ref().map_or(Ok(Head::EMPTY), head);
        if found.map_err(|damage| AppendError::Broken(damage.to_string()))? != batch.expected {
            return Err(AppendError::Conflict);
        }
        for (insert, arguments) in batch.inserts {
            let insert = sqlx::query_with(AssertSqlSafe(insert), arguments);
            insert.execute(&mut self.connection).await.map_err(|e| unwritten(result_code(&e), e.to_string()))?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), AppendError> {
        let committed = sqlx::query("COMMIT").execute(&mut self.connection).await;
        committed.map(drop).map_err(|e| uncommitted(result_code(&e), e.to_string()))
    }

    /// An error here says that SQLite has rolled back by itself. Were the transaction still open, the next BEGIN would
    /// be refused, and the log be broken for good.
    async fn roll_back(&mut self) {
        let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
    }
}

/// What an error before COMMIT means: nothing was written.
fn unwritten(code: Option<u32>, reason: String) -> AppendError {
    match code {
        Some(SQLITE_CONSTRAINT_PRIMARYKEY) => AppendError::Conflict,
        Some(SQLITE_FULL | SQLITE_IOERR_SHMSIZE) => AppendError::Full(reason),
        Some(code) if code & 0xff == SQLITE_BUSY => AppendError::Unavailable(reason),
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
fn uncommitted(code: Option<u32>, reason: String) -> AppendError {
    match code {
        Some(SQLITE_IOERR_SHMSIZE) => AppendError::Unknown(reason),
        _ => unwritten(code, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQLITE_IOERR_FSYNC: u32 = 1034;
    const SQLITE_BUSY_SNAPSHOT: u32 = 517;

    #[test]
    fn an_error_says_what_is_known_of_the_records() {
        let why = || "why".to_owned();
        for meaning in [unwritten, uncommitted] {
            assert_eq!(meaning(Some(SQLITE_FULL), why()), AppendError::Full(why()));
            assert_eq!(meaning(Some(SQLITE_BUSY), why()), AppendError::Unavailable(why()));
            assert_eq!(meaning(Some(SQLITE_BUSY_SNAPSHOT), why()), AppendError::Unavailable(why()));
            assert_eq!(meaning(Some(SQLITE_IOERR_FSYNC), why()), AppendError::Broken(why()));
            assert_eq!(meaning(None, why()), AppendError::Broken(why()));
        }
    }

    #[test]
    fn a_commit_without_room_in_the_wal_index_may_have_landed() {
        assert_eq!(unwritten(Some(SQLITE_IOERR_SHMSIZE), String::new()), AppendError::Full(String::new()));
        assert_eq!(uncommitted(Some(SQLITE_IOERR_SHMSIZE), String::new()), AppendError::Unknown(String::new()));
    }
}
