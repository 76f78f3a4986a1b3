//! Rejections: the reasons why a command is refused. A rejection is an answer, not an error: nothing happens, and the
//! client learns why.

use crate::values::{ConcertId, Points, ReservationId, ReservationStatus, ScheduleId, SeatId, Timestamp, UserId};

/// A rule of the business that a command would break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The token was never issued, or is forgotten.
    TokenUnknown,
    /// The token's deadline is over.
    TokenExpired,
    /// Only a user inside the room may do this.
    NotAdmitted { queue_number: Option<u64>, serving_number: u64, ahead: Option<u64> },
    /// The thing belongs to another user.
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
    /// No block of neighbours is large enough. The largest one has `largest_block` seats.
    NotTogether { largest_block: usize },
    /// The user would hold or own more than `limit` seats of the schedule.
    SeatLimitReached { limit: usize },
    /// The balance does not cover the price.
    InsufficientPoints { balance: Points, required: Points },
    /// The amount is not the reservation's price.
    AmountMismatch { required: Points },
    /// The balance would pass `limit`.
    BalanceLimitReached { limit: Points },
    /// The reservation was cancelled or refunded.
    ReservationNotPayable { status: ReservationStatus },
    /// The sale is paused: nothing new is held.
    SalePaused { reason: String, resumes_at: Option<Timestamp> },
    /// A member of the request contradicts the state.
    Invalid { field: &'static str, message: String },
    /// The reservation is not a hold any more: it was paid.
    ReservationNotHeld,
    /// The user is not known.
    UserNotFound { user_id: UserId },
    /// The schedule was called off.
    ScheduleCancelled { schedule_id: ScheduleId },
    /// The schedule started more than 30 days ago.
    ScheduleOver { schedule_id: ScheduleId },
    /// The log's users have another kind of id: mapped subjects, or ids of their own.
    OtherIdentity,
    /// The schedule is not on sale at this time, or a refund is not possible any more.
    NotOnSale { opens_at: Timestamp, closes_at: Timestamp },
    /// The hold's deadline is over.
    HoldExpired,
    /// An opening is announced already.
    OpeningExists,
    /// No opening is announced, or none waits for this.
    OpeningNotFound,
    /// The opening has begun: it is too late for this.
    OpeningBegun,
    /// The beacon's value does not appear before `at`.
    BeaconNotDue { at: Timestamp },
    /// Another value of the beacon is known.
    BeaconKnown,
    /// The seed does not fit the commitment.
    SeedNotCommitted,
    /// The hold cannot be extended: it was extended already, it is not a hold any more, or it is too early before
    /// `extendable_from`.
    NotExtendable { extendable_from: Option<Timestamp> },
    /// The line is full.
    RoomFull,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The catalogue contradicts what is published, or breaks a limit.
    CatalogueConflict { reason: String },
}
