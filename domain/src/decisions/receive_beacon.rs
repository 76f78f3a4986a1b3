//! The beacon: a public value that nobody could know while people joined.

use crate::answer::Answer;
use crate::event::BeaconReceived;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{Hash, RoomId, Timestamp};

/// Stores the beacon's value after it has appeared. A second request with this value gets the same answer, also after
/// the draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveBeacon {
    pub value: Hash,
    pub reason: String,
}

impl Decide for ReceiveBeacon {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let openings = state.room.openings();
        let opening = openings.announced().or(openings.last_draw().map(|draw| &draw.opening));
        let (opening, beacon) =
            opening.and_then(|opening| Some((opening, opening.beacon.as_ref()?))).ok_or(Rejection::OpeningNotFound)?;
        match opening.beacon_value {
            Some(known) if known == self.value => Ok(Decided::Already(Answer::Done)),
            Some(_) => Err(Rejection::BeaconKnown),
            None if now < beacon.at => Err(Rejection::BeaconNotDue { at: beacon.at }),
            None if openings.announced().is_none() => Err(Rejection::OpeningNotFound),
            None => {
                let (value, reason) = (self.value, self.reason.clone());
                Ok(Decided::one(BeaconReceived { room_id: RoomId::FIRST, value, reason, received_at: now }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::event::Event;
    use crate::spec::*;

    const VALUE: Hash = Hash::new([9; 32]);
    const DUE: i64 = OPENS + 30;

    fn receive(value: Hash) -> ReceiveBeacon {
        ReceiveBeacon { value, reason: REASON.to_owned() }
    }

    /// Closed at the opening time with one entrant, and what came then.
    fn closed(events: impl IntoIterator<Item = Event>) -> Given {
        let closed = [waiting(ANN, 1), entry_closed(1, 1)];
        given([room(1), opening(Some(beacon()))])
            .after_seconds(OPENS)
            .and(closed)
            .after_seconds(DUE - OPENS)
            .and(events)
    }

    #[test]
    fn a_beacon_is_written_down_from_when_it_appears() {
        let received = beacon_received(VALUE).at_seconds(DUE);
        closed([]).when(Credential::OPERATOR, receive(VALUE)).then([received]);
        let at = T0.plus_seconds(DUE);
        closed([]).after_seconds(-1).when(Credential::OPERATOR, receive(VALUE)).refuses(Rejection::BeaconNotDue { at });
    }

    #[test]
    fn there_is_one_value_and_the_same_again_is_the_same_answer_also_after_the_draw() {
        for after in [vec![], vec![queue_drawn()]] {
            let known = || closed([beacon_received(VALUE)]).and(after.clone());
            known().when(Credential::OPERATOR, receive(VALUE)).already(Answer::Done);
            known().when(Credential::OPERATOR, receive(DRAW_SEED)).refuses(Rejection::BeaconKnown);
        }
    }

    #[test]
    fn where_no_beacon_is_waited_for_none_is_written_down() {
        for events in [vec![], vec![opening(None)]] {
            let none = given([room(1)]).and(events);
            none.after_seconds(DUE).when(Credential::OPERATOR, receive(VALUE)).refuses(Rejection::OpeningNotFound);
        }
        // Nobody took part, so nothing was waited for.
        let empty = given([room(1), opening(Some(beacon())), entry_closed(1, 0), queue_drawn()]);
        empty.after_seconds(DUE).when(Credential::OPERATOR, receive(VALUE)).refuses(Rejection::OpeningNotFound);
    }
}
