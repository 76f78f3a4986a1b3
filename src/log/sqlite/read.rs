//! Reads from SQLite: rows are converted to records one by one.

use domain::{Event, Hash, Head, Position, Record, Timestamp};
use rusqlite::types::{FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, Row, ffi};

use super::cause;
use crate::log::ReadError;

/// The most records for which memory is reserved before the read.
const MAX_ROOM_RECORDS: usize = 4_096;

/// The query limits the number of rows, not the positions: so records behind a long gap are still found.
const SELECT: &str = "SELECT position, hash, recorded_at, type, type_version, data, metadata FROM log \
                      WHERE position > ? ORDER BY position LIMIT ?";
const SELECT_LAST: &str = "SELECT position, hash FROM log ORDER BY position DESC LIMIT 1";

/// Reads records after `after`, in order, at most `limit`.
pub(super) fn read(connection: &Connection, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
    let unread = |error| unread(connection, &error);
    let mut statement = connection.prepare_cached(SELECT).map_err(unread)?;
    let range = (i64::try_from(after.get()).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
    let mut rows = statement.query(range).map_err(unread)?;
    let mut records = Vec::with_capacity(limit.min(MAX_ROOM_RECORDS));
    loop {
        match rows.next() {
            Ok(Some(row)) => records.push(record(row)?),
            Ok(None) => return Ok(records),
            // SQLite only detects pages that contradict each other, not wrong content.
            Err(error) if primary_code(&error) == Some(ffi::SQLITE_CORRUPT) => {
                let position = records.last().map_or(after, |record| record.position).next();
                return Err(corrupt(connection, position, &error));
            }
            Err(error) => return Err(unread(error)),
        }
    }
}

/// Reads the last record's position and hash.
pub(super) fn last_head(connection: &Connection) -> Result<Head, ReadError> {
    let unread = |error| unread(connection, &error);
    let mut statement = connection.prepare_cached(SELECT_LAST).map_err(unread)?;
    let mut rows = statement.query(()).map_err(unread)?;
    rows.next().map_err(unread)?.map_or(Ok(Head::EMPTY), head)
}

fn record(row: &Row<'_>) -> Result<Record, ReadError> {
    let Head { position, hash } = head(row)?;
    let text = |index| column(row, position, index, |value| value.as_str());
    Ok(Record {
        position,
        hash,
        recorded_at: Timestamp::from_millis(column(row, position, 2, |value| value.as_i64())?),
        event_type: Event::type_named(text(3)?),
        type_version: column(row, position, 4, |value| {
            let version = value.as_i64()?;
            u32::try_from(version).map_err(|_| FromSqlError::OutOfRange(version))
        })?,
        data: text(5)?.into(),
        metadata: text(6)?.into(),
    })
}

/// Reads position and hash, with which every query of records begins. Columns are read by number, because a look-up by
/// name for each row is too slow for a million rows a second.
fn head(row: &Row<'_>) -> Result<Head, ReadError> {
    let number = column(row, Position::START, 0, |value| value.as_i64())?;
    let position = u64::try_from(number).map(Position::new).map_err(|_| ReadError::Malformed {
        position: Position::START,
        reason: format!("a record stands at {number}"),
    })?;
    let hash = column(row, position, 1, |value| value.as_blob())?;
    let hash = <[u8; 32]>::try_from(hash)
        .map(Hash::new)
        .map_err(|_| ReadError::Malformed { position, reason: format!("a hash of {} bytes", hash.len()) })?;
    Ok(Head { position, hash })
}

fn column<'r, T>(
    row: &'r Row<'_>,
    position: Position,
    index: usize,
    read: impl FnOnce(ValueRef<'r>) -> FromSqlResult<T>,
) -> Result<T, ReadError> {
    let malformed = |reason: String| ReadError::Malformed { position, reason: format!("column {index}: {reason}") };
    let value = row.get_ref(index).map_err(|error| malformed(error.to_string()))?;
    read(value).map_err(|error| malformed(error.to_string()))
}

/// Converts an error of SQLite to a read error.
pub(super) fn unread(connection: &Connection, error: &rusqlite::Error) -> ReadError {
    match primary_code(error) {
        Some(ffi::SQLITE_BUSY) => ReadError::Unavailable(error.to_string()),
        Some(ffi::SQLITE_IOERR | ffi::SQLITE_CORRUPT) => {
            let said = cause::of_a_reading(connection);
            ReadError::Broken(said.unwrap_or_else(|| error.to_string()))
        }
        _ => ReadError::Broken(error.to_string()),
    }
}

/// Converts SQLITE_CORRUPT. SQLite treats an unreadable page as a wrong one; the system's error shows which it is.
fn corrupt(connection: &Connection, position: Position, error: &rusqlite::Error) -> ReadError {
    match cause::of_a_reading(connection) {
        Some(said) => ReadError::Broken(said),
        None => ReadError::Malformed { position, reason: error.to_string() },
    }
}

/// SQLite's extended result code, if the error is SQLite's. <https://sqlite.org/rescode.html>
pub(super) fn result_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

/// SQLite's primary result code: the low byte of the extended one.
pub(super) fn primary_code(error: &rusqlite::Error) -> Option<i32> {
    result_code(error).map(|code| code & 0xff)
}
