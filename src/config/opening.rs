//! Options of what runs an opening.

use clap::{Args, Subcommand};

use super::ReasonedChange;

/// `reprise opening …`
#[derive(Debug, Subcommand)]
pub enum Opening {
    /// Announce an opening: everyone who joins in the pre-queue takes part in a draw of the places in line.
    Announce {
        /// When the pre-queue begins (RFC 3339). From then on everyone may join, and nobody is admitted.
        #[arg(long, value_name = "TIME")]
        prequeue_from: String,
        /// When the sale opens (RFC 3339): the pre-queue closes, and the places are drawn. At least one minute from
        /// now.
        #[arg(long, value_name = "TIME")]
        opens_at: String,
        #[command(flatten)]
        beacon: Beacon,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Move an announced opening to a later time, before its pre-queue closes. An opening with a beacon needs a new
    /// beacon.
    Move {
        /// The new time when the sale opens (RFC 3339).
        #[arg(long, value_name = "TIME")]
        opens_at: String,
        #[command(flatten)]
        beacon: Beacon,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Withdraw an announced opening, before its pre-queue begins.
    Withdraw {
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Enter the beacon's value after it has appeared. The draw waits for it.
    Beacon {
        /// The value: 64 hexadecimal digits.
        #[arg(value_name = "VALUE")]
        value: String,
        #[command(flatten)]
        change: ReasonedChange,
    },
}

/// What the draw waits for.
#[derive(Debug, Args)]
pub struct Beacon {
    /// The source of the beacon, a public value that nobody knows yet: a round of drand, the numbers of a lottery.
    #[arg(long, value_name = "TEXT", requires = "beacon_at")]
    pub beacon_source: Option<String>,
    /// When the beacon appears (RFC 3339). It must be later than the opening.
    #[arg(long, value_name = "TIME", requires = "beacon_source")]
    pub beacon_at: Option<String>,
}
