//! Arriving: an admitted user confirms that they are there, and keeps the slot.

use crate::answer::Answer;
use crate::event::{Event, TokenArrived};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::state::room::Token;
use crate::values::{RoomId, SaleTime, Timestamp};

/// Confirms that the token's user has arrived. A second arrival changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrive;

impl Decide for Arrive {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        let token = by.token_id().and_then(|token_id| state.room.token(token_id)).ok_or(Rejection::TokenUnknown)?;
        if !state.room.is_active(token, now) {
            return Err(state.room.not_admitted(token, now));
        }
        Ok(arrival(token, state, now).map_or(Decided::Already(Answer::Token(token.clone())), Decided::one))
    }
}

/// Makes the arrival of a token in the room, if its user has not arrived yet.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::decisions::{IssueToken, Tick};
    use crate::event::ExpiryCause;
    use crate::limits::ACTIVE_SECONDS;
    use crate::record::{ActorName, Metadata, RecordedEvent};
    use crate::spec::*;

    /// ANN was let in with a minute to arrive, BOB waits behind her.
    fn let_in_ann() -> Given {
        given([room_with_arrival(1, 60), waiting(ANN, 1), waiting(BOB, 2), let_in(ANN, 1)])
    }

    #[test]
    fn who_was_let_in_arrives_once_and_stays_for_the_full_time() {
        let came = let_in_ann().after_seconds(59);
        came.ask(token(ANN), Arrive).then([arrived(ANN, 1).at(59, 0)]);
        let there = came.and([arrived(ANN, 1).at(59, 0)]);
        let last = there.after_seconds(ACTIVE_SECONDS - 60);
        assert!(matches!(last.ask(token(ANN), Arrive).decided(), Ok(Decided::Already(Answer::Token(_)))));
        last.ask(Credential::System, Tick::ALONE).already(Answer::Done);
        let over = last.after_seconds(1);
        let end = ACTIVE_SECONDS;
        let (ended, next) = (expired(ANN, 1).at_seconds(end), let_in(BOB, 2).at(end, end));
        over.when(Credential::System, Tick::ALONE).then([ended, next]);
    }

    #[test]
    fn whoever_does_not_arrive_gives_the_slot_on() {
        let late = let_in_ann().after_seconds(60);
        late.ask(token(ANN), Arrive).refuses(Rejection::TokenExpired);
        let no_show = expired(ANN, 1).ended_by(ExpiryCause::NoShow).at_seconds(60);
        late.when(Credential::System, Tick::ALONE).then([no_show, let_in(BOB, 2).at(60, 60)]);
    }

    #[test]
    fn to_join_again_is_to_arrive_and_so_is_a_command_that_wrote_something() {
        let join = IssueToken { user_id: Some(ANN), seed: seed(ANN), token_hash: token_hash(ANN) };
        let_in_ann().when(user(ANN), join.clone()).then([arrived(ANN, 1)]);
        let mut state = let_in_ann().state().clone();
        let by_ann = Metadata { actor: ActorName::User(ANN), ..metadata() };
        state.apply(&RecordedEvent { metadata: by_ann, ..recorded(&state.head, T0, charged(ANN, 1, 1)) });
        assert_eq!(state.room.arrive_by(state.room.in_room(ANN).unwrap()), None);
    }

    #[test]
    fn whoever_came_in_at_once_has_arrived() {
        let inside = given([room_with_arrival(1, 60), admitted(ANN, 1)]).after_seconds(60);
        inside.when(Credential::System, Tick::ALONE).already(Answer::Done);
    }

    #[test]
    fn whoever_waits_has_nowhere_to_arrive() {
        let waits = let_in_ann().ask(token(BOB), Arrive).decided();
        assert!(matches!(waits, Err(Rejection::NotAdmitted { .. })), "{waits:?}");
    }
}
