//! The wallets: every user's balance in points.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

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

    pub(super) fn set(&mut self, user_id: UserId, balance: Points) {
        self.balances.insert(user_id, balance);
    }
}
