//! The address of the read models in SQL: the value of `--read-models`.

use std::path::Path;
use std::str::FromStr;

use projections::sql::{Location, READ_MODELS_FILE};

use crate::log::LogAddress;
use crate::secret_url::{NotAUrl, SecretUrl};

/// The address of the read models in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadModelsAddress {
    /// `sqlite`: the file `read-models.db` in the data folder.
    Sqlite,
    /// `postgres://…`: a database of PostgreSQL. With several hosts, the one that accepts writes.
    Postgres(SecretUrl),
}

/// The error of a text that is not an address of read models. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReadModels {
    #[error("read models are in `sqlite` or `postgres://…`; {0}")]
    Url(#[from] NotAUrl),
    #[error("read models are in `sqlite` or `postgres://…`; this URL has another scheme")]
    Scheme,
}

impl FromStr for ReadModelsAddress {
    type Err = NotReadModels;

    fn from_str(text: &str) -> Result<Self, NotReadModels> {
        if text == "sqlite" {
            return Ok(Self::Sqlite);
        }
        let url: SecretUrl = text.parse()?;
        match url.scheme() {
            "postgres" | "postgresql" => Ok(Self::Postgres(url)),
            _ => Err(NotReadModels::Scheme),
        }
    }
}

impl ReadModelsAddress {
    /// The default address: beside the log, if its backend can hold tables.
    pub fn beside(log: &LogAddress) -> Self {
        match log {
            LogAddress::Postgres(url) => Self::Postgres(url.clone()),
            LogAddress::Sqlite | LogAddress::KurrentDb(_) => Self::Sqlite,
        }
    }

    /// Makes the location of the database. `folder` is the data folder.
    ///
    /// # Errors
    /// The URL is malformed.
    pub fn location(&self, folder: &Path) -> sqlx::Result<Location> {
        match self {
            Self::Sqlite => Ok(Location::File(folder.join(READ_MODELS_FILE))),
            Self::Postgres(url) => {
                let servers = url.each_host().iter().map(|url| url.expose().parse()).collect::<Result<_, _>>()?;
                Ok(Location::Servers(servers))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_models_are_where_they_are_said_to_be_else_beside_the_log() {
        let parsed = |text: &str| text.parse::<ReadModelsAddress>();
        assert_eq!(parsed("sqlite"), Ok(ReadModelsAddress::Sqlite));
        assert_eq!(parsed("kurrentdb://db"), Err(NotReadModels::Scheme));
        assert_eq!(parsed("read-models.db"), Err(NotReadModels::Url(NotAUrl::NoScheme)));
        let location = |address: ReadModelsAddress| address.location(Path::new("data")).unwrap();
        let servers = location(parsed("postgres://ann:s3cret@h1:1,h2:2/sales").unwrap());
        assert!(matches!(servers, Location::Servers(servers) if servers.len() == 2 && servers[1].get_port() == 2));
        for (log, is_file) in [("sqlite", true), ("kurrentdb://db", true), ("postgres://db/sales", false)] {
            let beside = location(ReadModelsAddress::beside(&log.parse().unwrap()));
            assert_eq!(matches!(beside, Location::File(_)), is_file, "{log}");
        }
    }
}
