//! The program: the log, the engine that decides, and the HTTP interface. Start here, with [`main`]: it names each
//! command of the program, and calls its function. `serve.rs` starts and stops a server.

pub mod api;
pub mod catalog;
pub mod command_line;
pub mod config;
pub mod data_folder;
pub mod demo;
pub mod engine;
pub mod failure;
pub mod identity;
pub mod key;
pub mod log;
pub mod logging;
pub mod metrics;
pub mod open_files;
pub mod operations;
pub mod past;
pub mod place;
pub mod printing;
pub mod progress;
pub mod projector;
pub mod secret_url;
pub mod secret_value;
pub mod serve;
pub mod served;
pub mod standard_error;
pub mod tools;

use std::process::ExitCode;

use crate::config::{Cli, Command};
use crate::failure::Failure;

/// The whole program: reads the command line, and runs the command.
pub fn main() -> ExitCode {
    let cli = match command_line::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    logging::start(&cli.lines.log_level, cli.lines.log_format);
    // Choose the cryptography of all TLS connections before the first one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    identity::install_provider();
    let code = run(cli).unwrap_or_else(|failure| failure.end());
    standard_error::end();
    code
}

#[tokio::main]
async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    // If the system refuses this, a file beyond the limit ends the program, as without it.
    let _ = serve::survive_long_files();
    let said = match cli.command {
        Command::Serve(options) => return Ok(serve::serve(&cli.place, &options).await?),
        Command::Tool(tool) => return Ok(tools::run(&cli.place, &tool).await),
        Command::Bench(tool) => return Ok(tools::run(&cli.place, &tool.into()).await),
        Command::Catalog(command) => operations::run_catalog(&cli.place, &command).await?,
        Command::Sale(command) => operations::run_sale(&cli.place, &command).await?,
        Command::Schedule(command) => operations::run_schedule(&cli.place, &command).await?,
        Command::Reservation(command) => operations::run_reservation(&cli.place, &command).await?,
        Command::Users(command) => operations::run_users(&cli.place, &command).await?,
        Command::Opening(command) => operations::run_opening(&cli.place, &command).await?,
        Command::Room(command) => operations::run_room(&cli.place, &command).await?,
        Command::Completions { shell } => command_line::completions(shell),
        Command::Man { folder } => command_line::man(folder.as_deref())?,
    };
    Ok(printing::line(said.trim_end()).map_or_else(|unprinted| unprinted.end(), |()| ExitCode::SUCCESS))
}
