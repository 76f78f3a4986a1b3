//! What becomes of seats: held, given back, paid, refunded.

use serde::{Deserialize, Serialize};

use super::never_absent;
use crate::values::{
    ConcertId, PaymentId, Points, ReservationId, RoomId, SaleTime, ScheduleId, SeatId, Timestamp, TokenId, UserId,
};

/// Seats were taken off sale for one user, until the hold's deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatsHeld {
    pub hold: Hold,
}

/// A hold was made longer, once: `hold` has the new deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldExtended {
    pub hold: Hold,
    pub extended_at: Timestamp,
}

/// A hold's deadline was over, its seats are free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldExpired {
    pub hold: Hold,
    pub expired_at: Timestamp,
}

/// A hold was given up, its seats are free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldCancelled {
    pub hold: Hold,
    pub cancelled_at: Timestamp,
}

/// Points were spent, the seats sold and the room's slot given on, at once. `finished_token_id` is the token whose
/// slot that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservationPaid {
    pub payment_id: PaymentId,
    pub hold: Hold,
    pub balance_after: Points,
    pub room_id: RoomId,
    #[serde(deserialize_with = "never_absent")]
    pub finished_token_id: Option<TokenId>,
    pub paid_at: Timestamp,
}

/// A sale was taken back: the price returned to the wallet, the seats are free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservationRefunded {
    pub payment_id: PaymentId,
    pub hold: Hold,
    pub balance_after: Points,
    pub refunded_at: Timestamp,
}

/// A reservation as it was made: whose, which seats, at what price and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The reservation's number, which people see.
    pub reservation_id: ReservationId,
    /// Whose it is.
    pub user_id: UserId,
    /// The concert.
    pub concert_id: ConcertId,
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// Its seats, in the order in which they were asked for.
    pub seats: Vec<PricedSeat>,
    /// What they cost together.
    pub total_price: Points,
    /// When it began.
    pub held_at: Timestamp,
    /// Its deadline: it must be paid before.
    pub expires_at: SaleTime,
}

impl Hold {
    /// Its seats' ids.
    pub fn seat_ids(&self) -> impl Iterator<Item = SeatId> + '_ {
        self.seats.iter().map(|seat| seat.seat_id)
    }
}

/// A seat in a reservation, with the price that was agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricedSeat {
    /// The seat.
    pub seat_id: SeatId,
    /// Its price at the time of the hold.
    pub price: Points,
}
