//! The way of versions, on an event that is made up: it was renamed, and got a reason.

use serde::{Deserialize, Serialize};

use super::*;
use crate::values::Timestamp;

/// What the program means today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorClosed {
    pub door: u64,
    pub reason: Option<String>,
}

/// What the first program wrote: doors were counted from 0, and closed for no reason.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorClosedV1 {
    pub index: u64,
}

impl OldShape<DoorClosed> for DoorClosedV1 {
    fn upcast(self) -> DoorClosed {
        DoorClosed { door: self.index + 1, reason: None }
    }

    fn of(event: &DoorClosed) -> Option<Self> {
        event.reason.is_none().then(|| Self { index: event.door - 1 })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorOpened {
    pub opened_at: Timestamp,
}

/// The end of a time that may have ended long ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseGone {
    pub gone_at: Timestamp,
}

events! {
    /// What happens to doors.
    pub enum Made {
        /// All of it.
        Doors(DoorsEvent) {
            DoorClosed (no time) { 1: Older<DoorClosedV1>, 2: Newest }
            DoorOpened (at opened_at) { 1: Newest }
            HouseGone (since gone_at) { 1: Newest }
        }
    }
}

fn closed(reason: Option<&str>) -> DoorClosed {
    DoorClosed { door: 3, reason: reason.map(str::to_owned) }
}

fn opened() -> Made {
    DoorOpened { opened_at: Timestamp::from_millis(9) }.into()
}

fn read(event_type: &str, version: u32, data: &str) -> Option<Made> {
    Made::read(event_type, version, data).map(Result::unwrap)
}

#[test]
fn an_event_is_written_in_the_oldest_version_that_says_all_of_it() {
    assert_eq!(Made::from(closed(None)).written(), (1, r#"{"index":2}"#.to_owned()));
    let because = Made::from(closed(Some("smoke")));
    assert_eq!(because.written(), (2, r#"{"door":3,"reason":"smoke"}"#.to_owned()));
    assert_eq!(opened().written(), (1, r#"{"opened_at":9}"#.to_owned()));
}

#[test]
fn data_of_every_version_is_read_as_the_event_that_it_means() {
    assert_eq!(read("DoorClosed", 1, r#"{"index":2}"#), Some(closed(None).into()));
    assert_eq!(read("DoorClosed", 2, r#"{"door":3,"reason":"smoke"}"#), Some(closed(Some("smoke")).into()));
    assert_eq!(read("DoorClosed", 2, r#"{"door":3,"reason":null}"#), Some(closed(None).into()));
}

#[test]
fn data_of_one_version_is_no_data_of_another() {
    assert!(Made::read("DoorClosed", 1, r#"{"door":3,"reason":null}"#).unwrap().is_err());
    assert!(Made::read("DoorClosed", 2, r#"{"index":2}"#).unwrap().is_err());
}

#[test]
fn what_is_not_in_the_table_is_not_read() {
    assert_eq!(read("DoorClosed", 3, "{}"), None);
    assert_eq!(read("DoorClosed", 0, "{}"), None);
    assert_eq!(read("DoorPainted", 1, "{}"), None);
    assert_eq!(Made::TYPES, [("DoorClosed", [1, 2].as_slice()), ("DoorOpened", &[1]), ("HouseGone", &[1])]);
    assert_eq!(Made::from(closed(None)).event_type(), "DoorClosed");
}

#[test]
fn an_event_tells_when_it_was_decided_where_it_knows() {
    let mut all = [closed(None).into(), opened(), HouseGone { gone_at: Timestamp::from_millis(9) }.into()];
    let nine = Some(Timestamp::from_millis(9));
    assert_eq!(all.each_ref().map(Made::decided_at), [None, nine, None]);
    assert_eq!(all.each_mut().map(|event| event.happened_at().copied()), [None, nine, nine]);
}
