//! What every user has in points.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::values::{Points, UserId};

/// Balances by user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Wallets {
    balances: OrdMap<UserId, Points>,
}

impl Wallets {
    /// The balance of `user_id`: none for a wallet never used.
    pub fn balance(&self, user_id: UserId) -> Points {
        self.balances.get(&user_id).copied().unwrap_or(Points::ZERO)
    }

    /// Whether the user has a wallet: one that was ever used.
    pub fn has(&self, user_id: UserId) -> bool {
        self.balances.contains_key(&user_id)
    }

    pub(super) fn set(&mut self, user_id: UserId, balance: Points) {
        self.balances.insert(user_id, balance);
    }
}
