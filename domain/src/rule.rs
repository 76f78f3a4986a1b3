//! The form of a command's rule: from an actor, a state and a time to a decision.

use crate::answer::Answer;
use crate::event::Event;
use crate::record::{ActorName, OperatorName};
use crate::rejection::Rejection;
use crate::state::State;
use crate::values::{Hash, Position, Timestamp, TokenId, UserId};

/// The result of a rule.
pub type Decision = Result<Decided, Rejection>;

/// The rule of one command.
pub trait Decide {
    /// Decides on `state` at `now`. Deadlines are compared with `now`; it does not matter whether an event says that
    /// they are over.
    ///
    /// # Errors
    /// The rule that the command would break.
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision;
}

/// The identified sender of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A user who showed a token.
    Holder { user_id: UserId, token_id: TokenId },
    /// A user whom the HTTP layer has identified.
    User(UserId),
    /// A subject that was never seen, with the user id that it will get.
    Newcomer { user_id: UserId, subject: Hash },
    /// The server itself.
    System,
    /// An operator.
    Operator(OperatorName),
}

/// A decision that is not a rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// These events happen. The answer is made from the last one.
    Events(Vec<Event>),
    /// Nothing happens, because the state is already as the command asks. This is the answer.
    Already(Answer),
    /// Nothing happens, because the request was decided before. The answer is made from the event at this position.
    Repeated(Position),
}

impl Actor {
    /// The user, if a user acts.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Holder { user_id, .. } | Self::User(user_id) | Self::Newcomer { user_id, .. } => Some(*user_id),
            Self::System | Self::Operator(_) => None,
        }
    }

    /// The token, if the sender has sent one.
    pub fn token_id(&self) -> Option<TokenId> {
        match self {
            Self::Holder { token_id, .. } => Some(*token_id),
            Self::User(_) | Self::Newcomer { .. } | Self::System | Self::Operator(_) => None,
        }
    }

    /// The name that stands in metadata.
    pub fn name(&self) -> ActorName {
        match self {
            Self::Holder { user_id, .. } | Self::User(user_id) | Self::Newcomer { user_id, .. } => {
                ActorName::User(*user_id)
            }
            Self::System => ActorName::System,
            Self::Operator(name) => ActorName::Operator(name.clone()),
        }
    }

    /// Fails if the actor is not the user `user_id`.
    ///
    /// # Errors
    /// The actor is somebody else.
    pub fn must_be(&self, user_id: UserId) -> Result<(), Rejection> {
        if self.user_id() == Some(user_id) { Ok(()) } else { Err(Rejection::NotYours) }
    }
}

impl Decided {
    /// Makes a decision of one event.
    pub fn one(event: impl Into<Event>) -> Self {
        Self::Events(vec![event.into()])
    }
}
