//! A command: the sender, an idempotency key, and an action. Deciding it is pure: `(State, Command, now) -> events or a
//! rejection`.

use crate::decisions::Action;
use crate::event::{EntryClosed, Event, OpeningEvent};
use crate::record::{IdempotencyKey, OperatorName};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decided};
use crate::state::State;
use crate::values::{Hash, Timestamp, TokenHash, UserId};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The proof of who sends it.
    pub by: Credential,
    /// The key by which a repeated request is recognised.
    pub idempotency: Option<IdempotencyKey>,
    /// What the command asks for.
    pub action: Action,
}

/// The proof of who sends a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The room's token.
    Token(TokenHash),
    /// This user, as the HTTP layer has found out, who asks for their token.
    User(UserId),
    /// The subject of an identity provider (as HMAC-SHA-256), who asks for their token.
    Subject(Hash),
    /// The server itself.
    System,
    /// An operator with this name, as the HTTP layer has found out.
    Operator(OperatorName),
}

impl Command {
    /// Decides the command: it identifies the sender, looks for the idempotency key, and applies the action's rule.
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
    /// The operator of a server that does not ask for names.
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

/// Puts the close of entry before the decision's events. A command that writes nothing does not write the close either.
/// Only the tick writes the close alone.
fn after_close(decided: Decided, closed: EntryClosed, action: &Action) -> Decided {
    let closed = Event::from(closed);
    match decided {
        Decided::Events(events) => Decided::Events(std::iter::once(closed).chain(events).collect()),
        Decided::Already(_) if matches!(action, Action::Tick(_)) => Decided::one(closed),
        Decided::Already(_) | Decided::Repeated(_) => decided,
    }
}
