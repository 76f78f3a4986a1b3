//! Issuing a token: it is in the room at once if a slot is free and nobody waits, else in line.

use std::borrow::Cow;

use crate::answer::Answer;
use crate::decisions::arrive::arrival;
use crate::decisions::expire_token;
use crate::event::{Event, TokenIssued, UserRegistered};
use crate::limits::{ACTIVE_SECONDS, WAITING_SECONDS};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{RoomId, Seed, Timestamp, TokenHash, UserId};

/// Gives a user a token. A user who is in the room or in line already keeps theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueToken {
    /// The user that the request names, if it names one. It must be the sender.
    pub user_id: Option<UserId>,
    /// Random bytes from the HTTP layer. The server's key derives the token from them.
    pub seed: Seed,
    /// SHA-256 of that token.
    pub token_hash: TokenHash,
}

impl Decide for IssueToken {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        let user_id = by.user_id().ok_or(Rejection::NotYours)?;
        self.user_id.map_or(Ok(()), |asked| by.must_be(asked))?;
        let newcomer = registered(by, user_id, state, now)?;
        let sale_now = state.sale_time(now);
        let in_room = state.room.in_room(user_id);
        if let Some(token) = in_room.filter(|token| state.room.is_in_room(token, now)) {
            return Ok(arrival(token, state, now).map_or(Decided::Already(Answer::Token(token.clone())), Decided::one));
        }
        let mut room = Cow::Borrowed(&state.room);
        if let Some(overdue) = in_room {
            room.to_mut().expire(overdue.token_id, now);
        }
        let admitted = room.waiting() == 0 && room.open_slots(now) > 0;
        if !admitted && room.is_line_full() {
            return Err(Rejection::RoomFull);
        }
        let issued = Event::from(TokenIssued {
            token_id: room.next_token_id(),
            user_id,
            room_id: RoomId::FIRST,
            token_hash: self.token_hash,
            seed: self.seed,
            queue_number: room.next_queue_number(),
            admitted,
            issued_at: now,
            expires_at: sale_now.plus_seconds(if admitted { ACTIVE_SECONDS } else { WAITING_SECONDS }),
        });
        let expiry = in_room.map(|overdue| expire_token(overdue, &state.room, now));
        Ok(Decided::Events(newcomer.into_iter().chain(expiry).chain([issued]).collect()))
    }
}

/// Makes the event that registers a new subject. In one log either all users are mapped or none is.
fn registered(by: &Actor, user_id: UserId, state: &State, now: Timestamp) -> Result<Option<Event>, Rejection> {
    let is_mapped = |user_id| state.users.is_registered(user_id);
    match by {
        Actor::Newcomer { .. } if state.users.are_mapped() == Some(false) => Err(Rejection::OtherIdentity),
        Actor::Newcomer { subject, .. } => {
            Ok(Some(UserRegistered { user_id, subject: *subject, registered_at: now }.into()))
        }
        Actor::User(_) | Actor::Holder { .. } | Actor::System | Actor::Operator(_) => {
            let fits = state.users.are_mapped() != Some(true) || is_mapped(user_id);
            if fits { Ok(None) } else { Err(Rejection::OtherIdentity) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::*;
    use crate::state::room::Room;

    fn issue(user_id: UserId) -> IssueToken {
        IssueToken { user_id: Some(user_id), seed: seed(user_id), token_hash: token_hash(user_id) }
    }

    #[test]
    fn where_a_slot_is_free_and_nobody_waits_a_token_is_active_at_once() {
        given([room(1)]).when(user(ANN), issue(ANN)).then([admitted(ANN, 1)]);
    }

    #[test]
    fn where_no_slot_is_free_a_token_waits() {
        given([room(1), admitted(ANN, 1)]).when(user(BOB), issue(BOB)).then([waiting(BOB, 2)]);
    }

    #[test]
    fn nobody_passes_those_who_wait_though_a_slot_be_free() {
        given([room(1), admitted(ANN, 1), waiting(BOB, 2), left(ANN, 1)])
            .when(user(EVE), issue(EVE))
            .then([waiting(EVE, 3)]);
    }

    #[test]
    fn asking_again_keeps_the_place() {
        let place = admitted(ANN, 1).answer();
        given([room(1), admitted(ANN, 1)]).when(user(ANN), issue(ANN)).already(place);
    }

    #[test]
    fn a_token_past_its_deadline_is_expired_and_replaced_in_one_step() {
        given([room(1), admitted(ANN, 1)])
            .after_seconds(ACTIVE_SECONDS)
            .when(user(ANN), issue(ANN))
            .then([expired(ANN, 1).at_seconds(ACTIVE_SECONDS), admitted(ANN, 2).at_seconds(ACTIVE_SECONDS)]);
    }

    #[test]
    fn a_token_just_before_its_deadline_is_kept() {
        given([room(1), admitted(ANN, 1)])
            .after_seconds(ACTIVE_SECONDS - 1)
            .when(user(ANN), issue(ANN))
            .already(admitted(ANN, 1).answer());
    }

    #[test]
    fn who_has_left_gets_a_new_place_at_the_end() {
        given([room(1), admitted(ANN, 1), waiting(BOB, 2), left(ANN, 1)])
            .when(user(ANN), issue(ANN))
            .then([waiting(ANN, 3)]);
    }

    #[test]
    fn the_pace_holds_for_those_who_need_not_wait() {
        given([paced_room(10, 1), admitted(ANN, 1)]).when(user(BOB), issue(BOB)).then([waiting(BOB, 2)]);
        given([paced_room(10, 1), admitted(ANN, 1)])
            .after_seconds(1)
            .when(user(BOB), issue(BOB))
            .then([admitted(BOB, 2).at_seconds(1)]);
    }

    #[test]
    fn a_full_line_takes_nobody_more() {
        let line = |length: u64| {
            let few = Room::with_limits(2, 9);
            let in_line = (1..=length).map(|number| waiting(UserId::try_from(number).unwrap(), number));
            given_in(few, [room(0)]).and(in_line)
        };
        line(1).when(user(BOB), issue(BOB)).then([waiting(BOB, 2)]);
        line(2).when(user(EVE), issue(EVE)).refuses(Rejection::RoomFull);
        line(2).when(user(BOB), issue(BOB)).already(waiting(BOB, 2).answer());
        line(2).and([left(ANN, 1)]).when(user(EVE), issue(EVE)).then([waiting(EVE, 3)]);
    }

    #[test]
    fn a_full_line_stops_nobody_who_need_not_wait() {
        let none = Room::with_limits(0, 9);
        given_in(none, [room(1)]).when(user(ANN), issue(ANN)).then([admitted(ANN, 1)]);
    }

    #[test]
    fn in_a_full_line_an_overdue_place_makes_way_for_its_own_user() {
        given_in(Room::with_limits(1, 9), [room(0), waiting(ANN, 1)])
            .after_seconds(WAITING_SECONDS)
            .when(user(ANN), issue(ANN))
            .then([expired(ANN, 1).at_seconds(WAITING_SECONDS), waiting(ANN, 2).at_seconds(WAITING_SECONDS)]);
    }

    #[test]
    fn nobody_asks_for_the_token_of_another() {
        given([room(1)]).when(user(ANN), issue(BOB)).refuses(Rejection::NotYours);
    }
}
