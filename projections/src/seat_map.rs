//! The map of a house: the parts of a schedule's seats that never change. Prices change, so they are not here.

use bytes::Bytes;
use domain::{Coordinate, Plan, ScheduleId, Seat, SeatId};
use serde::Serialize;

use crate::representation;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Map<'a> {
    schedule_id: ScheduleId,
    zones: Vec<Zone<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Zone<'a> {
    zone_name: &'a str,
    rows: Vec<Row<'a>>,
    /// Places without a row.
    seats: Vec<Drawn<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    row: &'a str,
    seats: Vec<Drawn<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Drawn<'a> {
    seat_id: SeatId,
    seat_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<Coordinate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<Coordinate>,
}

/// Makes the map of a schedule. `seat` finds a seat by its id.
pub(crate) fn json<'a>(schedule_id: ScheduleId, plan: &Plan, seat: impl Fn(SeatId) -> Option<&'a Seat>) -> Bytes {
    let drawn = |row: &domain::Row| plan.seats(row).filter_map(&seat).map(Drawn::of).collect::<Vec<_>>();
    let zones = plan.zones().iter().map(|zone| {
        let (rows, places): (Vec<_>, Vec<_>) = plan.rows(zone).iter().partition(|row| row.name.is_some());
        let rows = rows.into_iter().map(|row| Row { row: row.name.as_deref().unwrap_or_default(), seats: drawn(row) });
        let (rows, seats) = (rows.collect(), places.into_iter().flat_map(drawn).collect());
        Zone { zone_name: &zone.name, rows, seats }
    });
    representation::json(&Map { schedule_id, zones: zones.collect() })
}

impl<'a> Drawn<'a> {
    fn of(seat: &'a Seat) -> Self {
        Self { seat_id: seat.seat_id, seat_name: &seat.name, number: seat.number, x: seat.x, y: seat.y }
    }
}
