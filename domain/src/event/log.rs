//! Which log this is.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::Hash;

/// Position 1 of every log: which log this is, and which server key belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCreated {
    pub log_id: Uuid,
    pub format: u32,
    pub hash_algorithm: String,
    pub key_check: Hash,
}
