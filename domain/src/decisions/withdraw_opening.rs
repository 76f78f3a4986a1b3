//! Withdrawing an opening, before anyone has joined for it.

use crate::event::OpeningWithdrawn;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{RoomId, Timestamp};

/// Withdraws the opening before its pre-queue begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawOpening {
    pub reason: String,
}

impl Decide for WithdrawOpening {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let opening = state.room.openings().announced().ok_or(Rejection::OpeningNotFound)?;
        if now >= opening.prequeue_from {
            return Err(Rejection::OpeningBegun);
        }
        Ok(Decided::one(OpeningWithdrawn { room_id: RoomId::FIRST, reason: self.reason.clone(), withdrawn_at: now }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::spec::*;

    fn withdraw() -> WithdrawOpening {
        WithdrawOpening { reason: REASON.to_owned() }
    }

    #[test]
    fn an_opening_is_taken_back_before_its_pre_queue_begins() {
        let announced = || given([room(1), opening(None)]);
        announced()
            .after_seconds(PREQUEUE - 1)
            .when(Credential::OPERATOR, withdraw())
            .then([opening_withdrawn().at_seconds(PREQUEUE - 1)]);
        announced().after_seconds(PREQUEUE).when(Credential::OPERATOR, withdraw()).refuses(Rejection::OpeningBegun);
    }

    #[test]
    fn where_nothing_is_announced_nothing_is_taken_back() {
        given([room(1)]).when(Credential::OPERATOR, withdraw()).refuses(Rejection::OpeningNotFound);
        let gone = given([room(1), opening(None), opening_withdrawn()]);
        gone.when(Credential::OPERATOR, withdraw()).refuses(Rejection::OpeningNotFound);
    }
}
