//! The JSON of tokens, charges, reservations and payments. Members may be added, never renamed.

mod token;

use domain::{
    Charge, ConcertId, Hash, Payment, PaymentId, Points, Position, PricedSeat, Reservation, ReservationId,
    ReservationStatus, SaleTime, ScheduleId, SeatId, Timestamp, UserId,
};
use projections::sql::point_history::Movement;
use projections::{ReadModels, rfc3339, serialize_rfc3339};
use serde::Serialize;

pub use token::{TokenShown, WatchedTokenShown};

/// The balance of a wallet.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BalanceShown {
    /// The owner of the wallet.
    pub user_id: UserId,
    /// The balance in points.
    pub balance: Points,
}

/// A charge.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargeShown {
    user_id: UserId,
    charged_amount: Points,
    current_balance: Points,
    #[serde(serialize_with = "serialize_rfc3339")]
    charged_at: Timestamp,
}

impl From<Charge> for ChargeShown {
    fn from(charge: Charge) -> Self {
        Self {
            user_id: charge.user_id,
            charged_amount: charge.amount,
            current_balance: charge.balance_after,
            charged_at: charge.charged_at,
        }
    }
}

/// A payment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentShown {
    payment_id: PaymentId,
    reservation_id: ReservationId,
    user_id: UserId,
    payment_amount: Points,
    #[serde(serialize_with = "serialize_rfc3339")]
    payment_time: Timestamp,
    current_balance: Points,
}

impl From<Payment> for PaymentShown {
    fn from(payment: Payment) -> Self {
        Self {
            payment_id: payment.payment_id,
            reservation_id: payment.reservation_id,
            user_id: payment.user_id,
            payment_amount: payment.amount,
            payment_time: payment.paid_at,
            current_balance: payment.balance_after,
        }
    }
}

/// A movement of points. `amount` is negative for points that went out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MovementShown {
    position: Position,
    kind: String,
    amount: i64,
    balance_after: Points,
    #[serde(serialize_with = "serialize_rfc3339")]
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_id: Option<ReservationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<PaymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    hash: Hash,
}

impl From<Movement> for MovementShown {
    fn from(movement: Movement) -> Self {
        Self {
            position: movement.position,
            kind: movement.kind,
            amount: movement.amount,
            balance_after: movement.balance_after,
            at: movement.at,
            reservation_id: movement.reservation_id,
            payment_id: movement.payment_id,
            reason: movement.reason,
            hash: movement.hash,
        }
    }
}

/// A reservation. `seatId`, `seatName` and `price` are those of its first seat, for clients that hold one seat.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationShown<'a> {
    reservation_id: ReservationId,
    user_id: UserId,
    concert_id: ConcertId,
    schedule_id: ScheduleId,
    seat_id: SeatId,
    seat_name: &'a str,
    price: Points,
    seats: Vec<SeatShown<'a>>,
    total_price: Points,
    reservation_status: &'static str,
    #[serde(serialize_with = "serialize_rfc3339")]
    reservation_time: Timestamp,
    /// The deadline, only for a hold.
    #[serde(flatten)]
    deadline: Option<DeadlineShown>,
    /// True if the hold can be extended now.
    extendable: bool,
    /// Only in the answer to a hold by quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_to_each_other: Option<bool>,
}

/// A deadline, as a time and in seconds, since clients' clocks may be wrong.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeadlineShown {
    /// Null while the sale is paused, since the clock's time of the deadline is not known.
    expires_at: Option<String>,
    expires_in_seconds: u64,
}

/// A seat of a reservation, with its price at the time of the hold.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SeatShown<'a> {
    seat_id: SeatId,
    seat_name: &'a str,
    zone_name: &'a str,
    price: Points,
}

impl<'a> ReservationShown<'a> {
    /// Shows `reservation` with this `status`, and with its seats' names from the catalogue. `None` if the catalogue
    /// does not have the seats; this cannot happen, since a published schedule's seats never change.
    pub fn of(
        reservation: &Reservation,
        status: ReservationStatus,
        read_models: &'a ReadModels,
        now: Timestamp,
    ) -> Option<Self> {
        let hold = &reservation.hold;
        let shown = |seat: &PricedSeat| {
            let named = read_models.seat(hold.schedule_id, seat.seat_id)?;
            Some(SeatShown { seat_id: seat.seat_id, seat_name: &named.name, zone_name: &named.zone, price: seat.price })
        };
        let seats: Vec<SeatShown<'a>> = hold.seats.iter().map(shown).collect::<Option<_>>()?;
        let first = seats.first()?;
        let deadline = (status == ReservationStatus::Held).then(|| {
            let (expires_at, expires_in_seconds) = deadline_shown(hold.expires_at, read_models, now);
            DeadlineShown { expires_at, expires_in_seconds }
        });
        Some(Self {
            reservation_id: hold.reservation_id,
            user_id: hold.user_id,
            concert_id: hold.concert_id,
            schedule_id: hold.schedule_id,
            seat_id: first.seat_id,
            seat_name: first.seat_name,
            price: first.price,
            seats,
            total_price: hold.total_price,
            reservation_status: reservation_status(status),
            reservation_time: hold.held_at,
            deadline,
            extendable: status == ReservationStatus::Held
                && reservation.is_extendable(read_models.state.room.sale_time(now)),
            next_to_each_other: None,
        })
    }

    /// Adds `nextToEachOther`.
    pub fn telling_whether_together(self, read_models: &ReadModels) -> Self {
        let list = read_models.seats_of(self.schedule_id);
        let next_to_each_other = list.map(|list| list.are_together(self.seats.iter().map(|seat| seat.seat_id)));
        Self { next_to_each_other, ..self }
    }
}

/// A deadline as the clock's time and as the seconds until then. During a pause the seconds stand still, and the
/// clock's time is `None`, since it is not known.
fn deadline_shown(deadline: SaleTime, read_models: &ReadModels, now: Timestamp) -> (Option<String>, u64) {
    let clock = read_models.state.room.sale_clock();
    let expires_at = clock.pause(now).is_none().then(|| rfc3339(clock.clock_of(deadline, now)));
    (expires_at, clock.at(now).seconds_until(deadline))
}

/// A reservation's status as clients read it.
pub fn reservation_status(status: ReservationStatus) -> &'static str {
    match status {
        ReservationStatus::Held => "HELD",
        ReservationStatus::Paid => "PAID",
        ReservationStatus::Cancelled => "CANCELLED",
        ReservationStatus::Expired => "EXPIRED",
        ReservationStatus::Refunded => "REFUNDED",
    }
}
