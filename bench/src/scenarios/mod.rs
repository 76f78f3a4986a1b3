//! What can be measured: one file for each kind.

pub mod called_off;
pub mod cold;
pub mod commands;
pub mod crowd;
pub mod draw;
pub mod engine;
pub mod fold;
pub mod joins;
pub mod log;
pub mod memory;
pub mod nodes;
pub mod opening;
pub mod overload;
pub mod quantity;
pub mod reads;
pub mod stadium;
pub mod streams;
pub mod visits;

use std::path::Path;

use tempfile::TempDir;

use crate::http::child::{self, SETTLING, Server};
use crate::sale::{self, Guest, Plan};
use crate::{BenchError, Options};

/// A server on a sale of its own. The folder goes with it.
pub struct Sale {
    pub server: Server,
    pub guests: Vec<Guest>,
    folder: TempDir,
}

impl Sale {
    /// Prepares the sale and starts the server.
    pub async fn open(options: &Options, plan: Plan) -> Result<Self, BenchError> {
        let folder = options.folder()?;
        let guests = sale::prepare_folder(folder.path(), plan).await?;
        let server = Server::reprise(folder.path())?;
        tokio::time::sleep(SETTLING).await;
        Ok(Self { server, guests, folder })
    }

    /// kill -9, and a start.
    pub fn kill(&mut self) -> Result<(), BenchError> {
        self.server.kill();
        self.server = Server::reprise(self.folder.path())?;
        Ok(())
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server, and has every rule proved from the log.
    pub fn audit(self) -> Result<TempDir, BenchError> {
        drop(self.server);
        child::program(&["audit", "all", "--data", child::text(self.folder.path())?])?;
        Ok(self.folder)
    }
}

/// As many guests as the most clients.
pub fn one_each(options: &Options) -> Plan {
    let people = options.connections.iter().copied().max().unwrap_or(1) as u64;
    Plan { people, ..Plan::default() }
}
