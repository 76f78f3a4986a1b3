//! Makers of events of the sale.

use super::cast::{ROOM, SALE_T0, payment_id, reservation_id, seat_id};
use crate::event::{
    Cause, Event, Hold, HoldCancelled, HoldExpired, HoldExtended, PricedSeat, ReservationPaid, ReservationRefunded,
    SeatsHeld,
};
use crate::limits::{EXTENSION_SECONDS, HOLD_SECONDS};
use crate::spec::{CONCERT, PRICE, SCHEDULE, T0};
use crate::values::{Points, UserId};

fn hold<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Hold {
    let price = Points::new(PRICE);
    Hold {
        reservation_id: reservation_id(number),
        user_id,
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        seats: seats.map(|seat| PricedSeat { seat_id: seat_id(seat), price }).to_vec(),
        total_price: Points::new(PRICE * N as u64),
        held_at: T0,
        expires_at: SALE_T0.plus_seconds(HOLD_SECONDS),
    }
}

/// Reservation `number` holds seats.
pub fn held<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Event {
    Event::from(SeatsHeld { hold: hold(number, user_id, seats) })
}

/// Reservation `number` lasts longer.
pub fn extended<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Event {
    let begun = hold(number, user_id, seats);
    let expires_at = begun.expires_at.plus_seconds(EXTENSION_SECONDS);
    Event::from(HoldExtended { hold: Hold { expires_at, ..begun }, extended_at: T0 })
}

/// Reservation `number` is over.
pub fn hold_expired<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Event {
    Event::from(HoldExpired { hold: hold(number, user_id, seats), expired_at: T0 })
}

/// Reservation `number` is given up.
pub fn cancelled<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Event {
    Event::from(HoldCancelled {
        hold: hold(number, user_id, seats),
        cancelled_at: T0,
        cause: Cause::Buyer,
        reason: None,
    })
}

/// Payment `payment` pays reservation `number`; no token is finished by it.
pub fn paid<const N: usize>(payment: u64, number: u64, user_id: UserId, seats: [u64; N], balance_after: u64) -> Event {
    Event::from(ReservationPaid {
        payment_id: payment_id(payment),
        hold: hold(number, user_id, seats),
        balance_after: Points::new(balance_after),
        room_id: ROOM,
        finished_token_id: None,
        paid_at: T0,
    })
}

/// Payment `payment` of reservation `number` is taken back.
pub fn refunded<const N: usize>(
    payment: u64,
    number: u64,
    user_id: UserId,
    seats: [u64; N],
    balance_after: u64,
) -> Event {
    Event::from(ReservationRefunded {
        payment_id: payment_id(payment),
        hold: hold(number, user_id, seats),
        balance_after: Points::new(balance_after),
        refunded_at: T0,
        cause: Cause::Buyer,
        reason: None,
    })
}
