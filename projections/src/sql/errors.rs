//! What a database's error means. SQLSTATEs: <https://www.postgresql.org/docs/current/errcodes-appendix.html>

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// SQLSTATE of a table that is not there.
const UNDEFINED_TABLE: &str = "42P01";
/// SQLSTATEs of a right that is missing, of a column that is not there, and of one of another type.
const OF_THE_TABLE: [&str; 3] = ["42501", "42703", "42804"];
/// SQLSTATE of a lock that was not to be had within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Whether a table is not there.
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    has_code(error, UNDEFINED_TABLE)
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(code))
}

/// Whether a lock was not to be had in time.
pub fn is_locked_out(error: &sqlx::Error) -> bool {
    has_code(error, LOCK_NOT_AVAILABLE)
}

/// Whether the file is no database, or not a whole one. SQLITE_CORRUPT and SQLITE_NOTADB: <https://sqlite.org/rescode.html>
pub fn is_no_database(error: &sqlx::Error) -> bool {
    sqlite_code(error).is_some_and(|code| [11, 26].contains(&(code & 0xff)))
}

fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<SqliteError>()?;
    error.code()?.parse().ok()
}

/// Whether the database refused one table's rows, so that the same rows would be refused again, and those of other tables
/// would not.
pub fn is_refusal(error: &sqlx::Error) -> bool {
    use sqlx::error::ErrorKind::{CheckViolation, NotNullViolation, UniqueViolation};
    let Some(refused) = error.as_database_error() else { return false };
    // PostgreSQL also refuses values that no column of its own can hold, such as a text with a zero byte: class 22; and a
    // role without the right, or a table that somebody has changed.
    let is_of_the_table = match refused.try_downcast_ref::<PgDatabaseError>() {
        Some(error) => error.code().starts_with("22") || OF_THE_TABLE.contains(&error.code()),
        // SQLITE_ERROR: a column is not there.
        None => sqlite_code(error) == Some(1) && refused.message().contains("column"),
    };
    is_of_the_table || matches!(refused.kind(), CheckViolation | NotNullViolation | UniqueViolation)
}
