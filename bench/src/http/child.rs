//! Servers as processes of their own: this program once more, as the server that is measured or as the floor.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Parser;
use reprise::config::{Cli, Command as Subcommand};
use reprise::log::LogAddress;
use reprise::tools;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::filter::LevelFilter;

use super::floor;
use crate::BenchError;

/// The first argument of a child.
pub const CHILD: &str = "child";
/// The first argument of a child that is the floor.
const FLOOR: &str = "floor";
/// How long a server that just started is left alone, so that what it starts with is over.
pub const SETTLING: Duration = Duration::from_millis(300);
/// What every server says on standard error once it listens.
const LISTENING: &str = "listening on http://";
/// Any free port, for this machine only.
const ANY_PORT: &str = "127.0.0.1:0";

/// A child that listens. It is killed when it is dropped: what it wrote is of no use to anyone.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

impl Server {
    /// Reprise on a folder.
    pub fn reprise(folder: &Path) -> Result<Self, BenchError> {
        Self::start(&["serve", "--identity", "open", "--listen", ANY_PORT, "--data", text(folder)?])
    }

    /// Reprise on a log that others write too, with a folder of its own and their key.
    pub fn node(folder: &Path, log: &LogAddress, key: &Path) -> Result<Self, BenchError> {
        let log = match log {
            LogAddress::Sqlite => "sqlite",
            LogAddress::Postgres(url) | LogAddress::KurrentDb(url) => url.expose(),
        };
        let (folder, key) = (text(folder)?, text(key)?);
        let serve = ["serve", "--identity", "open", "--listen", ANY_PORT, "--data", folder, "--log", log];
        Self::start(&[serve.as_slice(), &["--key-file", key]].concat())
    }

    /// Handlers that do nothing; lists have so many bytes.
    pub fn floor(balance_bytes: usize, list_bytes: usize) -> Result<Self, BenchError> {
        Self::start(&[FLOOR, &balance_bytes.to_string(), &list_bytes.to_string()])
    }

    fn start(arguments: &[&str]) -> Result<Self, BenchError> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(CHILD).args(arguments).stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stderr.take().expect("it was asked for")).lines();
        let mut said = String::new();
        let address = loop {
            let Some(line) = lines.next().transpose()? else {
                let _ = child.wait();
                return Err(BenchError::NotServed(said));
            };
            if let Some((_, address)) = line.split_once(LISTENING) {
                break address.trim().parse().map_err(|_| BenchError::NotServed(line.clone()))?;
            }
            said.push_str(&line);
            said.push('\n');
        };
        // Nobody may hang on a pipe that is full.
        std::thread::spawn(move || {
            let bad = |line: &String| line.contains(" WARN ") || line.contains(" ERROR ");
            lines.map_while(Result::ok).filter(bad).for_each(|line| eprintln!("  server: {line}"));
        });
        Ok(Self { address, child })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// kill -9.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> Result<&str, BenchError> {
    path.to_str().ok_or_else(|| BenchError::NotText(path.to_owned()))
}

/// Runs the program to its end.
pub fn program(arguments: &[&str]) -> Result<(), BenchError> {
    let ended = Command::new(std::env::current_exe()?).arg(CHILD).args(arguments).output()?;
    if ended.status.success() {
        return Ok(());
    }
    let said = [ended.stdout, ended.stderr].concat();
    Err(BenchError::NotDone { what: arguments.join(" "), said: String::from_utf8_lossy(&said).into_owned() })
}

/// What a child does.
pub fn run(arguments: &[String]) -> Result<(), BenchError> {
    match arguments {
        [kind, balance_bytes, list_bytes] if kind == FLOOR => {
            let number = |text: &String| text.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
            let router = floor::router(number(balance_bytes)?, number(list_bytes)?);
            Ok(runtime()?.block_on(serve_floor(router))?)
        }
        arguments => {
            let program = std::iter::once("reprise".to_owned());
            let cli = Cli::try_parse_from(program.chain(arguments.iter().cloned())).map_err(io::Error::other)?;
            runtime()?.block_on(reprise(cli))
        }
    }
}

/// As the program itself has it.
fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

/// The program's own commands, as its `main` runs them.
async fn reprise(cli: Cli) -> Result<(), BenchError> {
    tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).with_writer(io::stderr).with_ansi(false).init();
    let failed = |error: &dyn std::error::Error| BenchError::NotServed(error.to_string());
    match &cli.command {
        Subcommand::Serve(options) => {
            reprise::serve::serve(&cli.place, options).await.map(drop).map_err(|e| failed(&e))
        }
        Subcommand::Tool(tool) if tools::run(&cli.place, tool).await == ExitCode::SUCCESS => Ok(()),
        Subcommand::Tool(_)
        | Subcommand::Bench(_)
        | Subcommand::Catalog(_)
        | Subcommand::Room(_)
        | Subcommand::Opening(_)
        | Subcommand::Schedule(_)
        | Subcommand::Reservation(_)
        | Subcommand::Users(_)
        | Subcommand::Sale(_)
        | Subcommand::Completions { .. }
        | Subcommand::Man { .. } => Err(BenchError::NotServed("nothing that is measured".to_owned())),
    }
}

async fn serve_floor(router: axum::Router) -> io::Result<()> {
    let listener = TcpListener::bind(ANY_PORT).await?;
    writeln!(io::stderr(), "{LISTENING}{}", listener.local_addr()?)?;
    reprise::api::serve(listener, router, usize::MAX, false, std::future::pending()).await;
    Ok(())
}
