//! The first append of every log: its identity and its room.

use uuid::Uuid;

use crate::answer::Answer;
use crate::event::{Event, LogCreated, RoomConfigured};
use crate::record::{HASH_ALGORITHM, LOG_FORMAT};
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{Hash, RoomId, Timestamp};

/// Gives an empty log its id, its server key's check value and its room. A log that has these already stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateLog {
    pub log_id: Uuid,
    /// HMAC-SHA-256(server key, "reprise/key-check").
    pub key_check: Hash,
    pub capacity: u64,
}

impl Decide for CreateLog {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        if state.log.is_some() {
            return Ok(Decided::Already(Answer::Done));
        }
        let created = Event::from(LogCreated {
            log_id: self.log_id,
            format: LOG_FORMAT,
            hash_algorithm: HASH_ALGORITHM.to_owned(),
            key_check: self.key_check,
        });
        let configured = Event::from(RoomConfigured {
            room_id: RoomId::FIRST,
            capacity: self.capacity,
            admissions_per_second: None,
            configured_at: now,
            arrival_seconds: None,
            reason: None,
        });
        Ok(Decided::Events(vec![created, configured]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::spec::*;

    fn create() -> CreateLog {
        CreateLog { log_id: Uuid::nil(), key_check: Hash::new([7; 32]), capacity: 10 }
    }

    fn created() -> Event {
        let hash_algorithm = "SHA-256".to_owned();
        Event::from(LogCreated { log_id: Uuid::nil(), format: 1, hash_algorithm, key_check: Hash::new([7; 32]) })
    }

    #[test]
    fn a_log_begins_with_its_name_and_its_room() {
        given([]).when(Credential::System, create()).then([created(), room(10)]);
    }

    #[test]
    fn a_log_is_created_once() {
        given([created(), room(10)]).when(Credential::System, create()).already(Answer::Done);
    }
}
