//! What was asked with an idempotency key: where the answer stands in the log.

use imbl::{HashMap, OrdMap, OrdSet};

use crate::limits::{MAX_KEYS, MAX_KEYS_PER_USER, REMEMBERED_SECONDS};
use crate::record::{ActorName, RecordedEvent};
use crate::values::{Fingerprint, Position, Timestamp, UserId};

/// The first use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstUse {
    /// What was asked.
    pub request: Fingerprint,
    /// Where the command's last event stands: the one that the answer tells of.
    pub position: Position,
    recorded_at: Timestamp,
}

/// Keys of the last 24 hours, the last 1,024 of each user, the last 4,000,000 in all.
#[derive(Debug, Clone)]
pub struct IdempotencyKeys {
    by_key: HashMap<(UserId, Fingerprint), FirstUse>,
    by_age: OrdMap<Position, (UserId, Fingerprint)>,
    by_user: HashMap<UserId, OrdSet<Position>>,
    max_keys: usize,
}

impl Default for IdempotencyKeys {
    fn default() -> Self {
        Self { by_key: HashMap::new(), by_age: OrdMap::new(), by_user: HashMap::new(), max_keys: MAX_KEYS }
    }
}

impl IdempotencyKeys {
    /// What the user first asked with the key, unless that was 24 hours before `now`.
    pub fn first_use(&self, user_id: UserId, key: Fingerprint, now: Timestamp) -> Option<FirstUse> {
        let first = self.by_key.get(&(user_id, key))?;
        (now < first.recorded_at.plus_seconds(REMEMBERED_SECONDS)).then_some(*first)
    }

    pub(super) fn remember(&mut self, recorded: &RecordedEvent) {
        let metadata = &recorded.metadata;
        let (Some(idempotency), ActorName::User(user_id), true) =
            (metadata.idempotency, metadata.actor, metadata.is_last())
        else {
            return;
        };
        let (position, recorded_at) = (recorded.head.position, recorded.recorded_at);
        let first = FirstUse { request: idempotency.request, position, recorded_at };
        if let Some(forgotten) = self.by_key.insert((user_id, idempotency.key), first) {
            self.by_age.remove(&forgotten.position);
            self.by_user.entry(user_id).or_default().remove(&forgotten.position);
        }
        self.by_age.insert(position, (user_id, idempotency.key));
        let own = self.by_user.entry(user_id).or_default();
        own.insert(position);
        if own.len() > MAX_KEYS_PER_USER {
            let oldest = *own.get_min().expect("it is not empty");
            self.remove(oldest);
        }
        if self.by_age.len() > self.max_keys {
            let (oldest, _) = *self.by_age.get_min().expect("it is not empty");
            self.remove(oldest);
        }
    }

    pub(super) fn forget(&mut self, recorded_at: Timestamp) {
        while let Some((oldest, owner)) = self.by_age.get_min()
            && let Some(first) = self.by_key.get(owner)
            && first.recorded_at.plus_seconds(REMEMBERED_SECONDS) <= recorded_at
        {
            self.remove(*oldest);
        }
    }

    fn remove(&mut self, position: Position) {
        let Some(owner) = self.by_age.remove(&position) else { return };
        self.by_key.remove(&owner);
        if let Some(own) = self.by_user.get_mut(&owner.0) {
            own.remove(&position);
            if own.is_empty() {
                self.by_user.remove(&owner.0);
            }
        }
    }
}
