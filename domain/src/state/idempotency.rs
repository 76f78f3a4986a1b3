//! The memory of idempotency keys: for each key the request, and the position of the record that answers it.

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::changed;
use super::numbered::{Number, Numbered};
use crate::limits::{MAX_KEYS, MAX_KEYS_PER_USER, REMEMBERED_SECONDS};
use crate::record::{ActorName, IdempotencyKey, RecordedEvent};
use crate::values::{Fingerprint, Position, Timestamp};

/// The first use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstUse {
    /// The fingerprint of the request.
    pub request: Fingerprint,
    /// The position of the command's last event, from which the answer is made.
    pub position: Position,
    recorded_at: Timestamp,
    owner: KeyOwner,
    key: Fingerprint,
}

impl FirstUse {
    fn forgotten_at(&self) -> Timestamp {
        self.recorded_at.plus_seconds(REMEMBERED_SECONDS)
    }
}

impl Number for FirstUse {
    fn number(&self) -> u64 {
        self.position.get()
    }
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
    /// By position, and so by age.
    uses: Numbered<FirstUse>,
    by_key: OrdMap<(KeyOwner, Fingerprint), Position>,
    by_owner: OrdSet<(KeyOwner, Position)>,
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
            uses: Numbered::default(),
            by_key: OrdMap::new(),
            by_owner: OrdSet::new(),
            counts: OrdMap::new(),
            max_keys: MAX_KEYS,
        }
    }
}

impl IdempotencyKeys {
    /// Finds the first use of a key. `None` if that was 24 hours before `now` or earlier.
    pub fn first_use(&self, by: &ActorName, key: Fingerprint, now: Timestamp) -> Option<FirstUse> {
        let position = self.by_key.get(&(KeyOwner::of(by)?, key))?;
        let first = self.uses.get(position.get())?;
        (now < first.forgotten_at()).then_some(*first)
    }

    /// Remembers the key of a command at its last event.
    pub(super) fn remember(&mut self, recorded: &RecordedEvent) {
        let metadata = &recorded.metadata;
        let (Some(IdempotencyKey { key, request }), Some(owner), true) =
            (metadata.idempotency, KeyOwner::of(&metadata.actor), metadata.is_last())
        else {
            return;
        };
        let (position, recorded_at) = (recorded.head.position, recorded.recorded_at);
        self.uses.insert(FirstUse { request, position, recorded_at, owner, key });
        self.by_owner.insert((owner, position));
        let count = changed(&mut self.counts, owner, |count| {
            *count += 1;
            *count
        });
        if let Some(earlier) = self.by_key.insert((owner, key), position) {
            self.forget_use(earlier);
        } else if count > MAX_KEYS_PER_USER {
            let (_, oldest) = *self.by_owner.get_next(&(owner, Position::START)).expect("the owner has one");
            self.forget_key(oldest);
        }
        if self.by_key.len() > self.max_keys {
            self.forget_key(self.uses.first().expect("it is not empty").position);
        }
    }

    /// Forgets keys whose time is over.
    pub(super) fn forget(&mut self, recorded_at: Timestamp) {
        while let Some(oldest) = self.uses.first().filter(|oldest| oldest.forgotten_at() <= recorded_at) {
            self.forget_key(oldest.position);
        }
    }

    fn forget_key(&mut self, position: Position) {
        if let Some(FirstUse { owner, key, .. }) = self.forget_use(position) {
            self.by_key.remove(&(owner, key));
        }
    }

    fn forget_use(&mut self, position: Position) -> Option<FirstUse> {
        let first = self.uses.remove(position.get())?;
        self.by_owner.remove(&(first.owner, position));
        if let Some(count) = self.counts.get_mut(&first.owner) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&first.owner);
            }
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests;
