//! What events do to wallets. The state, the read models, statements and audits all use this.

use super::{Event, Hold, PointsEvent, SaleEvent};
use crate::values::{PaymentId, Points, Timestamp, UserId};

/// The kind of a movement of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovementKind {
    Charge,
    Payment,
    Refund,
    Adjustment,
}

impl MovementKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Charge, Self::Payment, Self::Refund, Self::Adjustment];

    /// The kind's name in tables and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Charge => "CHARGE",
            Self::Payment => "PAYMENT",
            Self::Refund => "REFUND",
            Self::Adjustment => "ADJUSTMENT",
        }
    }
}

/// A movement of a user's points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointsMoved<'a> {
    /// The kind.
    pub kind: MovementKind,
    /// The owner of the wallet.
    pub user_id: UserId,
    /// The points that came in; negative for points that went out.
    pub amount: i128,
    /// The balance after the movement.
    pub balance_after: Points,
    /// The time of the movement.
    pub at: Timestamp,
    /// The hold that was paid or refunded, and its payment.
    pub paid: Option<(&'a Hold, PaymentId)>,
    /// The reason, if an operator did it.
    pub reason: Option<&'a str>,
}

impl Event {
    /// The movements of points in this event, each of another wallet.
    pub fn movements(&self) -> impl Iterator<Item = PointsMoved<'_>> {
        self.movement().into_iter()
    }

    /// True if the event moves points of this user.
    pub fn moves_points_of(&self, user_id: UserId) -> bool {
        self.movements().any(|moved| moved.user_id == user_id)
    }

    fn movement(&self) -> Option<PointsMoved<'_>> {
        match self {
            Self::Points(PointsEvent::PointsCharged(event)) => {
                let amount = event.amount.get().into();
                Some(PointsMoved::new(
                    MovementKind::Charge,
                    event.user_id,
                    amount,
                    event.balance_after,
                    event.charged_at,
                ))
            }
            Self::Points(PointsEvent::PointsAdjusted(event)) => {
                let (amount, reason) = (event.amount.into(), Some(event.reason.as_str()));
                let moved = PointsMoved::new(
                    MovementKind::Adjustment,
                    event.user_id,
                    amount,
                    event.balance_after,
                    event.adjusted_at,
                );
                Some(PointsMoved { reason, ..moved })
            }
            Self::Sale(SaleEvent::ReservationPaid(event)) => {
                let (hold, amount) = (&event.hold, -i128::from(event.hold.total_price.get()));
                let moved =
                    PointsMoved::new(MovementKind::Payment, hold.user_id, amount, event.balance_after, event.paid_at);
                Some(PointsMoved { paid: Some((hold, event.payment_id)), ..moved })
            }
            Self::Sale(SaleEvent::ReservationRefunded(event)) => {
                let (hold, amount) = (&event.hold, event.hold.total_price.get().into());
                let moved = PointsMoved::new(
                    MovementKind::Refund,
                    hold.user_id,
                    amount,
                    event.balance_after,
                    event.refunded_at,
                );
                Some(PointsMoved { paid: Some((hold, event.payment_id)), reason: event.reason.as_deref(), ..moved })
            }
            Self::Sale(
                SaleEvent::SeatsHeld(_)
                | SaleEvent::HoldExtended(_)
                | SaleEvent::HoldExpired(_)
                | SaleEvent::HoldCancelled(_),
            )
            | Self::Log(_)
            | Self::Room(_)
            | Self::Opening(_)
            | Self::Users(_)
            | Self::Catalogue(_) => None,
        }
    }
}

impl PointsMoved<'_> {
    fn new(kind: MovementKind, user_id: UserId, amount: i128, balance_after: Points, at: Timestamp) -> Self {
        Self { kind, user_id, amount, balance_after, at, paid: None, reason: None }
    }
}
