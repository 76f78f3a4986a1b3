//! Options of the tools that look into a log.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::id::id;
use super::log::{Log, LogCommand, MakeLog};
use super::output::Output;
use crate::past::AsOf;

/// What operators and auditors ask of a log. Reading tools work beside a running server.
#[derive(Debug, Subcommand)]
pub enum Tool {
    /// Prove, count, watch, copy, export or import the log.
    Log(Log),
    /// Copy the log and its key into a new folder, completely or not at all. A server may run meanwhile.
    Backup(Backup),
    /// Prove from the log that every rule of the sale was kept, or print a user's statement.
    Audit(Audit),
    /// Show the state at any moment, folded from the events only.
    Show(Show),
    /// Show who held a seat, when, and why it is free or taken.
    Why(Why),
    /// Prove the draws of openings.
    Draw(Draw),
    /// Show, verify, repair or rebuild the read models in SQL.
    Projections(Projections),
}

/// `reprise draw …`
#[derive(Debug, Args)]
pub struct Draw {
    #[command(flatten)]
    pub output: Output,
    #[command(subcommand)]
    pub command: DrawCommand,
}

#[derive(Debug, Subcommand)]
pub enum DrawCommand {
    /// Prove every draw from the log: the commitment, who took part, their order, and that the admissions followed this
    /// order.
    Verify {
        /// Also print the place of this token.
        #[arg(long, value_name = "N", value_parser = id)]
        token_id: Option<u64>,
    },
}

/// `reprise projections …`
#[derive(Debug, Args)]
pub struct Projections {
    #[command(flatten)]
    pub output: Output,
    #[command(subcommand)]
    pub command: ProjectionsCommand,
}

#[derive(Debug, Subcommand)]
pub enum ProjectionsCommand {
    /// Rebuild one read model, or all. The old one serves until the new one is ready. If a server runs, the server does
    /// it.
    Rebuild {
        /// The read model's name, or `all`.
        name: String,
    },
    /// Compare the rows of one user or one schedule with the log, and correct them. Everything else serves meanwhile.
    Repair {
        /// The read model's name.
        name: String,
        #[command(flatten)]
        rows: RowsOf,
    },
    /// Show the position of each read model, and why one has stopped.
    Status,
    /// Compare each read model, row by row, with a fresh fold of the log.
    Verify,
}

/// The user or the schedule whose rows they are: one of the two.
#[derive(Debug, Clone, Copy, Args)]
#[group(required = true, multiple = false)]
pub struct RowsOf {
    /// The rows of this user.
    #[arg(long, value_name = "N", value_parser = id)]
    pub user: Option<u64>,
    /// The rows of this schedule.
    #[arg(long, value_name = "N", value_parser = id)]
    pub schedule: Option<u64>,
}

/// `reprise backup`
#[derive(Debug, Args)]
pub struct Backup {
    /// The folder to make; it can be served as it is.
    pub folder: PathBuf,
    #[command(flatten)]
    pub output: Output,
}

/// `reprise audit …`
#[derive(Debug, Args)]
pub struct Audit {
    #[command(flatten)]
    pub output: Output,
    #[command(subcommand)]
    pub command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Replay the whole log, and prove every rule of the sale.
    All,
    /// Print a user's statement: every movement of points, from the log.
    Points {
        /// The user's number.
        #[arg(long, value_name = "N", value_parser = id)]
        user: u64,
        #[command(flatten)]
        when: When,
    },
}

/// `reprise show …`
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub when: When,
    #[command(subcommand)]
    pub command: ShowCommand,
}

/// The moment that is looked at.
#[derive(Debug, Clone, Copy, Args)]
pub struct When {
    /// The log up to this position, or up to this time (RFC 3339) [default: all of it].
    #[arg(long, global = true, display_order = 100, value_name = "POSITION|TIME")]
    pub as_of: Option<AsOf>,
}

#[derive(Debug, Subcommand)]
pub enum ShowCommand {
    /// Show every seat of a schedule, as `GET …/seats?status=all` answers.
    Seats {
        /// The concert's number.
        #[arg(long, value_name = "N", value_parser = id)]
        concert: u64,
        /// The number of one of its schedules.
        #[arg(long, value_name = "N", value_parser = id)]
        schedule: u64,
    },
    /// Show a user's balance.
    Wallet {
        /// The user's number.
        #[arg(long, value_name = "N", value_parser = id)]
        user: u64,
    },
    /// Show a reservation, also one of long ago.
    Reservation {
        /// The reservation's number.
        #[arg(long, value_name = "N", value_parser = id)]
        id: u64,
    },
    /// Show the waiting room.
    Room,
    /// Show the seats held, sold and refunded, and the takings, by concert and schedule.
    Sales,
}

/// `reprise why`
#[derive(Debug, Args)]
pub struct Why {
    /// The schedule's number.
    #[arg(long, value_name = "N", value_parser = id)]
    pub schedule: u64,
    /// The id of one of its seats.
    #[arg(long, value_name = "N", value_parser = id)]
    pub seat: u64,
    #[command(flatten)]
    pub output: Output,
}

/// `reprise bench …`: what two tools of the log were called before.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// `reprise log make`.
    MakeLog(MakeLog),
    /// `reprise log replay`.
    Replay(Output),
}

impl From<Bench> for Tool {
    fn from(bench: Bench) -> Self {
        Self::Log(match bench {
            Bench::MakeLog(options) => Log { output: Output { json: false }, command: LogCommand::Make(options) },
            Bench::Replay(output) => Log { output, command: LogCommand::Replay },
        })
    }
}
