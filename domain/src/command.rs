//! A command: who asks, with which key, for what. Deciding it is pure: `(State, Command, now) -> events or a rejection`.

use crate::decisions::Action;
use crate::event::{EntryClosed, Event, OpeningEvent};
use crate::record::{IdempotencyKey, OperatorName};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decided};
use crate::state::State;
use crate::values::{Hash, Timestamp, TokenHash, UserId};

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
                Ok((actor, after_close(decided, closed, &self.action)))
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

/// The same, with the close of entry before it. What writes nothing closes nothing either: only the tick has come for that.
fn after_close(decided: Decided, closed: EntryClosed, action: &Action) -> Decided {
    let closed = Event::from(closed);
    match decided {
        Decided::Events(events) => Decided::Events(std::iter::once(closed).chain(events).collect()),
        Decided::Already(_) if matches!(action, Action::Tick(_)) => closed.into(),
        Decided::Already(_) | Decided::Repeated(_) => decided,
    }
}
