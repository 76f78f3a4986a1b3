//! What becomes of seats: held, given back, paid, refunded.

use serde::{Deserialize, Serialize};

use super::never_absent;
use super::stored::OldShape;
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

/// Who gave a reservation back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cause {
    /// Its buyer.
    Buyer,
    /// An operator, for the buyer.
    Operator,
    /// The show was called off.
    ScheduleCancelled,
}

/// A hold was given up, its seats are free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldCancelled {
    pub hold: Hold,
    pub cancelled_at: Timestamp,
    pub cause: Cause,
    /// Why, where its buyer did not do it.
    #[serde(deserialize_with = "never_absent")]
    pub reason: Option<String>,
}

/// Only its buyer gave a hold up.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldCancelledV1 {
    hold: Hold,
    cancelled_at: Timestamp,
}

impl OldShape<HoldCancelled> for HoldCancelledV1 {
    fn upcast(self) -> HoldCancelled {
        let Self { hold, cancelled_at } = self;
        HoldCancelled { hold, cancelled_at, cause: Cause::Buyer, reason: None }
    }

    fn of(event: &HoldCancelled) -> Option<Self> {
        let says_all = event.cause == Cause::Buyer && event.reason.is_none();
        says_all.then(|| Self { hold: event.hold.clone(), cancelled_at: event.cancelled_at })
    }
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
    pub cause: Cause,
    /// Why, where its buyer did not do it.
    #[serde(deserialize_with = "never_absent")]
    pub reason: Option<String>,
}

/// Only its buyer took a sale back.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservationRefundedV1 {
    payment_id: PaymentId,
    hold: Hold,
    balance_after: Points,
    refunded_at: Timestamp,
}

impl OldShape<ReservationRefunded> for ReservationRefundedV1 {
    fn upcast(self) -> ReservationRefunded {
        let Self { payment_id, hold, balance_after, refunded_at } = self;
        ReservationRefunded { payment_id, hold, balance_after, refunded_at, cause: Cause::Buyer, reason: None }
    }

    fn of(event: &ReservationRefunded) -> Option<Self> {
        let ReservationRefunded { payment_id, balance_after, refunded_at, .. } = *event;
        let says_all = event.cause == Cause::Buyer && event.reason.is_none();
        says_all.then(|| Self { payment_id, hold: event.hold.clone(), balance_after, refunded_at })
    }
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
