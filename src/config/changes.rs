//! What an operator changes while people buy: shows, reservations and users. Each works beside a running server or without one.

use clap::{Args, Subcommand};
use domain::limits::{MAX_ADJUSTMENT, MAX_CHARGE};

use super::id::id;
use super::{Output, ReasonedChange};

/// `reprise schedule …`
#[derive(Debug, Subcommand)]
pub enum Schedule {
    /// Move the time of sale.
    Window {
        #[command(flatten)]
        schedule: ScheduleId,
        /// When the sale opens (RFC 3339). Without this option it stays as it is.
        #[arg(long, value_name = "TIME", required_unless_present = "closes")]
        opens: Option<String>,
        /// When the sale closes (RFC 3339). Without this option it stays as it is.
        #[arg(long, value_name = "TIME")]
        closes: Option<String>,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Move the show itself.
    Move {
        #[command(flatten)]
        schedule: ScheduleId,
        /// When it starts (RFC 3339).
        #[arg(long, value_name = "TIME")]
        starts: String,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Give the free seats of a zone another price; holds and tickets keep theirs.
    Price {
        #[command(flatten)]
        schedule: ScheduleId,
        /// The zone's name.
        #[arg(long, value_name = "NAME")]
        zone: String,
        /// What a seat costs from now on, in points.
        #[arg(long, value_name = "N")]
        price: u64,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Call the show off: nothing more is sold, every hold is cancelled and every payment refunded, one after another.
    Cancel {
        #[command(flatten)]
        schedule: ScheduleId,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Show a schedule's times and prices, and, of a show that was called off, what is still to be given back.
    Show {
        #[command(flatten)]
        schedule: ScheduleId,
        #[command(flatten)]
        output: Output,
    },
}

/// Which schedule.
#[derive(Debug, Clone, Copy, Args)]
pub struct ScheduleId {
    /// The schedule's number.
    #[arg(value_name = "SCHEDULE", value_parser = id)]
    pub schedule_id: u64,
}

/// `reprise reservation …`
#[derive(Debug, Subcommand)]
pub enum Reservation {
    /// Cancel a hold, or refund a payment, for its buyer; until 30 days after the show.
    Cancel {
        /// The reservation's number.
        #[arg(value_name = "RESERVATION", value_parser = id)]
        reservation_id: u64,
        #[command(flatten)]
        change: ReasonedChange,
    },
}

/// Which user.
#[derive(Debug, Clone, Copy, Args)]
pub struct UserId {
    /// The user's number.
    #[arg(value_name = "USER", value_parser = id)]
    pub user_id: u64,
}

/// `reprise users …`
#[derive(Debug, Subcommand)]
pub enum Users {
    /// Add points to a wallet or take some out, to correct a mistake; never below zero.
    Adjust {
        #[command(flatten)]
        user: UserId,
        /// Points that go in; negative for those that go out.
        #[arg(
            long,
            value_name = "N",
            allow_negative_numbers = true,
            value_parser = clap::value_parser!(i64).range(-MAX_ADJUSTMENT..=MAX_ADJUSTMENT)
        )]
        amount: i64,
        /// The position of the movement that was wrong, as `reprise audit points` tells it.
        #[arg(long, value_name = "POSITION", value_parser = id)]
        corrects: Option<u64>,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Charge a wallet: money came in.
    Charge {
        #[command(flatten)]
        user: UserId,
        /// How much, in points.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_CHARGE.get()))]
        amount: u64,
        /// A name for this charge, so that it is done once, however often the command is run. Without this option a new name
        /// is made.
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// End a user's token. Their holds stay; if they join again, they are last in line.
    Expel {
        #[command(flatten)]
        user: UserId,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Show a user's balance, their token, and the seats that they hold or own.
    Show {
        #[command(flatten)]
        user: UserId,
        #[command(flatten)]
        output: Output,
    },
    /// Find a user by the name that the identity provider has for them (`sub`).
    Find {
        /// The value of `sub` in their JWT.
        #[arg(long, value_name = "SUB")]
        sub: String,
        #[command(flatten)]
        output: Output,
    },
}
