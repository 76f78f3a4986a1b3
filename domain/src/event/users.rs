//! Who somebody is, where an identity provider says so.

use serde::{Deserialize, Serialize};

use crate::values::{Hash, Timestamp, UserId};

/// Somebody of this subject was seen for the first time, and is this user for ever. `subject` = HMAC-SHA-256(server key,
/// "reprise/subject" ‖ issuer ‖ 0 ‖ sub): who reads the log learns nobody's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserRegistered {
    pub user_id: UserId,
    pub subject: Hash,
    pub registered_at: Timestamp,
}
