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
    /// Copy a log to another place, position by position and hash by hash, and read it back. After a stop it continues where it was.
    /// The server's key is not copied: copy its file yourself.
    Copy {
        /// The log to copy; it may be served meanwhile; later records need another copy.
        #[arg(long, value_name = "sqlite:FOLDER|URL", value_parser = SecretValue::<LogPlace>::default())]
        from: LogPlace,
        /// The copy: an empty place, or one that holds the first records of the same log. No server may use it meanwhile.
        #[arg(long, value_name = "sqlite:FOLDER|URL", value_parser = SecretValue::<LogPlace>::default())]
        to: LogPlace,
        #[command(flatten)]
        part: Part,
    },
    /// Make a log of many events by the program's own commands, in a folder that has none. Its key is made from
    /// the seed, so it is not secret.
    Make(MakeLog),
    /// Read the log of a folder that no server holds, and tell how fast it is read, proved, decoded and folded.
    Replay,
    /// Make the log of a folder that has none from an exported file. The server's key is not in it: copy
    /// `server.key` yourself.
    Import {
        /// A file that `reprise log export` made; `-` reads standard input.
        file: PathBuf,
        /// The last record that it must have: its position and hash, as `log export` printed them. A file of an earlier
        /// version, which does not say its own end, is imported only with this option.
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
    /// Wait for new records and print them too; with --json, one document a line.
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
