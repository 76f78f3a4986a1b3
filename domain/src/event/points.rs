//! What moves points without a seat.

use serde::{Deserialize, Serialize};

use super::never_absent;
use crate::values::{Points, Position, Timestamp, UserId};

/// Money came in from outside, the wallet grew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsCharged {
    pub user_id: UserId,
    pub amount: Points,
    pub balance_after: Points,
    pub charged_at: Timestamp,
}

/// An operator put a wallet right. `corrects` is the position of the event that this mends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsAdjusted {
    pub user_id: UserId,
    /// What came in; negative for what went out.
    pub amount: i64,
    pub balance_after: Points,
    pub reason: String,
    #[serde(deserialize_with = "never_absent")]
    pub corrects: Option<Position>,
    pub adjusted_at: Timestamp,
}
