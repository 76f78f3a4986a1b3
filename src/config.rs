//! Every option of the program, each also an environment variable `REPRISE_…`. Where a log is, is in `place.rs`, since rooms
//! below ask for it.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};

mod changes;
mod expected;
mod id;
mod identity;
mod limits;
mod listen;
mod log;
mod opening;
mod output;
mod page;
mod tools;
pub use changes::{Reservation, Schedule, Users};
pub use expected::Expected;
pub use identity::{IdentityMode, IdentityOptions, IdentityProblem};
pub use limits::LimitOptions;
pub use listen::ListenAddress;
pub use log::{LogCommand, MakeLog, Tail};
pub use opening::{Beacon, Opening};
pub use output::Output;
pub use page::PageOptions;
pub use tools::*;

use crate::api::MAX_STREAMS;
use crate::logging::{LogFormat, LogLevel};
use crate::place::Place;

/// Slots of a new log's room.
pub const DEFAULT_CAPACITY: u64 = 1_000;
/// Slots of a new demo's room: a load test is not stopped at the door.
pub const DEMO_CAPACITY: u64 = 100_000;

/// Sells concert seats when everyone comes at once.
#[derive(Debug, Parser)]
#[command(name = "reprise", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub lines: Lines,
    #[command(subcommand)]
    pub command: Command,
}

/// What is written to standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command: lines on standard error")]
pub struct Lines {
    /// Which lines are written: `off`, `error`, `warn`, `info`, `debug` (one for each request) or `trace`, also by module, as
    /// in `info,reprise::api=debug`.
    #[arg(long, global = true, env = "REPRISE_LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    pub log_level: LogLevel,
    /// How lines are written.
    #[arg(long, global = true, env = "REPRISE_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a sale over HTTP.
    Serve(Box<Serve>),
    /// Import concerts, schedules and seats, or print an example of a file.
    #[command(subcommand)]
    Catalog(Catalog),
    /// Change the waiting room.
    #[command(subcommand)]
    Room(Room),
    /// Pause the sale, and let it go on.
    #[command(subcommand)]
    Sale(Sale),
    /// Open a sale by a draw: a pre-queue, its close, and the places in line drawn by lot.
    #[command(subcommand)]
    Opening(Opening),
    /// Move a show or its sale, change its prices, call it off.
    #[command(subcommand)]
    Schedule(Schedule),
    /// End a reservation for its buyer.
    #[command(subcommand)]
    Reservation(Reservation),
    /// Correct a wallet, charge it, end a token, find a user.
    #[command(subcommand)]
    Users(Users),
    #[command(subcommand, hide = true)]
    Bench(Bench),
    #[command(flatten)]
    Tool(Tool),
    /// Print a script that lets a shell complete commands and options.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the program's manual page, or write one for each command.
    Man {
        /// The folder to write them into.
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on.
    #[arg(long, env = "REPRISE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: ListenAddress,
    /// The address for operators, off unless given. With `--identity open` nobody needs a token there: keep it on loopback.
    #[arg(long, env = "REPRISE_OPERATIONS", value_name = "ADDRESS:PORT")]
    pub operations: Option<ListenAddress>,
    /// Slots of the waiting room in a new log [default: 1000, 100000 with --demo]; `reprise room set` changes it later.
    #[arg(long, env = "REPRISE_CAPACITY", value_name = "N")]
    pub capacity: Option<u64>,
    /// Publish the demo's concerts and grant its three fixed tokens. Anyone may act as any user.
    #[arg(long, env = "REPRISE_DEMO", value_parser = FalseyValueParser::new())]
    pub demo: bool,
    /// Connections at a time; if there are more, those that are idle longest are closed [default: as many as the limit of open files allows].
    #[arg(long, env = "REPRISE_MAX_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_connections: Option<u64>,
    /// Streams at a time.
    #[arg(long, env = "REPRISE_MAX_STREAMS", value_name = "N", default_value_t = MAX_STREAMS)]
    pub max_streams: usize,
    #[command(flatten)]
    pub identity: IdentityOptions,
    /// How long a start waits for the server of a log that is not there yet; `/readyz` says so meanwhile.
    #[arg(long, env = "REPRISE_WAIT_FOR_LOG", default_value_t = 60, value_name = "SECONDS")]
    pub wait_for_log: u64,
    /// Serve a log whose last record is more than a minute ahead of this machine's clock.
    #[arg(long, env = "REPRISE_ACCEPT_CLOCK", value_parser = FalseyValueParser::new())]
    pub accept_clock: bool,
    /// Serve a log that does not hold what was served from this data folder, and lose what is missing for good: a record that
    /// the log has now, as the refusal prints it. Say it once.
    #[arg(long, env = "REPRISE_ACCEPT_REWIND", value_name = "POSITION:HASH")]
    pub accept_rewind: Option<Expected>,
    #[command(flatten)]
    pub limits: LimitOptions,
    #[command(flatten)]
    pub page: PageOptions,
}

#[derive(Debug, Subcommand)]
pub enum Catalog {
    /// Import a catalogue, beside a running server or without one. Importing it again changes nothing, and an import that was
    /// cut off is finished by the same file.
    Import(Import),
    /// Print an example of a catalogue file.
    Example,
}

#[derive(Debug, Args)]
pub struct Import {
    /// A file as `reprise catalog example` prints it, or a CSV of seats; `-` for standard input.
    pub file: PathBuf,
    /// Only tell what would be imported.
    #[arg(long)]
    pub dry_run: bool,
    /// What looks like a correction of something published is new.
    #[arg(long)]
    pub new: bool,
    #[command(flatten)]
    pub change: Change,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum Room {
    /// Change capacity, pace and time to arrive, beside a running server or without one.
    Set(RoomOptions),
}

/// `reprise room set`
#[derive(Debug, Args)]
pub struct RoomOptions {
    /// Slots of the room.
    #[arg(long, value_name = "N")]
    pub capacity: Option<u64>,
    /// Admissions in one second at most; 0 for no bound.
    #[arg(long, value_name = "N")]
    pub admissions_per_second: Option<u32>,
    /// How soon an admitted user must come, 10 to 600 seconds; else the slot goes to the next in line. 0: no limit.
    #[arg(long, value_name = "N")]
    pub arrival_seconds: Option<u32>,
    #[command(flatten)]
    pub change: Change,
}

/// `reprise sale …`
#[derive(Debug, Subcommand)]
pub enum Sale {
    /// Let nobody in and hold nothing new; deadlines stand still.
    Pause {
        /// When the sale goes on automatically (RFC 3339).
        #[arg(long, value_name = "TIME")]
        resumes_at: Option<String>,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Let a paused sale go on.
    Resume {
        #[command(flatten)]
        change: ReasonedChange,
    },
}

/// What every change says.
#[derive(Debug, Args)]
pub struct ReasonedChange {
    /// The reason, which stands in the log for ever.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// A name for this change, so that it is done once, however often the command is run. Without this option a new name
    /// is made.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

/// What a change may say whose reason can be left out.
#[derive(Debug, Args)]
pub struct Change {
    /// The reason, which stands in the log for ever.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// A name for this change, so that it is done once, however often the command is run. Without this option a new name
    /// is made.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::log::LogAddress;

    #[test]
    fn a_password_is_shown_by_no_error_no_help_and_no_debug_output() {
        for wrong in ["mysql://ann:s3cret@db", "postgres://ann:s3/cret@db", "s3cret"] {
            let refused = Cli::try_parse_from(["reprise", "--log", wrong, "serve"]).unwrap_err().to_string();
            assert!(refused.contains("--log") && !refused.contains("s3"), "{refused}");
        }
        let right = Cli::try_parse_from(["reprise", "--log", "postgres://ann:s3cret@db/sales", "serve"]).unwrap();
        assert!(matches!(&right.place.log, LogAddress::Postgres(url) if url.expose().contains("s3cret")));
        assert!(!format!("{right:?}{}", right.place.log).contains("s3cret"));
        let hides = Cli::command().get_arguments().filter(|argument| argument.is_hide_env_values_set()).count();
        assert_eq!(hides, 2, "help would print the environment variables of --log and --read-models");
    }
}
