//! Configuring the room: how many it holds, and how fast it admits.

use crate::answer::Answer;
use crate::event::RoomConfigured;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{RoomId, Timestamp};

/// Sets capacity, pace and time of arrival. Users inside stay, even if the new capacity is smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigureRoom {
    /// How many tokens may be active at once.
    pub capacity: u64,
    /// The most admissions in one second. `None`: no limit.
    pub admissions_per_second: Option<u32>,
    /// How many seconds an admitted user has to arrive. `None`: they need not arrive.
    pub arrival_seconds: Option<u32>,
    /// The operator's reason, if there is one.
    pub reason: Option<String>,
}

impl Decide for ConfigureRoom {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let room = &state.room;
        let before = (room.capacity(), room.admissions_per_second(), room.arrival_seconds());
        if before == (self.capacity, self.admissions_per_second, self.arrival_seconds) {
            return Ok(Decided::Already(Answer::Done));
        }
        Ok(Decided::one(RoomConfigured {
            room_id: RoomId::FIRST,
            capacity: self.capacity,
            admissions_per_second: self.admissions_per_second,
            configured_at: now,
            arrival_seconds: self.arrival_seconds,
            reason: self.reason.clone(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::spec::*;

    #[test]
    fn a_room_grows() {
        let grow = ConfigureRoom { capacity: 20, admissions_per_second: None, arrival_seconds: None, reason: None };
        given([room(10)]).when(Credential::OPERATOR, grow).then([room(20)]);
    }

    #[test]
    fn the_same_configuration_again_is_no_event() {
        let same = ConfigureRoom { capacity: 10, admissions_per_second: None, arrival_seconds: None, reason: None };
        given([room(10)]).when(Credential::OPERATOR, same).already(Answer::Done);
    }

    #[test]
    fn a_reason_and_a_time_to_arrive_are_said() {
        let configure = ConfigureRoom {
            capacity: 10,
            admissions_per_second: Some(5),
            arrival_seconds: Some(60),
            reason: Some("too many at the door".to_owned()),
        };
        let decided = given([room(10)]).when(Credential::OPERATOR, configure).decided();
        let Ok(Decided::Events(events)) = decided else { panic!("{decided:?}") };
        let data = r#"{"room_id":1,"capacity":10,"admissions_per_second":5,"configured_at":1800000000000,"arrival_seconds":60,"reason":"too many at the door"}"#;
        assert_eq!((events[0].type_version(), events[0].encode().as_str()), (2, data));
    }
}
