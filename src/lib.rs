//! What is run: the log, the engine that decides, and the HTTP interface. Start here, with [`main`]: what the program does,
//! and nothing of how. `serve.rs` puts a server together.

pub mod api;
pub mod bench;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod data_folder;
pub mod demo;
pub mod engine;
pub mod key;
pub mod lines;
pub mod log;
pub mod metrics;
pub mod projector;
pub mod secret_url;
pub mod serve;
pub mod tools;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::config::{Bench, Cli, Command};
use crate::lines::WithRequestId;

/// The whole program: reads the command line, and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("REPRISE_LOG_LEVEL").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    // A line that cannot be written (a full disk, a closed pipe) is lost. Told of on standard error, as the default is, it
    // would be a panic in whatever task had something to say.
    let format = WithRequestId(tracing_subscriber::fmt::format().with_ansi(colours));
    let lines = tracing_subscriber::fmt().log_internal_errors(false).event_format(format);
    lines.with_env_filter(filter).with_writer(std::io::stderr).init();
    // Before the first connection: whoever uses TLS takes the one cryptography that is chosen here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("reprise: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: Cli) -> Result<ExitCode, Box<dyn std::error::Error>> {
    match &cli.command {
        Command::Serve(options) => serve::serve(&cli.place, options).await?,
        Command::Catalog(command) => cli::catalog(&cli.place, command).await?,
        Command::Room(command) => cli::room(&cli.place, command).await?,
        Command::Tool(tool) => return Ok(tools::run(&cli.place, tool).await),
        Command::Bench(Bench::MakeLog(options)) => bench::make_log(&cli.place, options).await?,
        Command::Bench(Bench::Replay(output)) => bench::replay(&cli.place, output.json).await?,
    }
    Ok(ExitCode::SUCCESS)
}
