//! A schedule's seats as they stand: zones, rows and places, in the catalogue's order. It never changes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::Seat;
use crate::values::SeatId;

/// Zones, rows and places. Each place has a slot. Between rows, and where two numbers of a row are further apart than
/// its step, one slot stays empty. So two places are neighbours if their slots are neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub(super) zones: Vec<Zone>,
    pub(super) rows: Vec<Row>,
    slots: Vec<Option<Placed>>,
    /// By seat.
    places: Vec<(SeatId, Place)>,
}

/// A part of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name.
    pub name: Arc<str>,
    /// Its rows; the last one may be its places without rows.
    pub(super) rows: Range<u32>,
    /// The number of its seats.
    pub(super) seats: u32,
}

/// A row of a zone, or all of its places without row and number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The row's name. `None` for places without a row: all of these count as next to each other.
    pub name: Option<Arc<str>>,
    pub(super) slots: Range<u32>,
    pub(super) zone: u32,
    /// The sum of the row's lowest and highest number.
    pub(super) both_ends: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Placed {
    pub seat_id: SeatId,
    pub number: u32,
}

/// The place of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub slot: u32,
    pub row: u32,
}

/// A zone while its seats are collected.
struct Gathered<'a> {
    name: &'a Arc<str>,
    rows: Vec<(Arc<str>, Vec<Placed>)>,
    by_name: BTreeMap<&'a str, usize>,
    standing: Vec<Placed>,
}

impl Plan {
    /// Makes the plan of these seats, which come in the catalogue's order.
    pub fn of<'a>(seats: impl IntoIterator<Item = &'a Seat>) -> Self {
        let mut plan = Self { zones: Vec::new(), rows: Vec::new(), slots: Vec::new(), places: Vec::new() };
        for zone in gather(seats) {
            let (first, seats) = (plan.rows.len() as u32, plan.places.len());
            let mut standing = zone.standing;
            for (name, mut seats) in zone.rows {
                seats.sort_by_key(|placed| placed.number);
                standing.extend(twice(&mut seats));
                plan.add_row(Some(name), &seats);
            }
            standing.sort_by_key(|placed| placed.seat_id);
            if !standing.is_empty() {
                plan.add_row(None, &standing);
            }
            let (rows, seats) = (first..plan.rows.len() as u32, (plan.places.len() - seats) as u32);
            plan.zones.push(Zone { name: Arc::clone(zone.name), rows, seats });
        }
        plan.places.sort_unstable_by_key(|(seat_id, _)| *seat_id);
        plan.slots.shrink_to_fit();
        plan.places.shrink_to_fit();
        plan
    }

    fn add_row(&mut self, name: Option<Arc<str>>, seats: &[Placed]) {
        let gaps = seats.windows(2).map(|pair| pair[1].number.abs_diff(pair[0].number));
        let step = if name.is_some() { gaps.min() } else { None };
        let row = self.rows.len() as u32;
        let first = self.slots.len() as u32;
        for (index, placed) in seats.iter().enumerate() {
            let follows = |before: &Placed| step.is_none_or(|step| placed.number - before.number == step);
            if index > 0 && !follows(&seats[index - 1]) {
                self.slots.push(None);
            }
            self.places.push((placed.seat_id, Place { slot: self.slots.len() as u32, row }));
            self.slots.push(Some(*placed));
        }
        let ends = [seats.first(), seats.last()].into_iter().flatten();
        let both_ends = ends.map(|placed| u64::from(placed.number)).sum();
        let zone = self.zones.len() as u32;
        self.rows.push(Row { name, slots: first..self.slots.len() as u32, zone, both_ends });
        self.slots.push(None);
    }

    /// The zones.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// A zone's rows, the one of its places without rows last.
    pub fn rows(&self, zone: &Zone) -> &[Row] {
        &self.rows[zone.rows.start as usize..zone.rows.end as usize]
    }

    /// A row's seats, by number; places without rows by id.
    pub fn seats(&self, row: &Row) -> impl Iterator<Item = SeatId> + '_ {
        self.slots_of(row).filter_map(|(_, placed)| placed).map(|placed| placed.seat_id)
    }

    /// True if these seats are one block of neighbours: in a row, or among the places without a row.
    pub fn are_together(&self, seat_ids: impl IntoIterator<Item = SeatId>) -> bool {
        let places: Option<Vec<Place>> = seat_ids.into_iter().map(|seat_id| self.place(seat_id)).collect();
        let Some(mut places) = places else { return false };
        places.sort_unstable_by_key(|place| place.slot);
        places.windows(2).all(|pair| {
            let [a, b] = pair else { return false };
            let is_standing = self.rows[a.row as usize].name.is_none();
            a.row == b.row && (is_standing || a.slot + 1 == b.slot)
        })
    }

    pub(super) fn place(&self, seat_id: SeatId) -> Option<Place> {
        let index = self.places.binary_search_by_key(&seat_id, |(seat_id, _)| *seat_id).ok()?;
        Some(self.places[index].1)
    }

    pub(super) fn placed(&self, slot: u32) -> Placed {
        self.slots[slot as usize].expect("only slots with a seat are free")
    }

    pub(super) fn slots_len(&self) -> u32 {
        self.slots.len() as u32
    }

    pub(super) fn slots_of(&self, row: &Row) -> impl Iterator<Item = (u32, Option<Placed>)> + '_ {
        row.slots.clone().map(|slot| (slot, self.slots[slot as usize]))
    }
}

/// Seats by zone and row, each where its name was first seen.
fn gather<'a>(seats: impl IntoIterator<Item = &'a Seat>) -> Vec<Gathered<'a>> {
    let (mut zones, mut by_name) = (Vec::<Gathered<'a>>::new(), BTreeMap::<&str, usize>::new());
    for seat in seats {
        let index = *by_name.entry(&seat.zone).or_insert_with(|| {
            zones.push(Gathered { name: &seat.zone, rows: Vec::new(), by_name: BTreeMap::new(), standing: Vec::new() });
            zones.len() - 1
        });
        let zone = &mut zones[index];
        match (&seat.row, seat.number) {
            (Some(row), Some(number)) => {
                let index = *zone.by_name.entry(row).or_insert_with(|| {
                    zone.rows.push((Arc::clone(row), Vec::new()));
                    zone.rows.len() - 1
                });
                zone.rows[index].1.push(Placed { seat_id: seat.seat_id, number });
            }
            (_, number) => {
                zone.standing.push(Placed { seat_id: seat.seat_id, number: number.unwrap_or_default() });
            }
        }
    }
    zones
}

/// Removes seats from a sorted row that have the number of another seat: they have no certain neighbours.
fn twice(seats: &mut Vec<Placed>) -> Vec<Placed> {
    let mut last = None;
    seats.extract_if(.., |placed| last.replace(placed.number) == Some(placed.number)).collect()
}
