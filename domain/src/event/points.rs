//! What moves points without a seat.

use serde::{Deserialize, Serialize};

use crate::values::{Points, Timestamp, UserId};

/// Money came in from outside, the wallet grew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsCharged {
    pub user_id: UserId,
    pub amount: Points,
    pub balance_after: Points,
    pub charged_at: Timestamp,
}
