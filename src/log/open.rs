//! Opens the chosen log. This is the one place that knows all backends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::Position;

#[cfg(feature = "kurrentdb")]
use super::kurrent::{KurrentError, KurrentLog};
use super::{EventLog, LOG_FILE, LogAddress, PostgresError, PostgresLog, ReadError, SqliteLog, SqliteOpenError};
use crate::secret_url::SecretUrl;

/// The reason why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{}: {error}", folder.display())]
    Sqlite { folder: PathBuf, error: SqliteOpenError },
    #[error("{log}: {error}")]
    Postgres { log: String, error: PostgresError },
    #[error("{log}: {error}")]
    Unreadable { log: String, error: ReadError },
    #[error("{log}: there is no log; `reprise serve` or `reprise catalog import` makes one")]
    NoLog { log: String },
    #[error("{log}: an import or a copy into this place has not finished; run the same command again to finish it")]
    Unfinished { log: String },
    #[error("{log}: this program was built without KurrentDB (the cargo feature `kurrentdb`)")]
    NotBuiltIn { log: String },
    #[cfg(feature = "kurrentdb")]
    #[error("{log}: {error}")]
    KurrentDb { log: String, error: KurrentError },
}

impl OpenError {
    /// True if the log's server may only not be running yet.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Postgres { error, .. } => error.may_pass(),
            #[cfg(feature = "kurrentdb")]
            Self::KurrentDb { error, .. } => {
                matches!(error, KurrentError::Unreachable { .. } | KurrentError::NotReady(_))
            }
            Self::Unreadable { error, .. } => matches!(error, ReadError::Unavailable(_)),
            Self::Sqlite { .. } | Self::NoLog { .. } | Self::Unfinished { .. } | Self::NotBuiltIn { .. } => false,
        }
    }
}

/// Opens a log for serving, and makes it if it is missing. `folder` is the data folder, locked by a
/// [`FolderLock`](super::FolderLock).
///
/// # Errors
/// The log cannot be reached, is not a log, is not complete, or cannot be made durable.
pub async fn open(address: &LogAddress, folder: &Path) -> Result<Arc<dyn EventLog>, OpenError> {
    let log = open_to_fill(address, folder).await?;
    let unreadable = |error| OpenError::Unreadable { log: address.to_string(), error };
    if log.is_unfinished().await.map_err(unreadable)? {
        return Err(OpenError::Unfinished { log: address.to_string() });
    }
    Ok(log)
}

/// Opens a log as [`open`] does, for an import or a copy. It may be one that an earlier import or copy began to fill.
///
/// # Errors
/// The log cannot be reached, is not a log, or cannot be made durable.
pub async fn open_to_fill(address: &LogAddress, folder: &Path) -> Result<Arc<dyn EventLog>, OpenError> {
    match address {
        LogAddress::Sqlite => {
            let failed = |error| OpenError::Sqlite { folder: folder.to_owned(), error };
            Ok(Arc::new(SqliteLog::open(folder).await.map_err(failed)?))
        }
        LogAddress::Postgres(url) => {
            let failed = |error| OpenError::Postgres { log: address.to_string(), error };
            Ok(Arc::new(PostgresLog::open(url).await.map_err(failed)?))
        }
        LogAddress::KurrentDb(url) => {
            let log = open_kurrentdb(url).await?;
            #[cfg(feature = "kurrentdb")]
            log.warn_if_open_to_all();
            Ok(Arc::new(log))
        }
    }
}

/// Opens a log for reading, also if other processes have it open. Its records may not be durable, so nothing may be
/// served from it.
///
/// # Errors
/// There is no log, or it cannot be reached.
pub async fn open_read_only(address: &LogAddress, folder: &Path) -> Result<Arc<dyn EventLog>, OpenError> {
    must_exist(address, folder)?;
    match address {
        LogAddress::Sqlite => {
            let failed = |error| OpenError::Sqlite { folder: folder.to_owned(), error };
            Ok(Arc::new(SqliteLog::open_read_only(folder).await.map_err(failed)?))
        }
        LogAddress::Postgres(url) => {
            let failed = |error| OpenError::Postgres { log: address.to_string(), error };
            not_empty(address, PostgresLog::open_read_only(url).await.map_err(failed)?).await
        }
        LogAddress::KurrentDb(url) => not_empty(address, open_kurrentdb(url).await?).await,
    }
}

#[cfg(feature = "kurrentdb")]
async fn open_kurrentdb(url: &SecretUrl) -> Result<KurrentLog, OpenError> {
    KurrentLog::open(url).await.map_err(|error| OpenError::KurrentDb { log: url.to_string(), error })
}

#[cfg(not(feature = "kurrentdb"))]
async fn open_kurrentdb(url: &SecretUrl) -> Result<SqliteLog, OpenError> {
    Err(OpenError::NotBuiltIn { log: url.to_string() })
}

/// Fails if a log on a server has no records: then it does not exist yet.
async fn not_empty(address: &LogAddress, log: impl EventLog + 'static) -> Result<Arc<dyn EventLog>, OpenError> {
    let unreadable = |error| OpenError::Unreadable { log: address.to_string(), error };
    // Read the first record, not the last: a fault at the end is reported when a read comes that far.
    match log.read(Position::START, 1).await.map_err(unreadable)?.as_slice() {
        [] => Err(OpenError::NoLog { log: address.to_string() }),
        [..] => Ok(Arc::new(log)),
    }
}

/// Fails if opening a log would make a new one, as far as that is known without opening it.
///
/// # Errors
/// The data folder has no `log.db`.
pub fn must_exist(address: &LogAddress, folder: &Path) -> Result<(), OpenError> {
    match address {
        LogAddress::Sqlite if !folder.join(LOG_FILE).exists() => {
            Err(OpenError::NoLog { log: folder.display().to_string() })
        }
        LogAddress::Sqlite | LogAddress::Postgres(_) | LogAddress::KurrentDb(_) => Ok(()),
    }
}

#[cfg(all(test, not(feature = "kurrentdb")))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_without_kurrentdb_says_so() {
        let address: LogAddress = "kurrentdb://ann:s3cret@db:2113?tls=false".parse().unwrap();
        for refused in [
            open(&address, Path::new("nowhere")).await.map(|_| ()),
            open_read_only(&address, Path::new("nowhere")).await.map(|_| ()),
        ] {
            let told = refused.unwrap_err().to_string();
            let expected =
                "kurrentdb://db:2113: this program was built without KurrentDB (the cargo feature `kurrentdb`)";
            assert_eq!(told, expected);
        }
    }
}
