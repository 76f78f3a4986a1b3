//! Granting a demo's fixed token: active for a day, outside the line and the capacity.

use crate::answer::Answer;
use crate::decisions::expire_token;
use crate::event::{Event, TokenGranted};
use crate::limits::{GRANT_AGAIN_SECONDS, GRANTED_SECONDS};
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{RoomId, Timestamp, TokenHash, UserId};

/// Makes the token with this hash the user's active token. It replaces any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantToken {
    pub user_id: UserId,
    pub token_hash: TokenHash,
}

impl Decide for GrantToken {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let sale_now = state.sale_time(now);
        let before = state.room.by_hash(&self.token_hash);
        if let Some(token) = before.filter(|token| state.room.is_active(token, now.plus_seconds(GRANT_AGAIN_SECONDS))) {
            return Ok(Decided::Already(Answer::Token(token.clone())));
        }
        let other = state.room.in_room(self.user_id).filter(|other| before != Some(other));
        let (replaced, overdue) = match other {
            Some(other) if state.room.is_in_room(other, now) => (Some(other.token_id), None),
            overdue => (None, overdue.map(|token| expire_token(token, &state.room, now))),
        };
        let granted = Event::from(TokenGranted {
            token_id: before.map_or_else(|| state.room.next_token_id(), |token| token.token_id),
            user_id: self.user_id,
            room_id: RoomId::FIRST,
            token_hash: self.token_hash,
            replaced_token_id: replaced,
            granted_at: now,
            expires_at: sale_now.plus_seconds(GRANTED_SECONDS),
        });
        Ok(Decided::Events(overdue.into_iter().chain([granted]).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::limits::ACTIVE_SECONDS;
    use crate::spec::*;

    const HALF_A_DAY: i64 = GRANTED_SECONDS - GRANT_AGAIN_SECONDS;

    fn grant(user_id: UserId) -> GrantToken {
        GrantToken { user_id, token_hash: fixed_hash(user_id) }
    }

    #[test]
    fn a_fixed_token_needs_no_slot() {
        given([room(0)]).when(Credential::System, grant(ANN)).then([granted(ANN, 1, None)]);
    }

    #[test]
    fn it_takes_the_place_of_the_users_other_token() {
        given([room(1), admitted(ANN, 1)]).when(Credential::System, grant(ANN)).then([granted(ANN, 2, Some(1))]);
    }

    #[test]
    fn another_token_that_is_overdue_expires_first() {
        given([room(1), admitted(ANN, 1)])
            .after_seconds(ACTIVE_SECONDS)
            .when(Credential::System, grant(ANN))
            .then([expired(ANN, 1).at_seconds(ACTIVE_SECONDS), granted(ANN, 2, None).at_seconds(ACTIVE_SECONDS)]);
    }

    #[test]
    fn with_over_twelve_hours_left_nothing_is_written() {
        let starts = given([room(0), granted(ANN, 1, None)]);
        let just_over = starts.after_seconds(HALF_A_DAY - 1).when(Credential::System, grant(ANN));
        assert!(matches!(just_over.decided(), Ok(Decided::Already(Answer::Token(_)))));
    }

    #[test]
    fn with_twelve_hours_left_the_same_token_is_active_again_for_a_day() {
        given([room(0), granted(ANN, 1, None)])
            .after_seconds(HALF_A_DAY)
            .when(Credential::System, grant(ANN))
            .then([granted(ANN, 1, None).at_seconds(HALF_A_DAY)]);
    }

    #[test]
    fn a_fixed_token_that_was_left_is_active_again_under_its_number() {
        given([room(0), granted(ANN, 1, None), left(ANN, 0)])
            .when(Credential::System, grant(ANN))
            .then([granted(ANN, 1, None)]);
    }
}
