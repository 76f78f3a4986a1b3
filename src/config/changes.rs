//! What an operator changes while people buy: shows, reservations and users. Each works beside a running server or without one.

use clap::{Args, Subcommand};
use domain::limits::{MAX_ADJUSTMENT, MAX_CHARGE};

use super::id::id;
use super::{Output, ReasonedChange};

/// `reprise schedule …`
#[derive(Debug, Subcommand)]
pub enum Schedule {
    /// Change when the sale opens or closes.
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
    /// Move the show to another time.
    Move {
        #[command(flatten)]
        schedule: ScheduleId,
        /// When the show starts (RFC 3339).
        #[arg(long, value_name = "TIME")]
        starts: String,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Change the price of the free seats of a zone. Held and sold seats keep their price.
    Price {
        #[command(flatten)]
        schedule: ScheduleId,
        /// The zone's name.
        #[arg(long, value_name = "NAME")]
        zone: String,
        /// The new price of a seat, in points.
        #[arg(long, value_name = "N")]
        price: u64,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Call the show off: no more seats are sold, every hold is cancelled, and every payment is refunded.
    Cancel {
        #[command(flatten)]
        schedule: ScheduleId,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Show a schedule's times and prices. For a show that was called off: also the holds and payments that are still
    /// open.
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
    /// Cancel a hold or refund a payment for its buyer, until 30 days after the show.
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
    /// Correct a wallet: add points or remove points. The balance never falls below zero.
    Adjust {
        #[command(flatten)]
        user: UserId,
        /// The points to add. A negative number removes points.
        #[arg(
            long,
            value_name = "N",
            allow_negative_numbers = true,
            value_parser = clap::value_parser!(i64).range(-MAX_ADJUSTMENT..=MAX_ADJUSTMENT)
        )]
        amount: i64,
        /// The position of the movement that was wrong, as `reprise audit points` prints it.
        #[arg(long, value_name = "POSITION", value_parser = id)]
        corrects: Option<u64>,
        #[command(flatten)]
        change: ReasonedChange,
    },
    /// Charge a wallet: add points that were paid for.
    Charge {
        #[command(flatten)]
        user: UserId,
        /// The amount, in points.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_CHARGE.get()))]
        amount: u64,
        /// A key for this charge. The charge is made only once, even if the command is run again with the same key.
        /// Without this option a new key is made.
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
    /// Find a user by their subject (`sub`) at the identity provider.
    Find {
        /// The value of `sub` in their JWT.
        #[arg(long, value_name = "SUB")]
        sub: String,
        #[command(flatten)]
        output: Output,
    },
}
