//! What a command's answer tells: read off its last event, so that a repeated request gets the first answer from the log.

use serde::{Deserialize, Serialize};

use crate::event::{Event, Hold};
use crate::limits::FINISHED_SECONDS;
use crate::state::reservations::{Reservation, ReservationStatus};
use crate::state::room::{Token, TokenStatus};
use crate::values::{PaymentId, Points, ReservationId, Timestamp, UserId};

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The user's token.
    Token(Token),
    /// A wallet grew.
    Charge(Charge),
    /// A hold, or what became of it.
    Reservation(Reservation),
    /// Seats are paid.
    Payment(Payment),
    /// It is so: what operators and the server itself ask has no more to tell.
    Done,
}

/// Points that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Whose wallet grew.
    pub user_id: UserId,
    /// By how much.
    pub amount: Points,
    /// What it holds since.
    pub balance_after: Points,
    /// When.
    pub charged_at: Timestamp,
}

/// Points spent on a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its number, which people see.
    pub payment_id: PaymentId,
    /// What was paid.
    pub reservation_id: ReservationId,
    /// By whom.
    pub user_id: UserId,
    /// How much.
    pub amount: Points,
    /// What the wallet held right after.
    pub balance_after: Points,
    /// When.
    pub paid_at: Timestamp,
}

impl Payment {
    /// The payment for all that was held.
    pub(crate) fn of(payment_id: PaymentId, hold: &Hold, balance_after: Points, paid_at: Timestamp) -> Self {
        let (reservation_id, user_id, amount) = (hold.reservation_id, hold.user_id, hold.total_price);
        Self { payment_id, reservation_id, user_id, amount, balance_after, paid_at }
    }
}

impl Event {
    /// What the command that ended with this event answers.
    pub fn answer(&self) -> Answer {
        if let Some(token) = self.token() {
            return Answer::Token(token);
        }
        if let Some(reservation) = self.reservation() {
            return Answer::Reservation(reservation);
        }
        if let Self::ReservationPaid { payment_id, hold, balance_after, paid_at, .. } = self {
            return Answer::Payment(Payment::of(*payment_id, hold, *balance_after, *paid_at));
        }
        if let Self::PointsCharged { user_id, amount, balance_after, charged_at } = self {
            let (user_id, amount, balance_after, charged_at) = (*user_id, *amount, *balance_after, *charged_at);
            return Answer::Charge(Charge { user_id, amount, balance_after, charged_at });
        }
        Answer::Done
    }

    /// The token as it is right after this event, where the event tells all of it.
    fn token(&self) -> Option<Token> {
        if let Self::TokenIssued { token_id, user_id, seed, queue_number, admitted, issued_at, expires_at, .. } = self {
            return Some(Token {
                token_id: *token_id,
                user_id: *user_id,
                seed: Some(*seed),
                status: if *admitted { TokenStatus::Active } else { TokenStatus::Waiting },
                queue_number: *queue_number,
                issued_at: *issued_at,
                expires_at: *expires_at,
            });
        }
        if let Self::RoomLeft { token_id, user_id, seed, queue_number, issued_at, left_at, .. } = self {
            return Some(Token {
                token_id: *token_id,
                user_id: *user_id,
                seed: *seed,
                status: TokenStatus::Finished,
                queue_number: *queue_number,
                issued_at: *issued_at,
                expires_at: left_at.plus_seconds(FINISHED_SECONDS),
            });
        }
        None
    }

    /// The reservation as it is right after this event, where the event is what it answers.
    fn reservation(&self) -> Option<Reservation> {
        if let Self::SeatsHeld { hold } = self {
            return Some(Reservation { hold: hold.clone(), status: ReservationStatus::Held });
        }
        if let Self::HoldCancelled { hold, .. } = self {
            return Some(Reservation { hold: hold.clone(), status: ReservationStatus::Cancelled });
        }
        if let Self::ReservationRefunded { hold, .. } = self {
            return Some(Reservation { hold: hold.clone(), status: ReservationStatus::Refunded });
        }
        None
    }
}
