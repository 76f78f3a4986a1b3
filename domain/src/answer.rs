//! The answers of commands. An answer is made from the command's last event, so that a repeated request gets the first
//! answer from the log.

use crate::event::{
    Event, Hold, HoldCancelled, HoldExtended, PointsCharged, PointsEvent, ReservationPaid, ReservationRefunded,
    RoomEvent, RoomLeft, SaleEvent, SeatsHeld, TokenArrived, TokenIssued, UsersEvent,
};
use crate::limits::FINISHED_SECONDS;
use crate::state::reservations::{Payment, Reservation};
use crate::state::room::{Token, TokenStatus};
use crate::values::{Points, ReservationStatus, Timestamp, UserId};

/// The answer to a command that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The user's token.
    Token(Token),
    /// The charge of a wallet.
    Charge(Charge),
    /// The reservation after the command.
    Reservation(Reservation),
    /// The payment.
    Payment(Payment),
    /// The user's id.
    User(UserId),
    /// Nothing more: for commands of operators and of the server itself.
    Done,
}

/// A charge: points that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The owner of the wallet.
    pub user_id: UserId,
    /// The charged amount.
    pub amount: Points,
    /// The balance after the charge.
    pub balance_after: Points,
    /// The time of the charge.
    pub charged_at: Timestamp,
}

impl Event {
    /// Makes the answer of the command whose last event this is.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Room(event) => event.answer(),
            Self::Opening(_) => Answer::Done,
            Self::Users(UsersEvent::UserRegistered(registered)) => Answer::User(registered.user_id),
            Self::Points(event) => event.answer(),
            Self::Sale(event) => event.answer(),
            Self::Log(_) | Self::Catalogue(_) => Answer::Done,
        }
    }
}

impl RoomEvent {
    fn answer(&self) -> Answer {
        match self {
            Self::TokenIssued(issued) => Answer::Token(issued.token()),
            Self::RoomLeft(left) => Answer::Token(left.token()),
            Self::TokenArrived(arrived) => Answer::Token(arrived.token()),
            Self::RoomConfigured(_)
            | Self::TokenAdmitted(_)
            | Self::TokenExpired(_)
            | Self::TokenGranted(_)
            | Self::SalePaused(_)
            | Self::SaleResumed(_) => Answer::Done,
        }
    }
}

impl PointsEvent {
    fn answer(&self) -> Answer {
        match self {
            Self::PointsCharged(PointsCharged { user_id, amount, balance_after, charged_at }) => {
                let (user_id, amount, balance_after, charged_at) = (*user_id, *amount, *balance_after, *charged_at);
                Answer::Charge(Charge { user_id, amount, balance_after, charged_at })
            }
            Self::PointsAdjusted(_) => Answer::Done,
        }
    }
}

impl SaleEvent {
    fn answer(&self) -> Answer {
        let reservation =
            |hold: &Hold, status| Answer::Reservation(Reservation { status, ..Reservation::held(hold.clone()) });
        match self {
            Self::SeatsHeld(SeatsHeld { hold }) => reservation(hold, ReservationStatus::Held),
            Self::HoldExtended(HoldExtended { hold, .. }) => {
                Answer::Reservation(Reservation { is_extended: true, ..Reservation::held(hold.clone()) })
            }
            Self::HoldCancelled(HoldCancelled { hold, .. }) => reservation(hold, ReservationStatus::Cancelled),
            Self::ReservationRefunded(ReservationRefunded { hold, .. }) => {
                reservation(hold, ReservationStatus::Refunded)
            }
            Self::ReservationPaid(ReservationPaid { payment_id, hold, balance_after, paid_at, .. }) => {
                Answer::Payment(Payment::of(*payment_id, hold, *balance_after, *paid_at))
            }
            Self::HoldExpired(_) => Answer::Done,
        }
    }
}

impl TokenIssued {
    /// The token as it is right after this event.
    pub(crate) fn token(&self) -> Token {
        Token {
            token_id: self.token_id,
            user_id: self.user_id,
            seed: Some(self.seed),
            status: if self.admitted { TokenStatus::Active } else { TokenStatus::Waiting },
            queue_number: self.queue_number,
            issued_at: self.issued_at,
            expires_at: self.expires_at.millis(),
        }
    }
}

impl TokenArrived {
    /// The token as it is right after this event.
    fn token(&self) -> Token {
        Token {
            token_id: self.token_id,
            user_id: self.user_id,
            seed: Some(self.seed),
            status: TokenStatus::Active,
            queue_number: self.queue_number,
            issued_at: self.issued_at,
            expires_at: self.expires_at.millis(),
        }
    }
}

impl RoomLeft {
    /// The token as it is right after this event.
    fn token(&self) -> Token {
        Token {
            token_id: self.token_id,
            user_id: self.user_id,
            seed: self.seed,
            status: TokenStatus::Finished,
            queue_number: self.queue_number,
            issued_at: self.issued_at,
            expires_at: self.left_at.plus_seconds(FINISHED_SECONDS).millis(),
        }
    }
}
