//! Why a command is refused. A rejection is an answer, not an error: nothing happens, and the asker learns why.

use crate::values::{ConcertId, Points, ReservationId, ReservationStatus, ScheduleId, SeatId, Timestamp, UserId};

/// A rule of the business that a command would break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// Nobody knows this token.
    TokenUnknown,
    /// The token's deadline is over.
    TokenExpired,
    /// Only who is in the room may do this.
    NotAdmitted { queue_number: Option<u64>, serving_number: u64, ahead: Option<u64> },
    /// It belongs to another user.
    NotYours,
    /// There is no such concert.
    ConcertNotFound { concert_id: ConcertId },
    /// The concert has no such schedule.
    ScheduleNotFound { schedule_id: ScheduleId },
    /// The schedule has no such seat.
    SeatNotFound { seat_id: SeatId },
    /// There is no such reservation, or it was closed more than 24 hours ago.
    ReservationNotFound { reservation_id: ReservationId },
    /// These of the seats are held or sold.
    SeatTaken { seat_ids: Vec<SeatId> },
    /// The schedule has no zone of this name.
    ZoneNotFound { zone: String },
    /// No zone that was asked for has that many free seats.
    NoSeatsLeft,
    /// That many free seats are nowhere next to each other; so many are.
    NotTogether { largest_block: usize },
    /// The user would hold or own more than `limit` seats of the schedule.
    SeatLimitReached { limit: usize },
    /// The balance does not cover the price.
    InsufficientPoints { balance: Points, required: Points },
    /// The amount is not the reservation's price.
    AmountMismatch { required: Points },
    /// The balance would pass `limit`.
    BalanceLimitReached { limit: Points },
    /// It was cancelled or refunded.
    ReservationNotPayable { status: ReservationStatus },
    /// The sale is paused: nothing new is held.
    SalePaused { reason: String, resumes_at: Option<Timestamp> },
    /// A member of the request contradicts what is so.
    Invalid { field: &'static str, message: String },
    /// It is no hold, or none any more: it was paid for.
    ReservationNotHeld,
    /// Nobody has seen this user.
    UserNotFound { user_id: UserId },
    /// The show is off.
    ScheduleCancelled { schedule_id: ScheduleId },
    /// The show started more than 30 days ago.
    ScheduleOver { schedule_id: ScheduleId },
    /// Users of this log are named in another way: they are mapped subjects, or they are not.
    OtherIdentity,
    /// The schedule is not sold at this time, or a sale can no longer be taken back.
    NotOnSale { opens_at: Timestamp, closes_at: Timestamp },
    /// The hold's deadline is over.
    HoldExpired,
    /// An opening is announced already.
    OpeningExists,
    /// There is no opening, or none that waits for this.
    OpeningNotFound,
    /// The opening has come too far for this.
    OpeningBegun,
    /// The beacon's value does not appear before `at`.
    BeaconNotDue { at: Timestamp },
    /// The beacon's value is another one.
    BeaconKnown,
    /// The seed is not the one that was committed to.
    SeedNotCommitted,
    /// The hold cannot be made longer: it was once, or is none any more, or may be from this time on.
    NotExtendable { extendable_from: Option<Timestamp> },
    /// The line is full.
    RoomFull,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// What the operator publishes contradicts what is published, or breaks a limit.
    CatalogueConflict { reason: String },
}
