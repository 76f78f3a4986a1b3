//! The memory of idempotency keys: for each key the request, and the position of the record that answers it.

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::limits::{MAX_KEYS, MAX_KEYS_PER_USER, REMEMBERED_SECONDS};
use crate::record::{ActorName, RecordedEvent};
use crate::values::{Fingerprint, Position, Timestamp};

/// The first use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstUse {
    /// The fingerprint of the request.
    pub request: Fingerprint,
    /// The position of the command's last event, from which the answer is made.
    pub position: Position,
    recorded_at: Timestamp,
}

/// The owner of a key: a user's id, or a number made from an operator's name that no user has as id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct KeyOwner(u64);

impl KeyOwner {
    /// The bit that marks operators. It is above every user's id.
    const OPERATORS: u64 = 1 << 63;

    fn of(actor: &ActorName) -> Option<Self> {
        match actor {
            ActorName::User(user_id) => Some(Self(user_id.get())),
            ActorName::Operator(name) => {
                let hash: [u8; 32] = Sha256::digest(name.as_str()).into();
                let first = u64::from_be_bytes(*hash.first_chunk().expect("32 bytes have 8"));
                Some(Self(first | Self::OPERATORS))
            }
            ActorName::System => None,
        }
    }
}

/// The keys of the last 24 hours: at most the last 1,024 of each owner, and the last 4,000,000 in all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdempotencyKeys {
    by_key: OrdMap<(KeyOwner, Fingerprint), FirstUse>,
    by_age: OrdMap<Position, (KeyOwner, Fingerprint)>,
    by_user: OrdSet<(KeyOwner, Position)>,
    /// How many keys each owner has.
    counts: OrdMap<KeyOwner, usize>,
    #[serde(skip, default = "max_keys")]
    max_keys: usize,
}

fn max_keys() -> usize {
    MAX_KEYS
}

impl Default for IdempotencyKeys {
    fn default() -> Self {
        Self {
            by_key: OrdMap::new(),
            by_age: OrdMap::new(),
            by_user: OrdSet::new(),
            counts: OrdMap::new(),
            max_keys: MAX_KEYS,
        }
    }
}

impl IdempotencyKeys {
    /// Finds the first use of a key. `None` if that was 24 hours before `now` or earlier.
    pub fn first_use(&self, by: &ActorName, key: Fingerprint, now: Timestamp) -> Option<FirstUse> {
        let first = self.by_key.get(&(KeyOwner::of(by)?, key))?;
        (now < first.recorded_at.plus_seconds(REMEMBERED_SECONDS)).then_some(*first)
    }

    pub(super) fn remember(&mut self, recorded: &RecordedEvent) {
        let metadata = &recorded.metadata;
        let (Some(idempotency), Some(owner), true) =
            (metadata.idempotency, KeyOwner::of(&metadata.actor), metadata.is_last())
        else {
            return;
        };
        let (position, recorded_at) = (recorded.head.position, recorded.recorded_at);
        let first = FirstUse { request: idempotency.request, position, recorded_at };
        if let Some(forgotten) = self.by_key.get(&(owner, idempotency.key)).copied() {
            self.remove(forgotten.position);
        }
        self.by_key.insert((owner, idempotency.key), first);
        self.by_age.insert(position, (owner, idempotency.key));
        self.by_user.insert((owner, position));
        let count = self.counts.entry(owner).or_default();
        *count += 1;
        if *count > MAX_KEYS_PER_USER {
            let (_, oldest) = *self.by_user.get_next(&(owner, Position::START)).expect("the user has one");
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
        let (owner, _) = owner;
        self.by_user.remove(&(owner, position));
        let Some(count) = self.counts.get_mut(&owner) else { return };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests;
