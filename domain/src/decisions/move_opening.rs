//! Moving an opening to a later time: everyone who has joined stays an entrant.

use crate::answer::Answer;
use crate::decisions::schedule_opening::{check_beacon, stored};
use crate::event::OpeningMoved;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::state::room::Beacon;
use crate::values::{RoomId, Timestamp};

/// Moves the opening to a later time, before its close. An opening with a beacon needs a new beacon, since the value of
/// the first one may be known too early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveOpening {
    pub opens_at: Timestamp,
    pub beacon: Option<Beacon>,
    pub reason: String,
}

impl Decide for MoveOpening {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let opening = state.room.openings().announced().ok_or(Rejection::OpeningNotFound)?;
        if opening.closed.is_some() {
            return Err(Rejection::OpeningBegun);
        }
        if (opening.opens_at, &opening.beacon) == (self.opens_at, &self.beacon) {
            return Ok(Decided::Already(Answer::Done));
        }
        if self.opens_at <= opening.opens_at {
            return Err(Rejection::Invalid {
                field: "opensAt",
                message: "must be later than the present opening time".to_owned(),
            });
        }
        let is_new = |beacon: &Beacon| opening.beacon.as_ref().is_some_and(|old| old.source != beacon.source);
        match (&opening.beacon, &self.beacon) {
            (None, None) => {}
            (None, Some(_)) => {
                return Err(Rejection::Invalid {
                    field: "beaconSource",
                    message: "must be left out: the opening was announced without a beacon".to_owned(),
                });
            }
            (Some(_), Some(beacon)) if is_new(beacon) => check_beacon(Some(beacon), self.opens_at)?,
            (Some(_), Some(_) | None) => {
                return Err(Rejection::Invalid {
                    field: "beaconSource",
                    message: "must name a new beacon: the value of the first one may be known too early".to_owned(),
                });
            }
        }
        let (beacon_source, beacon_at) = stored(self.beacon.as_ref());
        let (opens_at, reason) = (self.opens_at, self.reason.clone());
        let room_id = RoomId::FIRST;
        Ok(Decided::one(OpeningMoved { room_id, opens_at, beacon_source, beacon_at, reason, moved_at: now }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::spec::*;

    fn move_to(opens: i64, beacon: Option<Beacon>) -> MoveOpening {
        MoveOpening { opens_at: T0.plus_seconds(opens), beacon, reason: REASON.to_owned() }
    }

    /// Another beacon, which appears at this time.
    fn another(seconds: i64) -> Option<Beacon> {
        Some(Beacon { source: "drand round 2".into(), at: T0.plus_seconds(seconds) })
    }

    fn asked(announced: Option<Beacon>, moved: MoveOpening) -> Then {
        given([room(1), opening(announced)]).when(Credential::OPERATOR, moved)
    }

    fn field(then: Then) -> &'static str {
        match then.decided() {
            Err(Rejection::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_opening_is_put_off_and_never_put_forward() {
        asked(None, move_to(OPENS + 1, None)).then([opening_moved(OPENS + 1, None)]);
        assert_eq!(field(asked(None, move_to(OPENS - 1, None))), "opensAt");
    }

    #[test]
    fn an_opening_that_is_there_already_is_not_moved() {
        asked(None, move_to(OPENS, None)).already(Answer::Done);
        asked(Some(beacon()), move_to(OPENS, Some(beacon()))).already(Answer::Done);
    }

    #[test]
    fn an_opening_with_a_beacon_gets_another_that_appears_after_it() {
        let (later, source) = (OPENS + 60, Some(beacon()));
        let new = another(later + 1);
        asked(source.clone(), move_to(later, new.clone())).then([opening_moved(later, new)]);
        assert_eq!(field(asked(source.clone(), move_to(later, None))), "beaconSource");
        let same = Beacon { at: T0.plus_seconds(later + 1), ..beacon() };
        assert_eq!(field(asked(source.clone(), move_to(later, Some(same)))), "beaconSource");
        assert_eq!(field(asked(source, move_to(later, another(later)))), "beaconAt");
    }

    #[test]
    fn an_opening_without_a_beacon_gets_none() {
        assert_eq!(field(asked(None, move_to(OPENS + 60, another(OPENS + 90)))), "beaconSource");
    }

    #[test]
    fn where_nothing_is_announced_nothing_is_moved() {
        given([room(1)]).when(Credential::OPERATOR, move_to(OPENS, None)).refuses(Rejection::OpeningNotFound);
    }

    #[test]
    fn an_opening_moves_until_its_close_also_where_no_event_has_told_of_that() {
        let announced = || given([room(1), opening(None)]);
        let late = move_to(OPENS + 60, None);
        let moved = opening_moved(OPENS + 60, None).at_seconds(OPENS - 1);
        announced().after_seconds(OPENS - 1).when(Credential::OPERATOR, late.clone()).then([moved]);
        announced().after_seconds(OPENS).when(Credential::OPERATOR, late).refuses(Rejection::OpeningBegun);
    }
}
