//! Events that move points without a seat.

use serde::{Deserialize, Serialize};

use super::never_absent;
use crate::values::{Points, Position, Timestamp, UserId};

/// Money came in from outside, and the wallet grew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsCharged {
    pub user_id: UserId,
    pub amount: Points,
    pub balance_after: Points,
    pub charged_at: Timestamp,
}

/// An operator corrected a wallet. `corrects` is the position of the event that was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsAdjusted {
    pub user_id: UserId,
    /// The points that came in; negative for points that went out.
    pub amount: i64,
    pub balance_after: Points,
    pub reason: String,
    #[serde(deserialize_with = "never_absent")]
    pub corrects: Option<Position>,
    pub adjusted_at: Timestamp,
}
