//! Options of `reprise log …`: a log is proved, counted, watched, copied, and brought back.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::Position;

use super::Expected;
use super::id::id;
use super::output::Output;
use crate::log::LogPlace;
use crate::secret_value::SecretValue;

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
    /// Prove the log: each record fits its hash, no record is missing, and every event is known and keeps the rules.
    Verify {
        /// A record that was noted earlier and must still be in the log: its position and hash, as `reprise log stat`
        /// prints them.
        #[arg(long, value_name = "POSITION:HASH")]
        expect: Option<Expected>,
    },
    /// Count events by type.
    Stat,
    /// Print the last records, one a line. On a terminal, each line is cut to the terminal's width.
    Tail(Tail),
    /// Write all records to a new file, one line of JSON each, exactly as they are stored. The last line has the number
    /// of records and the last hash.
    Export {
        /// The file to make; `-` writes to standard output.
        file: PathBuf,
        #[command(flatten)]
        part: Part,
    },
    /// Copy a log to another place, with the same positions and hashes, and verify the copy. After a stop the same
    /// command continues. The server's key is not copied: copy its file yourself.
    Copy {
        /// The log to copy. A server may use it meanwhile; for records that it writes later, run the command again.
        #[arg(long, value_name = "sqlite:FOLDER|URL", value_parser = SecretValue::<LogPlace>::default())]
        from: LogPlace,
        /// The copy: an empty place, or one that holds the first records of the same log. No server may use it meanwhile.
        #[arg(long, value_name = "sqlite:FOLDER|URL", value_parser = SecretValue::<LogPlace>::default())]
        to: LogPlace,
        #[command(flatten)]
        part: Part,
    },
    /// Make a log of many events for measurements, in a folder that has no log. Its key is made from the seed, so it is
    /// not secret.
    Make(MakeLog),
    /// Measure how fast a log is read, proved, decoded and folded. No server may use its folder meanwhile.
    Replay,
    /// Make a log from an exported file, in a folder that has no log. The server's key is not in the file: copy
    /// `server.key` yourself.
    Import {
        /// A file that `reprise log export` made; `-` reads standard input.
        file: PathBuf,
        /// The last record that the file must have: its position and hash, as `reprise log export` printed them. A file
        /// of an earlier version has no line for its end, and is imported only with this option.
        #[arg(long, value_name = "POSITION:HASH")]
        expect: Option<Expected>,
    },
}

/// `reprise log tail`
#[derive(Debug, Clone, Copy, Args)]
pub struct Tail {
    /// The number of records.
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub lines: u64,
    /// Only records that name this user.
    #[arg(long, value_name = "N", value_parser = id)]
    pub user: Option<u64>,
    /// Wait for new records and print them too; with --json, one document a line.
    #[arg(long)]
    pub follow: bool,
}

/// `reprise log make`
#[derive(Debug, Args)]
pub struct MakeLog {
    /// The number of events. The first two create the log.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    pub events: u64,
    /// The same seed makes the same log, to the last hash.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Let the last record be of now, not of a fixed day, so that a server that starts on the log finds holds, tokens
    /// and keys that have not expired. Each run then makes another log.
    #[arg(long)]
    pub ends_now: bool,
}

/// How much of a log leaves it.
#[derive(Debug, Clone, Copy, Args)]
pub struct Part {
    /// Only the records up to this position; later ones may be damaged.
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(u64).range(1..))]
    pub until: Option<u64>,
}

impl Part {
    /// The last position.
    pub fn until(self) -> Option<Position> {
        self.until.map(Position::new)
    }
}
