//! The wallets: every user's balance in points.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::values::{Points, UserId};

/// Balances by user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Wallets {
    balances: OrdMap<UserId, Points>,
}

impl Wallets {
    /// The balance of `user_id`: 0 for a wallet that was never used.
    pub fn balance(&self, user_id: UserId) -> Points {
        self.balances.get(&user_id).copied().unwrap_or(Points::ZERO)
    }

    /// True if the user's wallet was ever used.
    pub fn has(&self, user_id: UserId) -> bool {
        self.balances.contains_key(&user_id)
    }

    /// Folds the movements of points in an event.
    pub fn fold(&mut self, event: &Event) {
        for moved in event.movements() {
            self.balances.insert(moved.user_id, moved.balance_after);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::*;
    use crate::values::Points;

    #[test]
    fn a_balance_is_what_the_last_event_left() {
        let balance = |given: &Given| given.state().wallets.balance(ANN);
        let given = on_sale([charged(ANN, 500, 500), held(1, ANN, [1]), paid(1, 1, ANN, [1], 400)]);
        assert_eq!(balance(&given), Points::new(400));
        assert_eq!(balance(&given.and([refunded(1, 1, ANN, [1], 500)])), Points::new(500));
    }

    #[test]
    fn a_wallet_never_used_is_empty() {
        assert_eq!(on_sale([charged(ANN, 500, 500)]).state().wallets.balance(BOB), Points::ZERO);
    }
}
