//! The zones of a schedule, with their prices and free seats, as clients read them.

use domain::{Points, ZoneSeats};
use serde::Serialize;

/// A zone.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ZoneShown<'a> {
    zone_name: &'a str,
    price_from: Points,
    price_to: Points,
    seats_total: u32,
    seats_available: u32,
}

impl<'a> ZoneShown<'a> {
    /// A show that was called off has no free seats.
    pub(crate) fn of(zone: &ZoneSeats<'a>, is_called_off: bool) -> Self {
        Self {
            zone_name: zone.name,
            price_from: zone.lowest,
            price_to: zone.highest,
            seats_total: zone.seats,
            seats_available: if is_called_off { 0 } else { zone.free },
        }
    }
}
