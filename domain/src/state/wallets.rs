//! What every user has in points.

use imbl::HashMap;
use serde::{Deserialize, Serialize};

use crate::canonical::in_key_order;
use crate::values::{Points, UserId};

/// Balances by user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Wallets {
    #[serde(serialize_with = "in_key_order")]
    balances: HashMap<UserId, Points>,
}

impl Wallets {
    /// The balance of `user_id`: none for a wallet never used.
    pub fn balance(&self, user_id: UserId) -> Points {
        self.balances.get(&user_id).copied().unwrap_or(Points::ZERO)
    }

    pub(super) fn set(&mut self, user_id: UserId, balance: Points) {
        self.balances.insert(user_id, balance);
    }
}
