//! Where a log is, with all that belongs to it, as the options of every command say.

use std::path::PathBuf;

use clap::Args;
use projections::sql::Location;

use crate::key::KEY_FILE;
use crate::log::LogAddress;
use crate::projector::ReadModelsAddress;
use crate::secret_value::SecretValue;

/// Where the log is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command: where the log is")]
pub struct Place {
    /// The data folder of this node: the lock, snapshots, and, unless they are elsewhere, the log and the server's key.
    #[arg(long, global = true, env = "REPRISE_DATA", default_value = "./reprise-data", value_name = "FOLDER")]
    pub data: PathBuf,
    /// The log: `sqlite` (a file in the data folder), or one that several nodes share, `postgres://…` or `kurrentdb://…`.
    #[arg(
        long,
        global = true,
        env = "REPRISE_LOG",
        hide_env_values = true,
        default_value = "sqlite",
        value_name = "sqlite|URL",
        value_parser = SecretValue::<LogAddress>::default()
    )]
    pub log: LogAddress,
    /// The file of the server's key, which is the same for all nodes of a log. It is made if it is missing and the log
    /// is new [default: `server.key` in the data folder].
    #[arg(long, global = true, env = "REPRISE_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// The read models in SQL: `sqlite` (a file in the data folder), or `postgres://…`, in a schema of their own [default:
    /// beside the log, in its database or in the data folder].
    #[arg(
        long,
        global = true,
        env = "REPRISE_READ_MODELS",
        hide_env_values = true,
        value_name = "sqlite|URL",
        value_parser = SecretValue::<ReadModelsAddress>::default()
    )]
    pub read_models: Option<ReadModelsAddress>,
}

impl Place {
    /// The file of the server's key.
    pub fn key_path(&self) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| self.data.join(KEY_FILE))
    }

    /// Where the read models in SQL are.
    ///
    /// # Errors
    /// The URL has what no such URL can have.
    pub fn read_models(&self) -> sqlx::Result<Location> {
        let address = self.read_models.clone().unwrap_or_else(|| ReadModelsAddress::beside(&self.log));
        address.location(&self.data)
    }

    /// What the log is called where people read of it.
    pub fn log_name(&self) -> String {
        match &self.log {
            LogAddress::Sqlite => self.data.display().to_string(),
            LogAddress::Postgres(_) | LogAddress::KurrentDb(_) => self.log.to_string(),
        }
    }
}
