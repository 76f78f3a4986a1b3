//! The meanings of PostgreSQL's errors. <https://www.postgresql.org/docs/current/errcodes-appendix.html>

use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::log::{AppendError, ReadError};

pub(super) const UNIQUE_VIOLATION: &str = "23505";
/// The SQLSTATE of a lock that was not free within `lock_timeout`.
pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";
pub(super) const UNDEFINED_TABLE: &str = "42P01";
const INSUFFICIENT_PRIVILEGE: &str = "42501";
const DISK_FULL: &str = "53100";
/// The SQLSTATEs of a failed storage: an I/O error, a damaged page, a damaged index.
const BROKEN: [&str; 3] = ["58030", "XX001", "XX002"];

/// The code of a statement that the server refused, undid, and said so. `None` where the connection is lost: then nobody
/// knows what the server did.
pub(super) fn refusal(error: &sqlx::Error) -> Option<&str> {
    let error = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
    matches!(error.severity(), PgSeverity::Error).then(|| error.code())
}

/// True if a server refuses the credentials, or the right to connect.
/// <https://www.postgresql.org/docs/current/client-authentication.html>
pub(super) fn is_denied(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("28") || code == INSUFFICIENT_PRIVILEGE)
}

/// Converts the error of an append whose transaction was certainly not committed.
pub(super) fn unwritten(error: &sqlx::Error) -> AppendError {
    match refusal(error) {
        Some(UNIQUE_VIOLATION) => AppendError::Conflict,
        Some(DISK_FULL) => AppendError::Full(error.to_string()),
        Some(code) if BROKEN.contains(&code) => AppendError::Broken(error.to_string()),
        Some(_) | None => AppendError::Unavailable(error.to_string()),
    }
}

/// Converts the error of an append that may have been committed.
pub(super) fn uncertain(error: &sqlx::Error) -> AppendError {
    if refusal(error).is_some() { unwritten(error) } else { AppendError::Unknown(error.to_string()) }
}

/// Converts the error of a read.
pub(super) fn unread(error: &sqlx::Error) -> ReadError {
    match refusal(error) {
        Some(code) if BROKEN.contains(&code) => ReadError::Broken(error.to_string()),
        Some(_) | None => ReadError::Unavailable(error.to_string()),
    }
}

/// Makes the error of a deadline that is over.
pub(super) fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}
