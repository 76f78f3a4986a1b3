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
    /// The log itself: prove it, count it, watch it, carry it elsewhere.
    Log(Log),
    /// Copy the log and its key into a new folder, whole or not at all, also while a server runs.
    Backup(Backup),
    /// Prove from the log itself that nothing went wrong.
    Audit(Audit),
    /// The state at any moment, folded from events only.
    Show(Show),
    /// Who held a seat, when, and why it is free or taken.
    Why(Why),
    /// Openings and their draws.
    Draw(Draw),
    /// The read models in SQL: see how far they are, verify, repair or rebuild them.
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
    /// Prove every draw from the log: what was committed to, who took part, the order, and that admissions followed it.
    Verify {
        /// Tell the place of this token, too.
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
    /// Build one or all anew; the old one serves until then. Where a server runs, the server does it.
    Rebuild {
        /// A projection's name, or `all`.
        name: String,
    },
    /// Compare the rows of one user or one schedule with the log, and set them right, while all else serves.
    Repair {
        /// A projection's name.
        name: String,
        #[command(flatten)]
        rows: RowsOf,
    },
    /// Show how far each is, and what stops it.
    Status,
    /// Compare each, row for row, with a fresh fold of the log.
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
    /// Replay everything, and prove each rule of the business.
    All,
    /// A user's statement: every movement of points, from the log itself.
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
    /// Every seat of a schedule, as `GET …/seats?status=all` answers.
    Seats {
        /// The concert.
        #[arg(long, value_name = "N", value_parser = id)]
        concert: u64,
        /// One of its schedules.
        #[arg(long, value_name = "N", value_parser = id)]
        schedule: u64,
    },
    /// A user's balance.
    Wallet {
        /// The user's number.
        #[arg(long, value_name = "N", value_parser = id)]
        user: u64,
    },
    /// A reservation, however long ago.
    Reservation {
        /// The reservation's number.
        #[arg(long, value_name = "N", value_parser = id)]
        id: u64,
    },
    /// The waiting room.
    Room,
    /// Seats held, sold and refunded, and takings, by concert and schedule.
    Sales,
}

/// `reprise why`
#[derive(Debug, Args)]
pub struct Why {
    /// The schedule.
    #[arg(long, value_name = "N", value_parser = id)]
    pub schedule: u64,
    /// One of its seats.
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
