//! Leaving: the user gives up a place in line or a slot. Holds stay.

use crate::answer::Answer;
use crate::event::RoomLeft;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{RoomId, Timestamp};

/// Ends the sender's token. A second request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveRoom;

impl Decide for LeaveRoom {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        let token = by.token_id().and_then(|token_id| state.room.token(token_id)).ok_or(Rejection::TokenUnknown)?;
        if !state.room.is_in_room(token, now) {
            return Ok(Decided::Already(Answer::Token(token.clone())));
        }
        Ok(Decided::one(RoomLeft {
            token_id: token.token_id,
            user_id: token.user_id,
            room_id: RoomId::FIRST,
            seed: token.seed,
            // A token that leaves a pre-queue had no place yet.
            queue_number: state.room.place(token, now).queue_number.unwrap_or(0),
            issued_at: token.issued_at,
            left_at: now,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::*;

    #[test]
    fn who_is_inside_leaves() {
        given([room(1), admitted(ANN, 1)]).when(token(ANN), LeaveRoom).then([left(ANN, 1)]);
    }

    #[test]
    fn who_waits_leaves_the_line() {
        given([room(1), admitted(ANN, 1), waiting(BOB, 2)]).when(token(BOB), LeaveRoom).then([left(BOB, 2)]);
    }

    #[test]
    fn leaving_again_answers_the_same() {
        let gone = left(ANN, 1).answer();
        given([room(1), admitted(ANN, 1), left(ANN, 1)]).when(token(ANN), LeaveRoom).already(gone);
    }
}
