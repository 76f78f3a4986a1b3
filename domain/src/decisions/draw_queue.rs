//! The draw: with the seed, everyone's place follows.

use crate::answer::Answer;
use crate::draw;
use crate::event::QueueDrawn;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{Hash, RoomId, Timestamp};

/// Draws, if entry is closed and only the seed is missing. Every node sends this command; the first one draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawQueue {
    /// The seed that the server's key makes from the opening's nonce.
    pub seed: Hash,
}

impl Decide for DrawQueue {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let Some(opening) = state.room.openings().announced().filter(|opening| opening.drawable().is_some()) else {
            return Ok(Decided::Already(Answer::Done));
        };
        if draw::commitment(&self.seed) != opening.commitment {
            return Err(Rejection::SeedNotCommitted);
        }
        Ok(Decided::one(QueueDrawn { room_id: RoomId::FIRST, seed: self.seed, drawn_at: now }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::spec::*;

    const DRAW: DrawQueue = DrawQueue { seed: DRAW_SEED };

    fn closed(with: Option<crate::state::room::Beacon>, entrants: u64) -> Given {
        let line = (1..=entrants).map(|number| waiting(user_id(number), number));
        given([room(1), opening(with)]).and(line).and([entry_closed(1, entrants)])
    }

    #[test]
    fn a_closed_entry_is_drawn_once() {
        closed(None, 2).when(Credential::System, DRAW).then([queue_drawn()]);
        closed(None, 2).and([queue_drawn()]).when(Credential::System, DRAW).already(Answer::Done);
    }

    #[test]
    fn nothing_is_drawn_before_the_close() {
        given([room(1)]).when(Credential::System, DRAW).already(Answer::Done);
        given([room(1), opening(None)]).after_seconds(OPENS - 1).when(Credential::System, DRAW).already(Answer::Done);
    }

    #[test]
    fn only_the_seed_that_was_committed_to_draws() {
        let other = DrawQueue { seed: Hash::new([6; 32]) };
        closed(None, 2).when(Credential::System, other).refuses(Rejection::SeedNotCommitted);
    }

    #[test]
    fn a_draw_waits_for_its_beacon_unless_nobody_takes_part() {
        closed(Some(beacon()), 2).after_seconds(999_999).when(Credential::System, DRAW).already(Answer::Done);
        let known = closed(Some(beacon()), 2).and([beacon_received(Hash::new([9; 32]))]);
        known.when(Credential::System, DRAW).then([queue_drawn()]);
        closed(Some(beacon()), 0).when(Credential::System, DRAW).then([queue_drawn()]);
    }
}
