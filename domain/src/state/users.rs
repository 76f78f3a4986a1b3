//! The users that an identity provider names by a subject.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::values::{Hash, UserId};

/// The origin of user ids in a log. The first user decides it, and it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Ids {
    /// Users come with ids of their own.
    Own,
    /// Each subject was mapped to an id, counted from 1.
    Mapped,
}

/// The mapping from subjects to users.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Users {
    by_subject: OrdMap<Hash, UserId>,
    ids: Option<Ids>,
    last: Option<UserId>,
}

impl Users {
    /// Finds the user of a subject.
    pub fn of_subject(&self, subject: &Hash) -> Option<UserId> {
        self.by_subject.get(subject).copied()
    }

    /// The id that the next new subject gets.
    pub fn next_id(&self) -> UserId {
        self.last.map_or(UserId::FIRST, UserId::successor)
    }

    /// True if this user was registered. Registered ids are counted from 1 without gaps.
    pub fn is_registered(&self, user_id: UserId) -> bool {
        self.last.is_some_and(|last| user_id <= last)
    }

    /// True if the users of this log are mapped subjects. `None` before the first user.
    pub fn are_mapped(&self) -> Option<bool> {
        self.ids.map(|ids| ids == Ids::Mapped)
    }

    /// Folds that a subject was registered.
    pub fn register(&mut self, subject: Hash, user_id: UserId) {
        self.ids.get_or_insert(Ids::Mapped);
        self.last = self.last.max(Some(user_id));
        self.by_subject.insert(subject, user_id);
    }

    /// Folds a user who came with an id. The first such user decides the origin of ids.
    pub(super) fn see_own_id(&mut self) {
        self.ids.get_or_insert(Ids::Own);
    }
}
