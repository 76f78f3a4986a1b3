//! Adjusting a wallet: an operator corrects a balance.
//!
//! Rejections: [`Rejection::UserNotFound`], [`Rejection::Invalid`] for a position that is not reached,
//! [`Rejection::InsufficientPoints`], [`Rejection::BalanceLimitReached`].

use crate::event::PointsAdjusted;
use crate::limits::MAX_BALANCE;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{Points, Position, Timestamp, UserId};

/// Moves `amount` points (±[`MAX_ADJUSTMENT`](crate::limits::MAX_ADJUSTMENT), not 0, as the HTTP layer has checked)
/// into a wallet, or out of it. The HTTP layer has also checked `corrects` in the log: the event at this position moves
/// this user's points ([`Event::moves_points_of`](crate::Event::moves_points_of)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustPoints {
    pub user_id: UserId,
    pub amount: i64,
    pub reason: String,
    pub corrects: Option<Position>,
}

impl Decide for AdjustPoints {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let Self { user_id, amount, reason, corrects } = self;
        if !state.knows(*user_id) {
            return Err(Rejection::UserNotFound { user_id: *user_id });
        }
        if corrects.is_some_and(|position| position > state.head.position) {
            return Err(Rejection::Invalid { field: "corrects", message: "must be a position of the log".to_owned() });
        }
        let balance = state.wallets.balance(*user_id);
        let moved = Points::new(amount.unsigned_abs());
        let balance_after = if *amount < 0 {
            balance.checked_sub(moved).ok_or(Rejection::InsufficientPoints { balance, required: moved })?
        } else {
            let limit = MAX_BALANCE;
            let raised = balance.checked_add(moved).filter(|balance| *balance <= limit);
            raised.ok_or(Rejection::BalanceLimitReached { limit })?
        };
        Ok(Decided::one(PointsAdjusted {
            user_id: *user_id,
            amount: *amount,
            balance_after,
            reason: reason.clone(),
            corrects: *corrects,
            adjusted_at: now,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::spec::*;

    fn adjust(user_id: UserId, amount: i64) -> AdjustPoints {
        AdjustPoints { user_id, amount, reason: "charged twice".to_owned(), corrects: None }
    }

    #[test]
    fn a_wallet_is_put_right_upwards_and_downwards() {
        given([charged(ANN, 500, 500)]).when(Credential::OPERATOR, adjust(ANN, 100)).then([adjusted(ANN, 100, 600)]);
        given([charged(ANN, 500, 500)]).when(Credential::OPERATOR, adjust(ANN, -500)).then([adjusted(ANN, -500, 0)]);
    }

    #[test]
    fn a_wallet_is_never_below_zero() {
        let (balance, required) = (Points::new(500), Points::new(501));
        given([charged(ANN, 500, 500)])
            .when(Credential::OPERATOR, adjust(ANN, -501))
            .refuses(Rejection::InsufficientPoints { balance, required });
    }

    #[test]
    fn a_wallet_is_filled_to_its_limit_and_not_beyond() {
        let full = MAX_BALANCE.get();
        let nearly = || given([charged(ANN, full - 1, full - 1)]);
        nearly().when(Credential::OPERATOR, adjust(ANN, 1)).then([adjusted(ANN, 1, full)]);
        let limit = MAX_BALANCE;
        nearly().when(Credential::OPERATOR, adjust(ANN, 2)).refuses(Rejection::BalanceLimitReached { limit });
    }

    #[test]
    fn somebody_who_was_never_seen_has_no_wallet() {
        given([charged(ANN, 500, 500)])
            .when(Credential::OPERATOR, adjust(BOB, 1))
            .refuses(Rejection::UserNotFound { user_id: BOB });
    }

    #[test]
    fn what_is_mended_is_in_the_log() {
        let mends = |position| AdjustPoints { corrects: Some(Position::new(position)), ..adjust(ANN, 1) };
        let log = || given([room(1), charged(ANN, 500, 500)]);
        assert!(log().when(Credential::OPERATOR, mends(2)).decided().is_ok());
        assert!(matches!(
            log().when(Credential::OPERATOR, mends(3)).decided(),
            Err(Rejection::Invalid { field: "corrects", .. })
        ));
    }
}
