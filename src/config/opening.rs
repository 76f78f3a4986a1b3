//! Options of what runs an opening.

use clap::{Args, Subcommand};

use super::ReasonedChange;

/// `reprise opening …`
#[derive(Debug, Subcommand)]
pub enum Opening {
    /// Announce one: whoever joins in the pre-queue takes part in a draw of the places in line.
    Announce {
        /// From when on nobody is let in, and everyone may join (RFC 3339).
        #[arg(long, value_name = "TIME")]
        prequeue_from: String,
        /// When the list is closed and drawn (RFC 3339): a minute from now at least.
        #[arg(long, value_name = "TIME")]
        opens_at: String,
        #[command(flatten)]
        beacon: Beacon,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Put it off, before its close. One with a beacon needs another beacon.
    Move {
        /// When it opens instead (RFC 3339).
        #[arg(long, value_name = "TIME")]
        opens_at: String,
        #[command(flatten)]
        beacon: Beacon,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Take it back, before its pre-queue begins.
    Withdraw {
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Say what the beacon's value is, once it has appeared: the draw waits for it.
    Beacon {
        /// 64 hexadecimal digits.
        #[arg(value_name = "VALUE")]
        value: String,
        #[command(flatten)]
        change: ReasonedChange,
    },
}

/// A public value that the draw waits for and that nobody knows yet.
#[derive(Debug, Args)]
pub struct Beacon {
    /// Which value it is: a round of drand, the numbers of a lottery.
    #[arg(long, value_name = "TEXT", requires = "beacon_at")]
    pub beacon_source: Option<String>,
    /// When it appears (RFC 3339): later than the opening.
    #[arg(long, value_name = "TIME", requires = "beacon_source")]
    pub beacon_at: Option<String>,
}
