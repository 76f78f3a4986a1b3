//! Measures Reprise side by side with what this machine can do at all: `cargo run --release -p bench -- [SCENARIO…]`.
//!
//! A ratio is of two sides that take turns in one run, since a machine's mood changes by the minute. Each scenario is a file in
//! [`scenarios`]; what they tell ends up in one [`table`].

mod http;
mod node;
mod process;
mod sale;
mod sample;
mod scenarios;
mod table;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use domain::Rejection;
use reprise::data_folder::FolderProblem;
use reprise::engine::{Fatal, StartError, StreamError};
use reprise::log::{AppendError, EventLog, LogAddress, OpenError, ReadError, open};
use serde_json::json;
use tempfile::TempDir;

use crate::http::child::CHILD;
use crate::scenarios::{
    called_off, cold, commands, crowd, draw, engine, fold, joins, log, memory, nodes, opening, overload, quantity,
    reads, stadium, streams, visits,
};
use crate::table::Row;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the log: {0}")]
    Open(#[from] OpenError),
    #[error("the log: {0}")]
    Read(#[from] ReadError),
    #[error("the log: {0}")]
    Stream(#[from] StreamError),
    #[error("the log: {0}")]
    Append(#[from] AppendError),
    #[error("a command that prepares the sale was refused: {0:?}")]
    Refused(Rejection),
    #[error("{0} cannot be said to a child")]
    NotText(PathBuf),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Folder(#[from] FolderProblem),
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error("a server did not start, or stopped: {0}")]
    NotServed(String),
    #[error("an answer was {status}: {body}")]
    Unexpected { status: u16, body: String },
    #[error("reprise {what}: {said}")]
    NotDone { what: String, said: String },
    #[error("the books are wrong: {0}")]
    Books(String),
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("a task failed: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// Measures Reprise beside the most that this machine can do, and prints a table.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub struct Options {
    /// What to measure. Without names, everything is measured.
    scenarios: Vec<Scenario>,
    /// How long each of the two sides of a figure is measured, in seconds.
    #[arg(long, default_value_t = 2.0, value_name = "SECONDS")]
    seconds: f64,
    /// The numbers of clients at the same time. Each number gives one figure.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256, 1_024], value_name = "N,…")]
    connections: Vec<usize>,
    /// The log of `engine` and `nodes`: `sqlite`, `postgres://…` or `kurrentdb://…`. A log on a server must be empty.
    #[arg(long, default_value = "sqlite", value_name = "ADDRESS")]
    log: LogAddress,
    /// Also write the table as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Durable charges without HTTP.
    Engine,
    /// Several nodes on one log, with HTTP and without. It is left out if the log allows one node only.
    Nodes,
    /// Durable charges over HTTP, against the floor.
    Charge,
    /// Durable charges, all for one user, against charges for one user each.
    OneUser,
    /// Durable holds of distinct seats, against the floor and against charges.
    Hold,
    /// Durable payments of holds, against the floor.
    Payment,
    /// Balances, against static bytes of the same size.
    Balance,
    /// Lists of 50 seats, against static bytes of the same size.
    Seats,
    /// Lists of seats that have not changed, against a handler that answers 304 at once.
    NotModified,
    /// Holds in schedules of 50,000 seats while lists are read, against holds in schedules of 50 seats.
    Stadium,
    /// Pairs of seats by quantity in houses of 50,000 seats until they are sold out, against pairs by ids.
    Quantity,
    /// 100,000 buyers for 10,000 seats.
    Crowd,
    /// Visits of 15 requests.
    Visits,
    /// A pre-queue of 20,000 people, the draw, people who do not arrive, a pause, and the sale of every seat.
    Opening,
    /// A show of 50,000 sold seats is called off while others charge; the server is killed three times meanwhile.
    CalledOff,
    /// Joins of a pre-queue, against joins of a line.
    Joins,
    /// A draw of a million entrants, and a thousand admissions in a tick.
    Draw,
    /// 10,000 streams of the queue while others buy.
    Streams,
    /// 50 people want one seat at once, on a server that has just started.
    Cold,
    /// Charges at half of the top rate, and at three times the top rate.
    Overload,
    /// The log alone, against raw SQLite.
    Log,
    /// Folds of events, and a rebuild of everything from a log.
    Fold,
    /// Memory for a million wallets, tokens, entrants and seats.
    Memory,
}

impl Options {
    /// How long one side is measured.
    pub fn round(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// A folder for one scenario, gone with it. It lies beside this program and not where temporary files go: there it
    /// could be memory, which syncs for nothing.
    pub fn folder(&self) -> io::Result<TempDir> {
        let program = std::env::current_exe()?;
        tempfile::Builder::new().prefix("bench-").tempdir_in(program.parent().unwrap_or(Path::new(".")))
    }

    /// The log that is measured, empty.
    pub async fn open_log(&self, folder: &Path) -> Result<Arc<dyn EventLog>, BenchError> {
        Ok(open(&self.log, folder).await?)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let done = match arguments.get(1) {
        Some(first) if first == CHILD => http::child::run(&arguments[2..]),
        Some(first) if first == memory::FILL => memory::fill(arguments.get(2).map_or("", String::as_str)),
        Some(_) | None => run(&Options::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), BenchError> {
    // Ten thousand streams are ten thousand files, on either side.
    reprise::open_files::raise_limit();
    let all = Scenario::value_variants();
    let scenarios = if options.scenarios.is_empty() { all } else { options.scenarios.as_slice() };
    let (mut rows, mut failed) = (Vec::new(), Ok(()));
    for scenario in scenarios {
        let name = scenario.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
        eprintln!("measuring {name}");
        match measure(*scenario, options) {
            Ok(measured) => rows.extend(measured),
            // What the others tell is worth having all the same.
            Err(error) => {
                eprintln!("{name} failed: {error}");
                failed = Err(error);
            }
        }
    }
    print!("{}", table::text(&rows));
    if let Some(path) = &options.json {
        fs::write(path, document(options, &rows))?;
    }
    failed
}

fn measure(scenario: Scenario, options: &Options) -> Result<Vec<Row>, BenchError> {
    let many = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    // What asks over HTTP has one thread: the servers need the rest of the machine.
    let one = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    match scenario {
        Scenario::Engine => many()?.block_on(engine::run(options)),
        Scenario::Nodes => many()?.block_on(nodes::run(options)),
        Scenario::Charge => one()?.block_on(commands::charge(options)),
        Scenario::OneUser => one()?.block_on(commands::one_user(options)),
        Scenario::Hold => one()?.block_on(commands::hold(options)),
        Scenario::Payment => one()?.block_on(commands::payment(options)),
        Scenario::Balance => one()?.block_on(reads::balance(options)),
        Scenario::Seats => one()?.block_on(reads::seats(options)),
        Scenario::NotModified => one()?.block_on(reads::not_modified(options)),
        Scenario::Stadium => one()?.block_on(stadium::run(options)),
        Scenario::Quantity => one()?.block_on(quantity::run(options)),
        Scenario::Crowd => one()?.block_on(crowd::run(options)),
        Scenario::Visits => one()?.block_on(visits::run(options)),
        Scenario::Opening => one()?.block_on(opening::run(options)),
        Scenario::CalledOff => one()?.block_on(called_off::run(options)),
        Scenario::Joins => one()?.block_on(joins::run(options)),
        Scenario::Draw => many()?.block_on(draw::run(options)),
        Scenario::Streams => one()?.block_on(streams::run(options)),
        Scenario::Cold => one()?.block_on(cold::run(options)),
        Scenario::Overload => one()?.block_on(overload::run(options)),
        Scenario::Log => many()?.block_on(log::run(options)),
        Scenario::Fold => many()?.block_on(fold::run(options)),
        Scenario::Memory => memory::run(options),
    }
}

fn document(options: &Options, rows: &[Row]) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{:#}\n", json!({ "cores": cores, "secondsEachSide": options.seconds, "rows": rows }))
}
