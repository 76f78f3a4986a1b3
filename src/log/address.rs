//! The address of a log: the value of `--log`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::secret_url::{NotAUrl, SecretUrl};

/// The address of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogAddress {
    /// `sqlite`: the file `log.db` in the data folder.
    Sqlite,
    /// `postgres://…`: a database of PostgreSQL. With several hosts, the one that accepts writes.
    Postgres(SecretUrl),
    /// `kurrentdb://…`: a stream of KurrentDB.
    KurrentDb(SecretUrl),
}

/// The error of a text that is not a log's address. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotALog {
    #[error("a log is `sqlite`, `postgres://…` or `kurrentdb://…`; {0}")]
    Url(#[from] NotAUrl),
    #[error("a log is `sqlite`, `postgres://…` or `kurrentdb://…`; this URL has another scheme")]
    Scheme,
    #[error("a log in SQLite is named by its data folder: `sqlite:FOLDER`")]
    NoFolder,
}

impl FromStr for LogAddress {
    type Err = NotALog;

    fn from_str(text: &str) -> Result<Self, NotALog> {
        if text == "sqlite" {
            return Ok(Self::Sqlite);
        }
        let url: SecretUrl = text.parse()?;
        match url.scheme() {
            "postgres" | "postgresql" => Ok(Self::Postgres(url)),
            "kurrentdb" | "kurrentdb+discover" | "esdb" | "esdb+discover" => Ok(Self::KurrentDb(url)),
            _ => Err(NotALog::Scheme),
        }
    }
}

impl fmt::Display for LogAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("sqlite"),
            Self::Postgres(url) | Self::KurrentDb(url) => url.fmt(f),
        }
    }
}

/// The value of `--from` and `--to`: `sqlite:FOLDER` or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// The address of the log.
    pub log: LogAddress,
    /// The data folder of a log in SQLite. Empty for another log.
    pub folder: PathBuf,
}

impl FromStr for LogPlace {
    type Err = NotALog;

    fn from_str(text: &str) -> Result<Self, NotALog> {
        match text.strip_prefix("sqlite:") {
            Some("") => Err(NotALog::NoFolder),
            Some(folder) => Ok(Self { log: LogAddress::Sqlite, folder: folder.into() }),
            None if text == "sqlite" => Err(NotALog::NoFolder),
            None => Ok(Self { log: text.parse()?, folder: PathBuf::new() }),
        }
    }
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.log {
            LogAddress::Sqlite => write!(f, "sqlite:{}", self.folder.display()),
            LogAddress::Postgres(url) | LogAddress::KurrentDb(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_or_a_url() {
        let sqlite: LogPlace = "sqlite:./reprise-data".parse().unwrap();
        assert_eq!((&sqlite.log, sqlite.folder.to_str()), (&LogAddress::Sqlite, Some("./reprise-data")));
        assert_eq!(sqlite.to_string(), "sqlite:./reprise-data");
        let postgres: LogPlace = "postgres://ann:s3cret@db/sales".parse().unwrap();
        assert_eq!(postgres.to_string(), "postgres://db/sales");
        for text in ["sqlite", "sqlite:"] {
            assert_eq!(text.parse::<LogPlace>(), Err(NotALog::NoFolder));
        }
    }

    #[test]
    fn a_log_is_told_by_its_scheme() {
        let parsed = |text: &str| text.parse::<LogAddress>();
        assert_eq!(parsed("sqlite"), Ok(LogAddress::Sqlite));
        for text in ["postgres://db/sales", "postgresql://db/sales"] {
            assert!(matches!(parsed(text), Ok(LogAddress::Postgres(url)) if url.expose() == text));
        }
        for text in ["kurrentdb://db:2113?tls=false", "kurrentdb+discover://db", "esdb://db", "esdb+discover://db"] {
            assert!(matches!(parsed(text), Ok(LogAddress::KurrentDb(url)) if url.expose() == text));
        }
        assert_eq!(parsed("mysql://db/sales"), Err(NotALog::Scheme));
        assert_eq!(parsed("log.db"), Err(NotALog::Url(NotAUrl::NoScheme)));
    }
}
