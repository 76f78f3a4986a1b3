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
    /// The level of the lines: `off`, `error`, `warn`, `info`, `debug` (one line for each request) or `trace`. A module
    /// can have its own level: `info,reprise::api=debug`.
    #[arg(long, global = true, env = "REPRISE_LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    pub log_level: LogLevel,
    /// The format of the lines.
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
    /// Pause the sale, and resume it.
    #[command(subcommand)]
    Sale(Sale),
    /// Open a sale by a draw: people join a pre-queue, then the places in line are drawn by lot.
    #[command(subcommand)]
    Opening(Opening),
    /// Show a schedule, change its times and prices, or call the show off.
    #[command(subcommand)]
    Schedule(Schedule),
    /// Cancel or refund a reservation for its buyer.
    #[command(subcommand)]
    Reservation(Reservation),
    /// Show or find a user, correct or charge a wallet, or end a token.
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
        /// The folder for the pages of all commands. Without it, the program's page is printed.
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on.
    #[arg(long, env = "REPRISE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: ListenAddress,
    /// The address for operators. Without this option there is none. With `--identity open` operators need no token
    /// there, so the address must be on loopback.
    #[arg(long, env = "REPRISE_OPERATIONS", value_name = "ADDRESS:PORT")]
    pub operations: Option<ListenAddress>,
    /// The number of slots of the waiting room in a new log [default: 1000, or 100000 with --demo]. `reprise room set`
    /// changes it later.
    #[arg(long, env = "REPRISE_CAPACITY", value_name = "N")]
    pub capacity: Option<u64>,
    /// Publish the demo's concerts and grant its three fixed tokens. Anyone may act as any user.
    #[arg(long, env = "REPRISE_DEMO", value_parser = FalseyValueParser::new())]
    pub demo: bool,
    /// The most connections at a time. If more arrive, the connections that are idle longest are closed [default: as
    /// many as the limit of open files allows].
    #[arg(long, env = "REPRISE_MAX_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_connections: Option<u64>,
    /// The most streams at a time.
    #[arg(long, env = "REPRISE_MAX_STREAMS", value_name = "N", default_value_t = MAX_STREAMS)]
    pub max_streams: usize,
    #[command(flatten)]
    pub identity: IdentityOptions,
    /// How long the start waits for the database server of the log, if it does not answer yet. Meanwhile `/readyz` says
    /// so.
    #[arg(long, env = "REPRISE_WAIT_FOR_LOG", default_value_t = 60, value_name = "SECONDS")]
    pub wait_for_log: u64,
    /// Serve a log whose last record is more than a minute ahead of this machine's clock.
    #[arg(long, env = "REPRISE_ACCEPT_CLOCK", value_parser = FalseyValueParser::new())]
    pub accept_clock: bool,
    /// Serve a log that lacks records which were served from this data folder. These records are lost for ever. The
    /// value is a record that the log has now; the refusal prints it. Use this option for one start only.
    #[arg(long, env = "REPRISE_ACCEPT_REWIND", value_name = "POSITION:HASH")]
    pub accept_rewind: Option<Expected>,
    #[command(flatten)]
    pub limits: LimitOptions,
    #[command(flatten)]
    pub page: PageOptions,
}

#[derive(Debug, Subcommand)]
pub enum Catalog {
    /// Import a catalogue, while a server runs or without one. The same file again changes nothing, or finishes an
    /// import that was cut off.
    Import(Import),
    /// Print an example of a catalogue file.
    Example,
}

#[derive(Debug, Args)]
pub struct Import {
    /// A catalogue file, as `reprise catalog example` prints one, or a CSV of seats; `-` reads standard input.
    pub file: PathBuf,
    /// Only print what would be imported.
    #[arg(long)]
    pub dry_run: bool,
    /// Import as new what looks like a correction of a published concert or schedule.
    #[arg(long)]
    pub new: bool,
    #[command(flatten)]
    pub change: Change,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum Room {
    /// Change the capacity, the pace of admissions and the time to arrive, while a server runs or without one.
    Set(RoomOptions),
}

/// `reprise room set`
#[derive(Debug, Args)]
pub struct RoomOptions {
    /// The number of slots of the waiting room.
    #[arg(long, value_name = "N")]
    pub capacity: Option<u64>,
    /// The most admissions in one second. 0: no limit.
    #[arg(long, value_name = "N")]
    pub admissions_per_second: Option<u32>,
    /// The time that an admitted user has to arrive, 10 to 600 seconds; after that the slot goes to the next in line.
    /// 0: no limit.
    #[arg(long, value_name = "N")]
    pub arrival_seconds: Option<u32>,
    #[command(flatten)]
    pub change: Change,
}

/// `reprise sale …`
#[derive(Debug, Subcommand)]
pub enum Sale {
    /// Pause the sale: nobody is admitted, no more seats can be held, and deadlines stand still.
    Pause {
        /// When the sale resumes automatically (RFC 3339).
        #[arg(long, value_name = "TIME")]
        resumes_at: Option<String>,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Resume a paused sale.
    Resume {
        #[command(flatten)]
        change: ReasonedChange,
    },
}

/// What every change says.
#[derive(Debug, Args)]
pub struct ReasonedChange {
    /// The reason for the change. It stays in the log for ever.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// A key for this change. The change is made only once, even if the command is run again with the same key. Without
    /// this option a new key is made.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

/// What a change may say whose reason can be left out.
#[derive(Debug, Args)]
pub struct Change {
    /// The reason for the change. It stays in the log for ever.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// A key for this change. The change is made only once, even if the command is run again with the same key. Without
    /// this option a new key is made.
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
