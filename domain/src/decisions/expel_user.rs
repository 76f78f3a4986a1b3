//! Expelling a user: an operator ends their token. Holds stay. A user who joins again is last in line.
//!
//! Rejections: [`Rejection::UserNotFound`].

use crate::answer::Answer;
use crate::event::{ExpiryCause, TokenExpired};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{RoomId, Timestamp, UserId};

/// Ends the user's token in the room. Without such a token nothing happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpelUser {
    pub user_id: UserId,
    pub reason: String,
}

impl Decide for ExpelUser {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        if !state.knows(self.user_id) {
            return Err(Rejection::UserNotFound { user_id: self.user_id });
        }
        let in_room = state.room.in_room(self.user_id).filter(|token| state.room.is_in_room(token, now));
        let Some(token) = in_room else { return Ok(Decided::Already(Answer::Done)) };
        Ok(Decided::one(TokenExpired {
            token_id: token.token_id,
            user_id: token.user_id,
            room_id: RoomId::FIRST,
            expired_at: now,
            cause: ExpiryCause::Expulsion,
            reason: Some(self.reason.clone()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::decisions::{IssueToken, LeaveRoom, PayReservation};
    use crate::limits::ACTIVE_SECONDS;
    use crate::spec::*;
    use crate::values::Points;

    fn expel(user_id: UserId) -> ExpelUser {
        ExpelUser { user_id, reason: "a script".to_owned() }
    }

    #[test]
    fn who_is_expelled_is_out_and_their_token_is_over() {
        given([room(1), admitted(ANN, 1)]).when(Credential::OPERATOR, expel(ANN)).then([expelled(ANN, 1)]);
        let out = || given([room(1), admitted(ANN, 1), waiting(BOB, 2), expelled(ANN, 1)]);
        out().when(token(ANN), LeaveRoom).refuses(Rejection::TokenExpired);
        let again = IssueToken { user_id: Some(ANN), seed: seed(ANN), token_hash: token_hash(ANN) };
        out().when(user(ANN), again).then([waiting(ANN, 3)]);
        out().when(Credential::OPERATOR, expel(ANN)).already(Answer::Done);
    }

    #[test]
    fn who_waits_can_be_expelled_too() {
        given([room(0), waiting(ANN, 1)]).when(Credential::OPERATOR, expel(ANN)).then([expelled(ANN, 1)]);
    }

    #[test]
    fn holds_of_the_expelled_stay() {
        let pay = PayReservation { reservation_id: reservation_id(1), user_id: ANN, amount: Points::new(PRICE) };
        on_sale([admitted(ANN, 1), charged(ANN, PRICE, PRICE), held(1, ANN, [1]), expelled(ANN, 1)])
            .when(user(ANN), pay)
            .then([paid(1, 1, ANN, [1], 0)]);
    }

    #[test]
    fn nothing_happens_where_there_is_no_token_and_nobody_is_expelled_who_was_never_seen() {
        let over = given([room(1), admitted(ANN, 1)]).after_seconds(ACTIVE_SECONDS);
        over.when(Credential::OPERATOR, expel(ANN)).already(Answer::Done);
        given([room(1)]).when(Credential::OPERATOR, expel(EVE)).refuses(Rejection::UserNotFound { user_id: EVE });
    }
}
