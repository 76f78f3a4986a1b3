//! What events do to wallets, as whoever follows points reads it.

use super::{Event, Hold, PointsAdjusted, PointsCharged, PointsEvent, ReservationPaid, ReservationRefunded, SaleEvent};
use crate::values::{PaymentId, Points, Timestamp, UserId};

/// A movement of a user's points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointsMoved<'a> {
    /// `CHARGE`, `ADJUSTMENT`, `PAYMENT` or `REFUND`.
    pub kind: &'static str,
    /// Whose points they are.
    pub user_id: UserId,
    /// What came in; negative for what went out.
    pub amount: i128,
    /// What the wallet holds since.
    pub balance_after: Points,
    /// When.
    pub at: Timestamp,
    /// What was paid or refunded, and by which payment.
    pub paid: Option<(&'a Hold, PaymentId)>,
    /// Why, where an operator did it.
    pub reason: Option<&'a str>,
}

impl Event {
    /// The movement of points that it tells of, if any.
    pub fn points_moved(&self) -> Option<PointsMoved<'_>> {
        let price = |hold: &Hold| i128::from(hold.total_price.get());
        match self {
            Self::Points(PointsEvent::PointsCharged(PointsCharged { user_id, amount, balance_after, charged_at })) => {
                let (user_id, amount, at) = (*user_id, i128::from(amount.get()), *charged_at);
                let balance_after = *balance_after;
                Some(PointsMoved { kind: "CHARGE", user_id, amount, balance_after, at, paid: None, reason: None })
            }
            Self::Points(PointsEvent::PointsAdjusted(PointsAdjusted {
                user_id,
                amount,
                balance_after,
                reason,
                adjusted_at,
                ..
            })) => {
                let (user_id, amount, at) = (*user_id, i128::from(*amount), *adjusted_at);
                let (balance_after, reason) = (*balance_after, Some(reason.as_str()));
                Some(PointsMoved { kind: "ADJUSTMENT", user_id, amount, balance_after, at, paid: None, reason })
            }
            Self::Sale(SaleEvent::ReservationPaid(ReservationPaid {
                payment_id,
                hold,
                balance_after,
                paid_at,
                ..
            })) => {
                let (amount, paid, at) = (-price(hold), Some((hold, *payment_id)), *paid_at);
                let (user_id, balance_after) = (hold.user_id, *balance_after);
                Some(PointsMoved { kind: "PAYMENT", user_id, amount, balance_after, at, paid, reason: None })
            }
            Self::Sale(SaleEvent::ReservationRefunded(ReservationRefunded {
                payment_id,
                hold,
                balance_after,
                refunded_at,
                reason,
                ..
            })) => {
                let (amount, paid, at) = (price(hold), Some((hold, *payment_id)), *refunded_at);
                let (user_id, balance_after, reason) = (hold.user_id, *balance_after, reason.as_deref());
                Some(PointsMoved { kind: "REFUND", user_id, amount, balance_after, at, paid, reason })
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
