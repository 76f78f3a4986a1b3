//! Which subject is which user, where an identity provider names people.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::values::{Hash, UserId};

/// Whose ids a log's users have. Its first user decides that, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Ids {
    /// Their own.
    Own,
    /// Those that subjects were mapped to.
    Mapped,
}

/// Subjects, and the users that they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Users {
    by_subject: OrdMap<Hash, UserId>,
    ids: Option<Ids>,
    last: Option<UserId>,
}

impl Users {
    /// The user of a subject.
    pub fn of_subject(&self, subject: &Hash) -> Option<UserId> {
        self.by_subject.get(subject).copied()
    }

    /// The user that the next new subject becomes.
    pub fn next_id(&self) -> UserId {
        self.last.map_or(UserId::FIRST, UserId::successor)
    }

    /// Whether this user was registered: the ids of mapped users are counted.
    pub fn is_registered(&self, user_id: UserId) -> bool {
        self.last.is_some_and(|last| user_id <= last)
    }

    /// Whether users of this log are mapped subjects; `None` before the first one.
    pub fn are_mapped(&self) -> Option<bool> {
        self.ids.map(|ids| ids == Ids::Mapped)
    }

    /// Folds that a subject was registered.
    pub fn register(&mut self, subject: Hash, user_id: UserId) {
        self.ids.get_or_insert(Ids::Mapped);
        self.last = self.last.max(Some(user_id));
        self.by_subject.insert(subject, user_id);
    }

    /// Folds that somebody came with an id, where that was the first.
    pub(super) fn see_own_id(&mut self) {
        self.ids.get_or_insert(Ids::Own);
    }
}
