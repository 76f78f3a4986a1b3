//! Events of users whom an identity provider names.

use serde::{Deserialize, Serialize};

use crate::values::{Hash, Timestamp, UserId};

/// A subject was seen for the first time, and is this user from now on. `subject` = HMAC-SHA-256(server key,
/// "reprise/subject" ‖ issuer ‖ 0 ‖ sub): so the log does not show the provider's name for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserRegistered {
    pub user_id: UserId,
    pub subject: Hash,
    pub registered_at: Timestamp,
}
