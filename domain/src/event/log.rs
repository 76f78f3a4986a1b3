//! The event of the log itself.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::Hash;

/// The event at position 1 of every log: the log's id, and a check value of its server key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCreated {
    pub log_id: Uuid,
    pub format: u32,
    pub hash_algorithm: String,
    pub key_check: Hash,
}
