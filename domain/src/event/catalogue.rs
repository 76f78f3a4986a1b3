//! Events of the catalogue: concerts, schedules, seats.

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::never_absent;
use super::stored::OldShape;
use crate::coordinate::Coordinate;
use crate::limits::MAX_SEATS_PER_USER_IN_SCHEDULE;
use crate::values::{ConcertId, Points, ScheduleId, SeatId, Timestamp};

/// A concert was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcertPublished {
    pub concert_id: ConcertId,
    pub name: String,
    pub artist: String,
    pub venue: String,
}

/// At most 1,000 seats were added to a schedule that is not yet published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatsAdded {
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    #[serde(deserialize_with = "sharing_names")]
    pub seats: Vec<Seat>,
}

/// The shape before seats had places on a map.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeatsAddedV1 {
    concert_id: ConcertId,
    schedule_id: ScheduleId,
    #[serde(deserialize_with = "drawn_on_no_map")]
    seats: Vec<Seat>,
}

impl OldShape<SeatsAdded> for SeatsAddedV1 {
    fn upcast(self) -> SeatsAdded {
        let Self { concert_id, schedule_id, seats } = self;
        SeatsAdded { concert_id, schedule_id, seats }
    }

    fn of(event: &SeatsAdded) -> Option<Self> {
        let SeatsAdded { concert_id, schedule_id, seats } = event;
        let is_drawn = seats.iter().any(Seat::is_drawn);
        (!is_drawn).then(|| Self { concert_id: *concert_id, schedule_id: *schedule_id, seats: seats.clone() })
    }
}

/// A schedule is complete. Without an `import_id` it became visible with all its seats. With an `import_id` it becomes
/// visible with the [`CatalogImported`] of this import. `local_date` and `local_time` are the venue's, and do not
/// change with time zone rules.
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
    #[serde(deserialize_with = "never_absent")]
    pub import_id: Option<Uuid>,
    pub seats_per_user: u8,
}

/// The shape before there were imports and a limit per schedule: visible at once.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SchedulePublishedV1 {
    concert_id: ConcertId,
    schedule_id: ScheduleId,
    starts_at: Timestamp,
    time_zone: String,
    local_date: String,
    local_time: String,
    sale_opens_at: Timestamp,
    sale_closes_at: Timestamp,
    seats_total: u64,
}

impl OldShape<SchedulePublished> for SchedulePublishedV1 {
    fn upcast(self) -> SchedulePublished {
        SchedulePublished {
            concert_id: self.concert_id,
            schedule_id: self.schedule_id,
            starts_at: self.starts_at,
            time_zone: self.time_zone,
            local_date: self.local_date,
            local_time: self.local_time,
            sale_opens_at: self.sale_opens_at,
            sale_closes_at: self.sale_closes_at,
            seats_total: self.seats_total,
            import_id: None,
            seats_per_user: USUAL_SEATS_PER_USER,
        }
    }

    fn of(event: &SchedulePublished) -> Option<Self> {
        let says_all = event.import_id.is_none() && event.seats_per_user == USUAL_SEATS_PER_USER;
        says_all.then(|| Self {
            concert_id: event.concert_id,
            schedule_id: event.schedule_id,
            starts_at: event.starts_at,
            time_zone: event.time_zone.clone(),
            local_date: event.local_date.clone(),
            local_time: event.local_time.clone(),
            sale_opens_at: event.sale_opens_at,
            sale_closes_at: event.sale_closes_at,
            seats_total: event.seats_total,
        })
    }
}

/// The usual limit of a schedule. Version 1 has no member for it and means this number.
const USUAL_SEATS_PER_USER: u8 = 4;
const _: () = assert!(USUAL_SEATS_PER_USER as usize == MAX_SEATS_PER_USER_IN_SCHEDULE);

/// An import is complete: all schedules that it published became visible together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogImported {
    /// Names the import. `None` if it published no schedule.
    #[serde(deserialize_with = "never_absent")]
    pub import_id: Option<Uuid>,
    /// The operator's reason, if there is one.
    #[serde(deserialize_with = "never_absent")]
    pub reason: Option<String>,
    /// How many schedules became visible.
    pub schedules: u64,
    /// How many seats they have.
    pub seats: u64,
    pub imported_at: Timestamp,
}

/// Reads seats. Neighbours share one copy of a zone's or row's name, since a house has tens of thousands of seats.
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

fn drawn_on_no_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Seat>, D::Error> {
    let seats = sharing_names(deserializer)?;
    if seats.iter().any(Seat::is_drawn) {
        return Err(serde::de::Error::custom("seats had no x and y then"));
    }
    Ok(seats)
}

/// A seat as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// Unique in its schedule.
    pub seat_id: SeatId,
    /// The name that is printed on the ticket.
    pub name: Arc<str>,
    /// The zone: a part of the house.
    pub zone: Arc<str>,
    /// The catalogue's price.
    pub price: Points,
    /// The row, if the catalogue has it.
    #[serde(default)]
    pub row: Option<Arc<str>>,
    /// The number in the row, if the catalogue has it.
    #[serde(default)]
    pub number: Option<u32>,
    /// The horizontal coordinate on the map of the house, if the catalogue has it.
    #[serde(default)]
    pub x: Option<Coordinate>,
    /// The vertical coordinate on the map of the house, if the catalogue has it.
    #[serde(default)]
    pub y: Option<Coordinate>,
}

impl Seat {
    fn is_drawn(&self) -> bool {
        self.x.is_some() || self.y.is_some()
    }
}

/// An event leaves out unknown members. A snapshot must not, since its members are found by their order.
impl Serialize for Seat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_whole = !serializer.is_human_readable();
        let has = |is_known: bool| is_whole || is_known;
        let more = [self.row.is_some(), self.number.is_some(), self.x.is_some(), self.y.is_some()].map(has);
        let members = 4 + more.iter().filter(|is_said| **is_said).count();
        let [has_row, has_number, has_x, has_y] = more;
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
        if has_x {
            seat.serialize_field("x", &self.x)?;
        }
        if has_y {
            seat.serialize_field("y", &self.y)?;
        }
        seat.end()
    }
}

/// The time of a schedule's sale was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleWindowChanged {
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub sale_opens_at: Timestamp,
    pub sale_closes_at: Timestamp,
    pub reason: String,
    pub changed_at: Timestamp,
}

/// A schedule was moved to another time. `local_date` and `local_time` are the venue's, and do not change with time
/// zone rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleMoved {
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub starts_at: Timestamp,
    pub local_date: String,
    pub local_time: String,
    pub reason: String,
    pub moved_at: Timestamp,
}

/// The price of a zone's seats was changed. Holds and tickets keep theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceChanged {
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub zone: String,
    pub price: Points,
    pub reason: String,
    pub changed_at: Timestamp,
}

/// A show was called off: its seats cannot be held or paid any more, and ticks give all holds and payments back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleCancelled {
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub reason: String,
    pub cancelled_at: Timestamp,
}
