//! Options of the tools that look into a log, copy it, or bring it back.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::Position;

use super::Expected;
use crate::log::LogPlace;
use crate::past::AsOf;
use crate::secret_value::SecretValue;

/// What operators and auditors ask of a log. Reading tools work beside a running server.
#[derive(Debug, Subcommand)]
pub enum Tool {
    /// The log itself: prove it, count it, watch it, carry it elsewhere.
    Log(Log),
    /// Copy the log and its key into a new folder, whole or not at all, while it is served or not.
    Backup(Backup),
    /// Prove from the log itself that nothing went wrong.
    Audit(Audit),
    /// The state at any moment, folded from events only.
    Show(Show),
    /// Who held a seat, when, and why it is free or taken.
    Why(Why),
    /// Openings and their draws.
    Draw(Draw),
    /// The read models in SQL: where they stand, whether they are right, and making them anew.
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
        /// Tell this token's place, too.
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
    /// Build one or all anew; the old one serves until then. Beside a running server, that server does it.
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
    /// Where each stands.
    Status,
    /// Hold each, row for row, against a fresh fold of the log.
    Verify,
}

/// Whose rows: one of the two.
#[derive(Debug, Clone, Copy, Args)]
#[group(required = true, multiple = false)]
pub struct RowsOf {
    /// Those of this user.
    #[arg(long, value_name = "N", value_parser = id)]
    pub user: Option<u64>,
    /// Those of this schedule.
    #[arg(long, value_name = "N", value_parser = id)]
    pub schedule: Option<u64>,
}

/// How a tool says what it found.
#[derive(Debug, Clone, Copy, Args)]
pub struct Output {
    /// Print one JSON document, and nothing else.
    #[arg(long, global = true, display_order = 101)]
    pub json: bool,
}

/// `reprise log …`
#[derive(Debug, Args)]
pub struct Log {
    #[command(flatten)]
    pub output: Output,
    #[command(subcommand)]
    pub command: LogCommand,
}

#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Prove the log: its chain, that nothing is missing, that every event is known, and that each keeps the rules.
    Verify {
        /// A record noted earlier, which must still be there: its position and hash, as `log stat` prints them.
        #[arg(long, value_name = "POSITION:HASH")]
        expect: Option<Expected>,
    },
    /// Count events by type.
    Stat,
    /// Print the last records, a line each; on a terminal, as much of each as there is room for.
    Tail(Tail),
    /// Write all records to a new file, one line of JSON each, to the byte, and last how many there are and the last one's hash.
    Export {
        /// The file to make; `-` writes to standard output.
        file: PathBuf,
        #[command(flatten)]
        part: Part,
    },
    /// Copy a log to another place, position by position and hash by hash, and read it back. Stopped, it goes on where it was.
    /// The server's key is not copied: copy its file yourself.
    Copy {
        /// The log to copy; it may be served meanwhile, and what comes later is for another copy.
        #[arg(long, value_name = "sqlite:FOLDER|URL", value_parser = SecretValue::<LogPlace>::default())]
        from: LogPlace,
        /// Where to: an empty place, or one that holds a beginning of the same log. Nobody may serve it.
        #[arg(long, value_name = "sqlite:FOLDER|URL", value_parser = SecretValue::<LogPlace>::default())]
        to: LogPlace,
        #[command(flatten)]
        part: Part,
    },
    /// Make a log of many events by the program's own commands, in a folder that has none. Its key is made of the seed
    /// too, and so no secret.
    Make(MakeLog),
    /// Read the log of a folder that no server holds, and tell how fast it is read, proved, decoded and folded.
    Replay,
    /// Make the log of a folder that has none from an exported file. The server's key is not in it: copy
    /// `server.key` yourself.
    Import {
        /// A file that `reprise log export` made; `-` reads standard input.
        file: PathBuf,
        /// The last record that it must have: its position and hash, as `log export` printed them. A file without an end, which
        /// earlier versions made, is imported only so.
        #[arg(long, value_name = "POSITION:HASH")]
        expect: Option<Expected>,
    },
}

/// `reprise log tail`
#[derive(Debug, Clone, Copy, Args)]
pub struct Tail {
    /// How many records.
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub lines: u64,
    /// Only records that name this user.
    #[arg(long, value_name = "N", value_parser = id)]
    pub user: Option<u64>,
    /// Go on with those to come; with --json, one document a line.
    #[arg(long)]
    pub follow: bool,
}

/// `reprise log make`
#[derive(Debug, Args)]
pub struct MakeLog {
    /// How many events; the first two create the log.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    pub events: u64,
    /// The same seed makes the same log, to the last hash.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// End the log's time now and not on a fixed day, so that a server that starts on it finds its holds, tokens and
    /// keys alive. Then each run makes another log.
    #[arg(long)]
    pub ends_now: bool,
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

/// How much of a log leaves it.
#[derive(Debug, Clone, Copy, Args)]
pub struct Part {
    /// Only the records up to this position: what stands behind it may be damaged.
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(u64).range(1..))]
    pub until: Option<u64>,
}

impl Part {
    /// The last position.
    pub fn until(self) -> Option<Position> {
        self.until.map(Position::new)
    }
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
        /// Whose.
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

/// Which moment is looked at.
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
        /// Whose.
        #[arg(long, value_name = "N", value_parser = id)]
        user: u64,
    },
    /// A reservation, however long ago.
    Reservation {
        /// Its number.
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

/// Every id of the log is one of these numbers.
pub(super) fn id(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (1..=domain::MAX_SAFE_INTEGER).contains(number));
    number.ok_or_else(|| domain::NotAnId.to_string())
}
