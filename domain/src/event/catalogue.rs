//! What can be sold: concerts, schedules, seats.

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::values::{ConcertId, Points, ScheduleId, SeatId, Timestamp};

/// A concert exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcertPublished {
    pub concert_id: ConcertId,
    pub name: String,
    pub artist: String,
    pub venue: String,
}

/// Seats of a schedule that is not yet published, at most 1,000.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatsAdded {
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    #[serde(deserialize_with = "sharing_names")]
    pub seats: Vec<Seat>,
}

/// A schedule and all of its seats became visible. `local_date` and `local_time` are the venue's, fixed here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchedulePublished {
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub starts_at: Timestamp,
    pub time_zone: String,
    pub local_date: String,
    pub local_time: String,
    pub sale_opens_at: Timestamp,
    pub sale_closes_at: Timestamp,
    pub seats_total: u64,
}

/// Neighbours in one zone or row share its name: there are tens of thousands of them in a house.
fn sharing_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Seat>, D::Error> {
    let mut seats = Vec::<Seat>::deserialize(deserializer)?;
    for index in 1..seats.len() {
        let [before, seat] = &mut seats[index - 1..=index] else { unreachable!("two neighbours are two") };
        if seat.zone == before.zone {
            seat.zone = Arc::clone(&before.zone);
        }
        if seat.row == before.row {
            seat.row.clone_from(&before.row);
        }
    }
    Ok(seats)
}

/// A seat as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// Unique in its schedule.
    pub seat_id: SeatId,
    /// What is printed on the ticket.
    pub name: Arc<str>,
    /// The part of the house that it is in.
    pub zone: Arc<str>,
    /// What it costs.
    pub price: Points,
    /// Its row, where that is known.
    #[serde(default)]
    pub row: Option<Arc<str>>,
    /// Its number in the row, where that is known.
    #[serde(default)]
    pub number: Option<u32>,
}

/// An event leaves out what is not known. A snapshot must not: its members have places and no names.
impl Serialize for Seat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_whole = !serializer.is_human_readable();
        let (has_row, has_number) = (is_whole || self.row.is_some(), is_whole || self.number.is_some());
        let members = 4 + usize::from(has_row) + usize::from(has_number);
        let mut seat = serializer.serialize_struct("Seat", members)?;
        seat.serialize_field("seat_id", &self.seat_id)?;
        seat.serialize_field("name", &self.name)?;
        seat.serialize_field("zone", &self.zone)?;
        seat.serialize_field("price", &self.price)?;
        if has_row {
            seat.serialize_field("row", &self.row)?;
        }
        if has_number {
            seat.serialize_field("number", &self.number)?;
        }
        seat.end()
    }
}
