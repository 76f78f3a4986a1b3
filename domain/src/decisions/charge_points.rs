//! Charging points: money came in, and the wallet grows.

use crate::event::PointsCharged;
use crate::limits::MAX_BALANCE;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{Points, Timestamp, UserId};

/// Adds `amount` points (1..=[`MAX_CHARGE`](crate::limits::MAX_CHARGE), as the HTTP layer has checked) to a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargePoints {
    pub user_id: UserId,
    pub amount: Points,
}

impl Decide for ChargePoints {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        match by {
            Actor::Operator(_) if !state.knows(self.user_id) => {
                return Err(Rejection::UserNotFound { user_id: self.user_id });
            }
            Actor::Operator(_) => {}
            Actor::Holder { .. } | Actor::User(_) | Actor::Newcomer { .. } | Actor::System => {
                by.must_be(self.user_id)?
            }
        }
        let balance_after = state
            .wallets
            .balance(self.user_id)
            .checked_add(self.amount)
            .filter(|balance| *balance <= MAX_BALANCE)
            .ok_or(Rejection::BalanceLimitReached { limit: MAX_BALANCE })?;
        Ok(Decided::one(PointsCharged { user_id: self.user_id, amount: self.amount, balance_after, charged_at: now }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::*;

    fn charge(user_id: UserId, amount: u64) -> ChargePoints {
        ChargePoints { user_id, amount: Points::new(amount) }
    }

    #[test]
    fn a_charge_adds_to_the_balance() {
        given([admitted(ANN, 1), charged(ANN, 1_000, 1_000)])
            .when(token(ANN), charge(ANN, 500))
            .then([charged(ANN, 500, 1_500)]);
    }

    #[test]
    fn a_wallet_can_be_filled_to_its_limit() {
        let full = MAX_BALANCE.get();
        given([admitted(ANN, 1), charged(ANN, full - 1, full - 1)])
            .when(token(ANN), charge(ANN, 1))
            .then([charged(ANN, 1, full)]);
    }

    #[test]
    fn a_full_wallet_refuses_more() {
        let full = MAX_BALANCE.get();
        given([admitted(ANN, 1), charged(ANN, full, full)])
            .when(token(ANN), charge(ANN, 1))
            .refuses(Rejection::BalanceLimitReached { limit: MAX_BALANCE });
    }

    #[test]
    fn nobody_charges_the_wallet_of_another() {
        given([admitted(ANN, 1)]).when(token(ANN), charge(BOB, 1)).refuses(Rejection::NotYours);
    }

    #[test]
    fn a_token_in_line_may_charge() {
        given([waiting(ANN, 1)]).when(token(ANN), charge(ANN, 1)).then([charged(ANN, 1, 1)]);
    }
}
