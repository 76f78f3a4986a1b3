//! The balances of all users, in points.

use domain::{Points, RecordedEvent, UserId};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// Balances by user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Balances {
    balances: OrdMap<UserId, Points>,
}

impl Balances {
    /// The balance of `user_id`: 0 for a wallet that was never used.
    pub fn balance(&self, user_id: UserId) -> Points {
        self.balances.get(&user_id).copied().unwrap_or(Points::ZERO)
    }

    /// True if the wallet of `user_id` was ever used.
    pub fn has(&self, user_id: UserId) -> bool {
        self.balances.contains_key(&user_id)
    }

    pub(crate) fn apply(&mut self, recorded: &RecordedEvent) {
        for moved in recorded.event.movements() {
            self.balances.insert(moved.user_id, moved.balance_after);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::*;
    use domain::Points;
    use domain::spec::*;

    #[test]
    fn a_balance_is_what_the_last_event_left() {
        let events = [charged(ANN, 500, 500), held(1, ANN, [1]), paid(1, 1, ANN, [1], 400)];
        let mut models = shown_on_sale(events);
        assert_eq!(models.balances.balance(ANN), Points::new(400));
        fold(&mut models, [refunded(1, 1, ANN, [1], 500)]);
        assert_eq!(models.balances.balance(ANN), Points::new(500));
    }

    #[test]
    fn a_wallet_never_used_is_empty() {
        assert_eq!(shown_on_sale([charged(ANN, 500, 500)]).balances.balance(BOB), Points::ZERO);
    }
}
