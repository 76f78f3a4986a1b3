//! The JSON of a catalogue file. A null member counts as left out.

use serde::Deserialize;

/// The default time zone of a schedule.
pub const DEFAULT_TIME_ZONE: &str = "Asia/Seoul";

/// A catalogue file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CatalogFile {
    pub concerts: Vec<ConcertEntry>,
}

/// A concert. Without an id it is identified by name, artist and venue.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConcertEntry {
    #[serde(skip)]
    pub line: Option<u64>,
    pub concert_id: Option<u64>,
    pub concert_name: String,
    pub artist: String,
    pub venue: String,
    pub schedules: Option<Vec<ScheduleEntry>>,
}

/// A schedule. Without an id it is identified by its start.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScheduleEntry {
    #[serde(skip)]
    pub line: Option<u64>,
    pub schedule_id: Option<u64>,
    /// The start, in a form that [`Written`](super::times::Written) reads.
    pub starts_at: String,
    /// The time zone. Without it: the zone that a time names, else [`DEFAULT_TIME_ZONE`].
    pub time_zone: Option<String>,
    /// The begin of the sale. Without it: the time of the import.
    pub sale_opens_at: Option<String>,
    /// The end of the sale. Without it: the start of the show.
    pub sale_closes_at: Option<String>,
    /// The most seats that one user may hold or own.
    pub seats_per_user: Option<u64>,
    /// Seats, given as a number for each zone.
    pub zones: Option<Vec<ZoneEntry>>,
    /// Seats, given one by one.
    pub seats: Option<Vec<SeatEntry>>,
}

/// A number of seats in one zone, named `<zone>-1`, `<zone>-2`, ….
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ZoneEntry {
    pub zone_name: String,
    pub price: u64,
    pub seats: u32,
}

/// A seat. Without an id it is identified by zone and name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SeatEntry {
    #[serde(skip)]
    pub line: Option<u64>,
    pub seat_id: Option<u64>,
    pub seat_name: String,
    pub zone_name: String,
    pub price: u64,
    pub row: Option<String>,
    pub number: Option<u32>,
    /// The coordinates on the map of the house.
    pub x: Option<f64>,
    pub y: Option<f64>,
}

/// The output of `reprise catalog example`: a concert with a schedule by zones and one by seats.
pub const EXAMPLE: &str = r#"{
  "concerts": [
    {
      "concertId": 1,
      "concertName": "Winter Reprise",
      "artist": "The Sequencers",
      "venue": "Olympic Hall, Seoul",
      "schedules": [
        {
          "scheduleId": 1,
          "startsAt": "2027-12-24T10:30:00Z",
          "timeZone": "Asia/Seoul",
          "saleOpensAt": "2026-10-01T11:00:00Z",
          "saleClosesAt": "2027-12-24T10:00:00Z",
          "zones": [
            { "zoneName": "Floor", "price": 150000, "seats": 500 },
            { "zoneName": "Balcony", "price": 90000, "seats": 300 }
          ]
        },
        {
          "startsAt": "2027-12-25T19:30:00",
          "timeZone": "Asia/Seoul",
          "seatsPerUser": 2,
          "seats": [
            { "seatId": 1, "seatName": "A-1", "zoneName": "VIP", "price": 200000, "row": "A", "number": 1, "x": 10, "y": 5.5 },
            { "seatName": "A-2", "zoneName": "VIP", "price": 200000, "row": "A", "number": 2 }
          ]
        }
      ]
    }
  ]
}
"#;
