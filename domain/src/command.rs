//! A command: who asks, with which key, for what. Deciding it is pure: `(State, Command, now) -> events or a rejection`.

use crate::answer::Answer;
use crate::decisions::Action;
use crate::event::{EntryClosed, Event, OpeningEvent};
use crate::record::{ActorName, IdempotencyKey, OperatorName};
use crate::rejection::Rejection;
use crate::state::State;
use crate::values::{Hash, Position, Timestamp, TokenHash, TokenId, UserId};

/// Something that someone wants to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Who asks.
    pub by: Credential,
    /// Under which key a repeated request is known again.
    pub idempotency: Option<IdempotencyKey>,
    /// What is asked.
    pub action: Action,
}

/// What proves who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The room's token.
    Token(TokenHash),
    /// Someone whom the edge knows to be this user, and who asks for their token.
    User(UserId),
    /// Someone whom an identity provider knows by this subject (HMAC-SHA-256), and who asks for their token.
    Subject(Hash),
    /// The server itself.
    System,
    /// Somebody who runs the sale, whom the edge knows by this name.
    Operator(OperatorName),
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

impl Command {
    /// Finds out who acts, whether the request is known already, and else decides.
    ///
    /// # Errors
    /// The rule that the command would break.
    pub fn decide(&self, state: &State, now: Timestamp) -> Result<(Actor, Decided), Rejection> {
        match state.room.due_close(now) {
            None => self.decide_on(state, now),
            // The first decision at or past the opening time closes entry before all else.
            Some(closed) => {
                let mut after = state.clone();
                after.room.fold_opening(&OpeningEvent::EntryClosed(closed.clone()), state.head);
                let (actor, decided) = self.decide_on(&after, now)?;
                Ok((actor, decided.after(closed, &self.action)))
            }
        }
    }

    fn decide_on(&self, state: &State, now: Timestamp) -> Result<(Actor, Decided), Rejection> {
        let actor = self.by.identify(state, now)?;
        if let Some(idempotency) = self.idempotency
            && let Some(first) = state.idempotency.first_use(&actor.name(), idempotency.key, now)
        {
            if first.request != idempotency.request {
                return Err(Rejection::IdempotencyKeyReused);
            }
            return Ok((actor, Decided::Repeated(first.position)));
        }
        let decided = self.action.rule().decide(&actor, state, now)?;
        Ok((actor, decided))
    }
}

impl Credential {
    /// Whoever runs the server, where nobody asks for names.
    pub const OPERATOR: Self = Self::Operator(OperatorName::ANYONE);

    fn identify(&self, state: &State, now: Timestamp) -> Result<Actor, Rejection> {
        match self {
            Self::Token(hash) => {
                let token = state.room.identify(hash, now)?;
                Ok(Actor::Holder { user_id: token.user_id, token_id: token.token_id })
            }
            Self::User(user_id) => Ok(Actor::User(*user_id)),
            Self::Subject(subject) => Ok(match state.users.of_subject(subject) {
                Some(user_id) => Actor::User(user_id),
                None => Actor::Newcomer { user_id: state.users.next_id(), subject: *subject },
            }),
            Self::System => Ok(Actor::System),
            Self::Operator(name) => Ok(Actor::Operator(name.clone())),
        }
    }
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

impl Decided {
    /// The same, with the close of entry before it. What writes nothing closes nothing either: only the tick has come for that.
    fn after(self, closed: EntryClosed, action: &Action) -> Self {
        let closed = Event::from(closed);
        match self {
            Self::Events(events) => Self::Events(std::iter::once(closed).chain(events).collect()),
            Self::Already(_) if matches!(action, Action::Tick(_)) => closed.into(),
            Self::Already(_) | Self::Repeated(_) => self,
        }
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
