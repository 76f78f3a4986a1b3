//! What the rule of a command is: who acts and on what state goes in, and what it leads to comes out.

use crate::answer::Answer;
use crate::event::Event;
use crate::record::{ActorName, OperatorName};
use crate::rejection::Rejection;
use crate::state::State;
use crate::values::{Hash, Position, Timestamp, TokenId, UserId};

/// What one command's rule says.
pub type Decision = Result<Decided, Rejection>;

/// The rule of one command.
pub trait Decide {
    /// Decides over `state` at `now`; deadlines are judged by `now`, not by whether an event has published them.
    ///
    /// # Errors
    /// The rule that the command would break.
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision;
}

/// Who acts, as the state knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A user who showed a token.
    Holder { user_id: UserId, token_id: TokenId },
    /// A user whom the edge knows.
    User(UserId),
    /// Someone whose subject was never seen: the user that they become.
    Newcomer { user_id: UserId, subject: Hash },
    /// The server itself.
    System,
    /// Somebody who runs the sale.
    Operator(OperatorName),
}

/// What a decision leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// This happens. The last event is the one that the answer tells of.
    Events(Vec<Event>),
    /// Nothing happens: it is so already.
    Already(Answer),
    /// Nothing happens: the request was answered before, by the event at this position.
    Repeated(Position),
}

impl Actor {
    /// The user, where one acts.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Holder { user_id, .. } | Self::User(user_id) | Self::Newcomer { user_id, .. } => Some(*user_id),
            Self::System | Self::Operator(_) => None,
        }
    }

    /// The token that was shown, where one was.
    pub fn token_id(&self) -> Option<TokenId> {
        match self {
            Self::Holder { token_id, .. } => Some(*token_id),
            Self::User(_) | Self::Newcomer { .. } | Self::System | Self::Operator(_) => None,
        }
    }

    /// As it stands in metadata.
    pub fn name(&self) -> ActorName {
        match self {
            Self::Holder { user_id, .. } | Self::User(user_id) | Self::Newcomer { user_id, .. } => {
                ActorName::User(*user_id)
            }
            Self::System => ActorName::System,
            Self::Operator(name) => ActorName::Operator(name.clone()),
        }
    }

    /// Whether this is `user_id`.
    ///
    /// # Errors
    /// It is someone else.
    pub fn must_be(&self, user_id: UserId) -> Result<(), Rejection> {
        if self.user_id() == Some(user_id) { Ok(()) } else { Err(Rejection::NotYours) }
    }
}

impl<E: Into<Event>> From<E> for Decided {
    fn from(event: E) -> Self {
        Self::Events(vec![event.into()])
    }
}

impl Decided {
    /// One thing happens.
    pub fn one(event: impl Into<Event>) -> Self {
        Self::Events(vec![event.into()])
    }
}
