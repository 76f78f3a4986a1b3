//! Arriving: whoever was let in has come, and keeps the slot.

use crate::answer::Answer;
use crate::command::{Actor, Decide, Decided, Decision};
use crate::event::{Event, TokenArrived};
use crate::rejection::Rejection;
use crate::state::State;
use crate::state::room::Token;
use crate::values::{RoomId, SaleTime, Timestamp};

/// Says that the user of the token that is shown has come. Once is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrive;

impl Decide for Arrive {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        let token = by.token_id().and_then(|token_id| state.room.token(token_id)).ok_or(Rejection::TokenUnknown)?;
        if !state.room.is_active(token, now) {
            return Err(state.room.not_admitted(token, now));
        }
        Ok(arrival(token, state, now).map_or(Decided::Already(Answer::Token(token.clone())), Decided::from))
    }
}

/// The arrival of a token that is in the room, where it has not arrived yet.
pub(super) fn arrival(token: &Token, state: &State, now: Timestamp) -> Option<Event> {
    state.room.arrive_by(token)?;
    let arrived = TokenArrived {
        token_id: token.token_id,
        user_id: token.user_id,
        room_id: RoomId::FIRST,
        seed: token.seed?,
        queue_number: token.queue_number,
        issued_at: token.issued_at,
        arrived_at: now,
        expires_at: SaleTime::from_millis(token.expires_at),
    };
    Some(arrived.into())
}
