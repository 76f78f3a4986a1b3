//! The free seats of a schedule, by row, so that good seats are found without looking at all of them; and the choice of
//! seats. The choice is a pure function of the free seats and the request.
//!
//! The rule, in the order in which it decides: zones as the catalogue has them; in a zone its rows, then its places without
//! rows; in the first row that has a block of so many neighbours, the block that leaves the fewest single seats in the row,
//! then the one nearest to the row's middle, then the lowest number. Where no row has such a block, the first zone with
//! enough seats gives its largest piece, then its next.

mod bits;
mod plan;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_SEATS_PER_RESERVATION;
use crate::values::{Points, SeatId};
use bits::Bits;
pub use plan::{Plan, Row, Zone};

/// A request for a number of seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The number of seats, 1 to [`MAX_SEATS_PER_RESERVATION`].
    pub quantity: usize,
    /// The zone. `None`: any zone.
    pub zone: Option<String>,
    /// The highest price of a seat.
    pub max_price: Option<Points>,
    /// The rule for neighbours.
    pub together: Together,
}

/// The rule for neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together {
    /// The seats are next to each other if that is possible.
    Preferred,
    /// The seats must be next to each other.
    Required,
}

/// The reason why no seats are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoChoice {
    /// The schedule has no such zone.
    ZoneNotFound,
    /// No zone of the request has that many free seats.
    NoSeatsLeft,
    /// No block of neighbours is large enough. The largest one has `largest_block` seats.
    NotTogether { largest_block: usize },
}

/// The free seats of one schedule. A copy has a few kilobytes, and shares the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct House {
    plan: Arc<Plan>,
    /// Free places, by slot.
    free: Bits,
    /// For blocks of 1, 2, 3 and 4 free neighbours: the rows that have one.
    with_block: [Bits; MAX_SEATS_PER_RESERVATION],
    /// The number of free seats, by zone.
    free_in_zone: Vec<u32>,
    /// The lowest and the highest price, by row.
    prices: Vec<(Points, Points)>,
}

/// The prices and the seats of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneSeats<'a> {
    /// The zone's name.
    pub name: &'a str,
    /// The lowest price of a seat.
    pub lowest: Points,
    /// The highest price of a seat.
    pub highest: Points,
    /// The number of seats.
    pub seats: u32,
    /// The number of free seats.
    pub free: u32,
}

/// A block of consecutive slots.
type Block = Range<u32>;

impl House {
    /// Makes a house in which every seat is free.
    pub fn new(plan: Plan, price: impl Fn(SeatId) -> Points) -> Self {
        let rows = plan.rows.len() as u32;
        let prices = plan.rows.iter().map(|row| range_of(plan.seats(row).map(&price)));
        let mut house = Self {
            free: Bits::none(plan.slots_len()),
            with_block: std::array::from_fn(|_| Bits::none(rows)),
            free_in_zone: vec![0; plan.zones.len()],
            prices: prices.collect(),
            plan: Arc::new(plan),
        };
        let plan = Arc::clone(&house.plan);
        for row in 0..rows {
            let slots = plan.slots_of(&plan.rows[row as usize]);
            for (slot, _) in slots.filter(|(_, placed)| placed.is_some()) {
                house.free.put(slot, true);
                house.free_in_zone[plan.rows[row as usize].zone as usize] += 1;
            }
            house.measure(row);
        }
        house
    }

    /// The plan of the house, which never changes.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The number of free seats.
    pub fn free(&self) -> u64 {
        self.free_in_zone.iter().map(|free| u64::from(*free)).sum()
    }

    /// The zones with their prices and seats, in the catalogue's order.
    pub fn zones(&self) -> impl Iterator<Item = ZoneSeats<'_>> {
        self.plan.zones.iter().zip(&self.free_in_zone).map(|(zone, free)| {
            let prices = &self.prices[zone.rows.start as usize..zone.rows.end as usize];
            let (lowest, highest) =
                (prices.iter().map(|(lowest, _)| *lowest), prices.iter().map(|(_, highest)| *highest));
            let (lowest, highest) = (lowest.min().unwrap_or_default(), highest.max().unwrap_or_default());
            ZoneSeats { name: &zone.name, lowest, highest, seats: zone.seats, free: *free }
        })
    }

    /// True if a zone has exactly this name.
    pub fn has_zone(&self, name: &str) -> bool {
        self.plan.zones.iter().any(|zone| zone.name.as_ref() == name)
    }

    /// Marks a seat as free or taken.
    pub fn put(&mut self, seat_id: SeatId, is_free: bool) {
        let Some(place) = self.plan.place(seat_id) else { return };
        if !self.free.put(place.slot, is_free) {
            return;
        }
        let zone = self.plan.rows[place.row as usize].zone as usize;
        let count = &mut self.free_in_zone[zone];
        *count = if is_free { *count + 1 } else { *count - 1 };
        self.measure(place.row);
    }

    /// Folds a new price of a zone's seats.
    pub fn set_price(&mut self, zone: &str, price: Points) {
        for zone in self.plan.zones.iter().filter(|named| named.name.as_ref() == zone) {
            self.prices[zone.rows.start as usize..zone.rows.end as usize].fill((price, price));
        }
    }

    /// Computes anew which blocks of free neighbours a row has.
    fn measure(&mut self, row: u32) {
        let Row { slots, name, .. } = &self.plan.rows[row as usize];
        let (mut most, mut in_all) = (0, 0);
        let mut runs = runs(&self.free, slots);
        while most < MAX_SEATS_PER_RESERVATION
            && let Some(run) = runs.next()
        {
            in_all += run.len();
            most = most.max(if name.is_some() { run.len() } else { in_all });
        }
        for (more, bits) in self.with_block.iter_mut().enumerate() {
            bits.put(row, most > more);
        }
    }

    /// Chooses seats. `price` returns the price of a seat.
    ///
    /// # Errors
    /// No seats fit the request.
    pub fn choose(&self, wanted: &Wanted, price: impl Fn(SeatId) -> Points) -> Result<Vec<SeatId>, NoChoice> {
        let asked = |zone: &&Zone| wanted.zone.as_deref().is_none_or(|name| name == zone.name.as_ref());
        let zones: Vec<&Zone> = self.plan.zones.iter().filter(asked).collect();
        if zones.is_empty() && wanted.zone.is_some() {
            return Err(NoChoice::ZoneNotFound);
        }
        let choice = Choice { house: self, max_price: wanted.max_price, price: &price };
        if let Some(block) = zones.iter().find_map(|zone| choice.block(zone, wanted.quantity)) {
            return Ok(block);
        }
        let enough = |zone: &&&Zone| choice.count(zone) >= wanted.quantity;
        let zone = zones.iter().find(enough).ok_or(NoChoice::NoSeatsLeft)?;
        match wanted.together {
            Together::Preferred => Ok(choice.pieces(zone, wanted.quantity)),
            Together::Required => {
                let is_there = |size: &usize| zones.iter().any(|zone| choice.block(zone, *size).is_some());
                let largest_block = (1..wanted.quantity).rev().find(is_there).unwrap_or_default();
                Err(NoChoice::NotTogether { largest_block })
            }
        }
    }
}

/// A house, with the request.
struct Choice<'a, P> {
    house: &'a House,
    max_price: Option<Points>,
    price: &'a P,
}

impl<P: Fn(SeatId) -> Points> Choice<'_, P> {
    /// The block of neighbours in the first row that has one.
    fn block(&self, zone: &Zone, size: usize) -> Option<Vec<SeatId>> {
        let with_block = &self.house.with_block[size - 1];
        let mut row = zone.rows.start;
        loop {
            row = with_block.next_set(row).filter(|row| *row < zone.rows.end)?;
            if let Some(block) = self.block_in(row, size) {
                return Some(block);
            }
            row += 1;
        }
    }

    fn block_in(&self, row: u32, size: usize) -> Option<Vec<SeatId>> {
        let may_take = self.may_take(row)?;
        let plan = &self.house.plan;
        let Row { slots, name, both_ends, .. } = &plan.rows[row as usize];
        let runs = runs(&self.house.free, slots);
        if name.is_none() {
            let places = runs.flatten().filter(may_take).take(size);
            let places: Vec<SeatId> = places.map(|slot| plan.placed(slot).seat_id).collect();
            return (places.len() == size).then_some(places);
        }
        let mut best: Option<((i32, u64), u32)> = None;
        let length = size as u32;
        for run in runs.filter(|run| run.len() >= size) {
            for first in run.start..=run.end - length {
                if !(first..first + length).all(|slot| may_take(&slot)) {
                    continue;
                }
                let singles = single(first - run.start) + single(run.end - first - length) - single(length_of(&run));
                let ends = [first, first + length - 1].map(|slot| u64::from(plan.placed(slot).number));
                let rank = (singles, (ends[0] + ends[1]).abs_diff(*both_ends));
                if best.is_none_or(|(least, _)| rank < least) {
                    best = Some((rank, first));
                }
            }
        }
        best.map(|(_, first)| (first..first + length).map(|slot| plan.placed(slot).seat_id).collect())
    }

    /// Returns a test for the slots of a row that are cheap enough. `None` if no seat of the row is.
    fn may_take(&self, row: u32) -> Option<impl Fn(&u32) -> bool + '_> {
        let (lowest, highest) = self.house.prices[row as usize];
        let max_price = self.max_price.unwrap_or(highest);
        let price = |slot: u32| (self.price)(self.house.plan.placed(slot).seat_id);
        (lowest <= max_price).then_some(move |slot: &u32| highest <= max_price || price(*slot) <= max_price)
    }

    /// Counts the seats of a zone that may be taken.
    fn count(&self, zone: &Zone) -> usize {
        let has_a_say =
            |max_price: &Points| zone.rows.clone().any(|row| self.house.prices[row as usize].1 > *max_price);
        if !self.max_price.as_ref().is_some_and(has_a_say) {
            let first = &self.house.plan.rows[zone.rows.start as usize];
            return self.house.free_in_zone[first.zone as usize] as usize;
        }
        let count = |row: u32| {
            let slots = &self.house.plan.rows[row as usize].slots;
            self.may_take(row).map_or(0, |may_take| runs(&self.house.free, slots).flatten().filter(may_take).count())
        };
        zone.rows.clone().map(count).sum()
    }

    /// Takes the largest piece, then the next, until there are `quantity` seats.
    fn pieces(&self, zone: &Zone, quantity: usize) -> Vec<SeatId> {
        let mut house = self.house.clone();
        let mut seats = Vec::with_capacity(quantity);
        while seats.len() < quantity {
            let rest = Choice { house: &house, max_price: self.max_price, price: self.price };
            let mut sizes = (1..=quantity - seats.len()).rev();
            let piece = sizes.find_map(|size| rest.block(zone, size)).expect("the zone has enough seats");
            piece.iter().for_each(|seat_id| house.put(*seat_id, false));
            seats.extend(piece);
        }
        seats
    }
}

/// The runs of free neighbours in a row, each as long as possible.
fn runs(free: &Bits, slots: &Range<u32>) -> impl Iterator<Item = Block> {
    let Range { start: mut from, end } = *slots;
    std::iter::from_fn(move || {
        let start = free.next_set(from).filter(|start| *start < end)?;
        from = free.next_clear(start, end);
        Some(start..from)
    })
}

fn length_of(block: &Block) -> u32 {
    block.end - block.start
}

/// 1 if a run of this length is a single seat, else 0.
fn single(length: u32) -> i32 {
    i32::from(length == 1)
}

fn range_of(prices: impl Iterator<Item = Points>) -> (Points, Points) {
    prices
        .fold((Points::new(u64::MAX), Points::ZERO), |(lowest, highest), price| (lowest.min(price), highest.max(price)))
}
