//! Events of the sale: seats are held, given back, paid and refunded.

use serde::{Deserialize, Serialize};

use super::never_absent;
use super::stored::OldShape;
use crate::values::{
    ConcertId, PaymentId, Points, ReservationId, RoomId, SaleTime, ScheduleId, SeatId, Timestamp, TokenId, UserId,
};

/// Seats were held for one user until the hold's deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatsHeld {
    pub hold: Hold,
}

/// A hold was extended: `hold` has the new deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldExtended {
    pub hold: Hold,
    pub extended_at: Timestamp,
}

/// A hold expired, and its seats are free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldExpired {
    pub hold: Hold,
    pub expired_at: Timestamp,
}

/// The cause of a cancellation or refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cause {
    /// The buyer asked for it.
    Buyer,
    /// An operator did it for the buyer.
    Operator,
    /// The show was called off.
    ScheduleCancelled,
}

/// A hold was cancelled, and its seats are free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldCancelled {
    pub hold: Hold,
    pub cancelled_at: Timestamp,
    pub cause: Cause,
    /// The reason, if the buyer did not do it.
    #[serde(deserialize_with = "never_absent")]
    pub reason: Option<String>,
}

/// The shape before anyone but the buyer could cancel a hold.
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

/// A hold was paid: the points are spent, the seats are sold, and the user's slot in the room is free.
/// `finished_token_id` is the token that had the slot.
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

/// A payment was refunded: the price returned to the wallet, and the seats are free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservationRefunded {
    pub payment_id: PaymentId,
    pub hold: Hold,
    pub balance_after: Points,
    pub refunded_at: Timestamp,
    pub cause: Cause,
    /// The reason, if the buyer did not do it.
    #[serde(deserialize_with = "never_absent")]
    pub reason: Option<String>,
}

/// The shape before anyone but the buyer could ask for a refund.
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

/// A hold: the user, the seats, their prices and the deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The reservation's number.
    pub reservation_id: ReservationId,
    /// The user who holds the seats.
    pub user_id: UserId,
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    /// The seats, in the order of the request.
    pub seats: Vec<PricedSeat>,
    /// The sum of the seats' prices.
    pub total_price: Points,
    /// The begin of the hold.
    pub held_at: Timestamp,
    /// The deadline: the hold must be paid before it.
    pub expires_at: SaleTime,
}

impl Hold {
    /// The ids of the seats.
    pub fn seat_ids(&self) -> impl Iterator<Item = SeatId> + '_ {
        self.seats.iter().map(|seat| seat.seat_id)
    }
}

/// A seat in a reservation, with its price at the time of the hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricedSeat {
    pub seat_id: SeatId,
    /// Its price at the time of the hold.
    pub price: Points,
}
