//! A catalogue as operators write it, in JSON.

use serde::Deserialize;

/// The zone that a schedule is in unless its file says otherwise.
pub const DEFAULT_TIME_ZONE: &str = "Asia/Seoul";

/// Everything to be published.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CatalogFile {
    pub concerts: Vec<ConcertEntry>,
}

/// A concert; without an id it is known by name, artist and venue.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConcertEntry {
    #[serde(default)]
    pub concert_id: Option<u64>,
    pub concert_name: String,
    pub artist: String,
    pub venue: String,
    #[serde(default)]
    pub schedules: Vec<ScheduleEntry>,
}

/// A schedule; without an id it is known by its start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScheduleEntry {
    #[serde(default)]
    pub schedule_id: Option<u64>,
    pub starts_at: jiff::Timestamp,
    #[serde(default = "default_time_zone")]
    pub time_zone: String,
    /// The time of the import where it is left out.
    #[serde(default)]
    pub sale_opens_at: Option<jiff::Timestamp>,
    /// The start where it is left out.
    #[serde(default)]
    pub sale_closes_at: Option<jiff::Timestamp>,
    /// Seats by the number in each zone.
    #[serde(default)]
    pub zones: Vec<ZoneEntry>,
    /// Seats one by one.
    #[serde(default)]
    pub seats: Vec<SeatEntry>,
}

/// So many seats of one zone, named `<zone>-1`, `<zone>-2`, ….
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ZoneEntry {
    pub zone_name: String,
    pub price: u64,
    pub seats: u32,
}

/// One seat; without an id it is known by zone and name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SeatEntry {
    #[serde(default)]
    pub seat_id: Option<u64>,
    pub seat_name: String,
    pub zone_name: String,
    pub price: u64,
    #[serde(default)]
    pub row: Option<String>,
    #[serde(default)]
    pub number: Option<u32>,
}

fn default_time_zone() -> String {
    DEFAULT_TIME_ZONE.to_owned()
}

/// What `reprise catalog example` prints: a concert with a schedule by zones and one by seats.
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
          "startsAt": "2027-12-25T10:30:00Z",
          "seats": [
            { "seatId": 1, "seatName": "A-1", "zoneName": "VIP", "price": 200000, "row": "A", "number": 1 },
            { "seatName": "A-2", "zoneName": "VIP", "price": 200000, "row": "A", "number": 2 }
          ]
        }
      ]
    }
  ]
}
"#;
