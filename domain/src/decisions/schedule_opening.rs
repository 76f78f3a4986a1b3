//! Announcing an opening: a pre-queue, and a draw whose seed is fixed now by a commitment.

use crate::event::OpeningScheduled;
use crate::limits::MIN_OPENING_NOTICE_SECONDS;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::state::room::Beacon;
use crate::values::{Hash, Nonce, RoomId, Timestamp};

/// Announces the opening of the room. Only one can be announced at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleOpening {
    /// The begin of the pre-queue: from then on nobody is admitted, and every user who joins is an entrant.
    pub prequeue_from: Timestamp,
    /// The opening time: the end of the pre-queue.
    pub opens_at: Timestamp,
    /// The beacon that the draw waits for, if there is one.
    pub beacon: Option<Beacon>,
    /// Random bytes from the HTTP layer. The server's key makes the seed from them.
    pub nonce: Nonce,
    /// SHA-256 of that seed.
    pub commitment: Hash,
    pub reason: String,
}

impl Decide for ScheduleOpening {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        if self.prequeue_from < now {
            return Err(Rejection::Invalid { field: "prequeueFrom", message: "must not be in the past".to_owned() });
        }
        if self.opens_at <= self.prequeue_from {
            return Err(Rejection::Invalid { field: "opensAt", message: "must be later than prequeueFrom".to_owned() });
        }
        if self.opens_at < now.plus_seconds(MIN_OPENING_NOTICE_SECONDS) {
            return Err(Rejection::Invalid {
                field: "opensAt",
                message: format!("must be at least {MIN_OPENING_NOTICE_SECONDS} seconds from now"),
            });
        }
        check_beacon(self.beacon.as_ref(), self.opens_at)?;
        if state.room.openings().announced().is_some() {
            return Err(Rejection::OpeningExists);
        }
        let (beacon_source, beacon_at) = stored(self.beacon.as_ref());
        Ok(Decided::one(OpeningScheduled {
            room_id: RoomId::FIRST,
            prequeue_from: self.prequeue_from,
            opens_at: self.opens_at,
            nonce: self.nonce,
            commitment: self.commitment,
            beacon_source,
            beacon_at,
            reason: self.reason.clone(),
            scheduled_at: now,
        }))
    }
}

/// Checks that a beacon appears after the opening time. Otherwise its value would be known while people still join.
pub(super) fn check_beacon(beacon: Option<&Beacon>, opens_at: Timestamp) -> Result<(), Rejection> {
    match beacon {
        Some(beacon) if beacon.at <= opens_at => {
            Err(Rejection::Invalid { field: "beaconAt", message: "must be later than opensAt".to_owned() })
        }
        Some(_) | None => Ok(()),
    }
}

/// The source and the time as two members of an event.
pub(super) fn stored(beacon: Option<&Beacon>) -> (Option<String>, Option<Timestamp>) {
    (beacon.map(|beacon| beacon.source.to_string()), beacon.map(|beacon| beacon.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::draw;
    use crate::spec::*;

    fn schedule(prequeue: i64, opens: i64, beacon: Option<Beacon>) -> ScheduleOpening {
        ScheduleOpening {
            prequeue_from: T0.plus_seconds(prequeue),
            opens_at: T0.plus_seconds(opens),
            beacon,
            nonce: Nonce::new([7; 16]),
            commitment: draw::commitment(&DRAW_SEED),
            reason: REASON.to_owned(),
        }
    }

    fn refused(asked: ScheduleOpening) -> &'static str {
        match given([room(1)]).when(Credential::OPERATOR, asked).decided() {
            Err(Rejection::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_opening_is_announced_with_what_its_seed_is_known_by() {
        given([room(1)]).when(Credential::OPERATOR, schedule(PREQUEUE, OPENS, None)).then([opening(None)]);
        let with_beacon = schedule(PREQUEUE, OPENS, Some(beacon()));
        given([room(1)]).when(Credential::OPERATOR, with_beacon).then([opening(Some(beacon()))]);
    }

    #[test]
    fn a_pre_queue_begins_now_or_later_and_before_the_opening() {
        assert!(given([room(1)]).when(Credential::OPERATOR, schedule(0, 60, None)).decided().is_ok());
        assert_eq!(refused(schedule(-1, 60, None)), "prequeueFrom");
        assert!(given([room(1)]).when(Credential::OPERATOR, schedule(60, 61, None)).decided().is_ok());
        assert_eq!(refused(schedule(60, 60, None)), "opensAt");
    }

    #[test]
    fn an_opening_is_a_minute_from_now_at_least() {
        assert!(given([room(1)]).when(Credential::OPERATOR, schedule(0, 60, None)).decided().is_ok());
        assert_eq!(refused(schedule(0, 59, None)), "opensAt");
    }

    #[test]
    fn a_beacon_appears_after_the_opening() {
        let beacon_at = |seconds| Some(Beacon { at: T0.plus_seconds(seconds), ..beacon() });
        assert!(given([room(1)]).when(Credential::OPERATOR, schedule(0, 60, beacon_at(61))).decided().is_ok());
        assert_eq!(refused(schedule(0, 60, beacon_at(60))), "beaconAt");
    }

    #[test]
    fn there_is_one_opening_at_a_time_and_another_after_its_draw() {
        let announced = || given([room(1), opening(None)]);
        announced().when(Credential::OPERATOR, schedule(200, 300, None)).refuses(Rejection::OpeningExists);
        assert!(matches!(
            announced().when(Credential::OPERATOR, schedule(-1, 300, None)).decided(),
            Err(Rejection::Invalid { .. })
        ));
        let drawn = announced().and([entry_closed(1, 0), queue_drawn()]);
        assert!(drawn.when(Credential::OPERATOR, schedule(200, 300, None)).decided().is_ok());
    }
}
