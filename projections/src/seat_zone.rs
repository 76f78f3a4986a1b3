//! The zones of a schedule, with their prices and free seats.

use std::sync::Arc;

use domain::{Points, Seat};
use serde::{Deserialize, Serialize};

/// A zone as clients read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Zone {
    zone_name: Arc<str>,
    price_from: Points,
    price_to: Points,
    seats_total: u64,
    seats_available: u64,
}

/// Zones in the catalogue's order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zones(Vec<Zone>);

impl Zones {
    /// Adds a new, free seat.
    pub(crate) fn add(&mut self, seat: &Seat) {
        let Some(zone) = self.named(&seat.zone) else {
            let (zone_name, price) = (Arc::clone(&seat.zone), seat.price);
            let zone = Zone { zone_name, price_from: price, price_to: price, seats_total: 1, seats_available: 1 };
            return self.0.push(zone);
        };
        zone.price_from = zone.price_from.min(seat.price);
        zone.price_to = zone.price_to.max(seat.price);
        zone.seats_total += 1;
        zone.seats_available += 1;
    }

    /// Changes the description of a seat.
    pub(crate) fn describe(&mut self, before: &Seat, seat: &Seat) {
        if before.zone == seat.zone && before.price == seat.price {
            return;
        }
        if let Some(zone) = self.named(&before.zone) {
            zone.seats_total -= 1;
            zone.seats_available -= 1;
        }
        self.add(seat);
    }

    /// Counts a seat of the zone that has become free or taken.
    pub(crate) fn count(&mut self, zone: &str, is_available: bool) {
        if let Some(zone) = self.named(zone) {
            zone.seats_available =
                if is_available { zone.seats_available + 1 } else { zone.seats_available.saturating_sub(1) };
        }
    }

    /// Sets the number of free seats to 0 in all zones.
    pub(crate) fn call_off(&mut self) {
        self.0.iter_mut().for_each(|zone| zone.seats_available = 0);
    }

    /// Sets the price of all seats of the zone.
    pub(crate) fn reprice(&mut self, name: &str, price: Points) {
        if let Some(zone) = self.named(name) {
            (zone.price_from, zone.price_to) = (price, price);
        }
    }

    fn named(&mut self, name: &str) -> Option<&mut Zone> {
        let index = self.0.iter().position(|zone| zone.zone_name.as_ref() == name)?;
        self.0.get_mut(index)
    }
}
