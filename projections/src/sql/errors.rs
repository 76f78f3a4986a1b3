//! The meanings of a database's errors. SQLSTATEs: <https://www.postgresql.org/docs/current/errcodes-appendix.html>

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// The SQLSTATE of a missing table.
const UNDEFINED_TABLE: &str = "42P01";
/// The SQLSTATEs of a missing right, a missing column, and a column of another type.
const OF_THE_TABLE: [&str; 3] = ["42501", "42703", "42804"];
/// The SQLSTATE of a lock that was not free within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// True if a table is missing.
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    has_code(error, UNDEFINED_TABLE)
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(code))
}

/// True if a lock was not free in time.
pub fn is_locked_out(error: &sqlx::Error) -> bool {
    has_code(error, LOCK_NOT_AVAILABLE)
}

/// True if the file is not a database, or is damaged. SQLITE_CORRUPT and SQLITE_NOTADB:
/// <https://sqlite.org/rescode.html>
pub fn is_no_database(error: &sqlx::Error) -> bool {
    sqlite_code(error).is_some_and(|code| [11, 26].contains(&(code & 0xff)))
}

fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<SqliteError>()?;
    error.code()?.parse().ok()
}

/// True if the database refused the rows of one table. It would refuse them again, but other tables are not affected.
pub fn is_refusal(error: &sqlx::Error) -> bool {
    use sqlx::error::ErrorKind::{CheckViolation, NotNullViolation, UniqueViolation};
    let Some(refused) = error.as_database_error() else { return false };
    // PostgreSQL also refuses values that no column of its own can hold, such as a text with a zero byte: class 22; and a
    // role without the right, or a table that somebody has changed.
    let is_of_the_table = match refused.try_downcast_ref::<PgDatabaseError>() {
        Some(error) => error.code().starts_with("22") || OF_THE_TABLE.contains(&error.code()),
        // SQLITE_ERROR: a column is missing.
        None => sqlite_code(error) == Some(1) && refused.message().contains("column"),
    };
    is_of_the_table || matches!(refused.kind(), CheckViolation | NotNullViolation | UniqueViolation)
}
