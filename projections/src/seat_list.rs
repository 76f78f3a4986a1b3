//! The seats of one schedule, with their status: free, held or sold.

use std::sync::Arc;

use bytes::Bytes;
use domain::{ConcertId, Head, Hold, Plan, Points, ScheduleId, Seat, SeatId};
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};

use crate::representation::{Lazy, Page, Representation};
use crate::seat_block::{Block, Changed, Occupancy};
use crate::seat_map;
use crate::seat_zone::Zones;

/// The version of both lists' shape, in their ETags.
const VERSION: u32 = 1;
/// The version of the map's shape, in its ETag.
const MAP_VERSION: u32 = 1;

/// The seats of one schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeatList {
    concert_id: ConcertId,
    is_published: bool,
    /// True after the show was called off: no seat is free any more.
    is_called_off: bool,
    /// The blocks of seats. A hold in a large house makes only the bytes of its own block anew.
    blocks: OrdMap<u64, Arc<Block>>,
    seats_available: u64,
    /// By zone, in the catalogue's order.
    zones: Zones,
    /// Seats in the catalogue's order.
    order: Vector<SeatId>,
    #[serde(skip)]
    plan: Lazy<Arc<Plan>>,
    map: Page,
    available: Page,
    all: Page,
}

impl SeatList {
    pub(crate) fn of(concert_id: ConcertId) -> Self {
        Self {
            concert_id,
            is_published: false,
            is_called_off: false,
            blocks: OrdMap::new(),
            seats_available: 0,
            zones: Zones::default(),
            order: Vector::new(),
            plan: Lazy::default(),
            map: Page::default(),
            available: Page::default(),
            all: Page::default(),
        }
    }

    /// The concert that it belongs to.
    pub fn concert_id(&self) -> ConcertId {
        self.concert_id
    }

    /// The free seats, by id.
    pub fn available(&self) -> Representation {
        self.available.read(VERSION, || self.join(Block::available))
    }

    /// Every seat with its status, by id.
    pub fn all(&self) -> Representation {
        self.all.read(VERSION, || self.join(Block::all))
    }

    /// The map: zones, rows and seats, which never change.
    pub fn map(&self, schedule_id: ScheduleId) -> Representation {
        self.map.read(MAP_VERSION, || seat_map::json(schedule_id, &self.plan(), |seat_id| self.seat(seat_id)))
    }

    /// True if these seats are next to each other.
    pub fn are_together(&self, seat_ids: impl IntoIterator<Item = SeatId>) -> bool {
        self.plan().are_together(seat_ids)
    }

    /// The zones with their prices and free seats.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    fn plan(&self) -> Arc<Plan> {
        self.plan.read(|| Arc::new(Plan::of(self.order.iter().filter_map(|seat_id| self.seat(*seat_id)))))
    }

    /// Joins the lists of all blocks. The list of a single block needs no join.
    fn join(&self, list: impl Fn(&Block) -> Bytes) -> Bytes {
        let mut lists: Vec<Bytes> = self.blocks.values().map(|block| list(block)).collect();
        if lists.len() == 1 {
            return lists.remove(0);
        }
        let mut body = Vec::with_capacity(2 + lists.iter().map(Bytes::len).sum::<usize>());
        body.push(b'[');
        for seats in lists.iter().map(|list| &list[1..list.len() - 1]).filter(|seats| !seats.is_empty()) {
            if body.len() > 1 {
                body.push(b',');
            }
            body.extend_from_slice(seats);
        }
        body.push(b']');
        body.into()
    }

    pub(crate) fn is_published_by(&self, concert_id: ConcertId) -> bool {
        self.is_published && self.concert_id == concert_id
    }

    pub(crate) fn seats_available(&self) -> u64 {
        self.seats_available
    }

    pub(crate) fn status(&self, seat_id: SeatId) -> Option<&'static str> {
        self.blocks.get(&Block::number_of(seat_id))?.status(seat_id)
    }

    /// The seats whose status differs from the older list. Only changed blocks are compared.
    pub(crate) fn changed_since(&self, older: Option<&Self>) -> Vec<(SeatId, &'static str)> {
        let mut changed = Vec::new();
        for (number, block) in &self.blocks {
            let before = older.and_then(|older| older.blocks.get(number));
            if before.is_none_or(|before| !Arc::ptr_eq(before, block)) {
                changed.extend(block.changed_since(before.map(Arc::as_ref)));
            }
        }
        changed
    }

    pub(crate) fn seat(&self, seat_id: SeatId) -> Option<&Seat> {
        self.blocks.get(&Block::number_of(seat_id))?.seat(seat_id)
    }

    pub(crate) fn add(&mut self, seats: &[Seat], head: Head) {
        for seat in seats {
            match self.seat(seat.seat_id).cloned() {
                Some(before) => self.zones.describe(&before, seat),
                None => {
                    self.zones.add(seat);
                    self.order.push_back(seat.seat_id);
                }
            }
        }
        self.plan = Lazy::default();
        for neighbours in seats.chunk_by(|a, b| Block::number_of(a.seat_id) == Block::number_of(b.seat_id)) {
            let number = Block::number_of(neighbours[0].seat_id);
            let block = Arc::make_mut(self.blocks.entry(number).or_default());
            self.seats_available += block.add(neighbours);
        }
        self.available = Page::at(head);
        self.all = Page::at(head);
    }

    pub(crate) fn publish(&mut self, head: Head) {
        self.is_published = true;
        self.map = Page::at(head);
    }

    pub(crate) fn is_called_off(&self) -> bool {
        self.is_called_off
    }

    fn change_blocks(&mut self, head: Head, change: impl Fn(&mut Block) -> Changed) {
        let numbers: Vec<u64> = self.blocks.keys().copied().collect();
        for number in numbers {
            let changed = self.blocks.get_mut(&number).map(|block| change(Arc::make_mut(block))).unwrap_or_default();
            if changed.available {
                self.available = Page::at(head);
            }
            if changed.all {
                self.all = Page::at(head);
            }
        }
    }

    /// Takes every free seat off sale.
    pub(crate) fn call_off(&mut self, head: Head) {
        self.is_called_off = true;
        self.change_blocks(head, Block::call_off);
        self.seats_available = 0;
        self.zones.call_off();
    }

    /// Changes the price of a zone's seats.
    pub(crate) fn reprice(&mut self, zone: &str, price: Points, head: Head) {
        self.change_blocks(head, |block| block.reprice(zone, price));
        self.zones.reprice(zone, price);
    }

    /// Changes the occupancy of each seat of a hold with `next`.
    pub(crate) fn occupy(&mut self, hold: &Hold, head: Head, next: impl Fn(Occupancy) -> Occupancy) {
        for seat_id in hold.seat_ids() {
            let Some(block) = self.blocks.get_mut(&Block::number_of(seat_id)).map(Arc::make_mut) else { continue };
            let Some((before, after)) = block.occupy(seat_id, &next) else { continue };
            if before.status() != after.status() {
                self.all = Page::at(head);
            }
            if before.is_available() != after.is_available() {
                self.available = Page::at(head);
                let zone = block.seat(seat_id).map(|seat| Arc::clone(&seat.zone));
                zone.iter().for_each(|zone| self.zones.count(zone, after.is_available()));
            }
            self.seats_available += u64::from(after.is_available());
            self.seats_available -= u64::from(before.is_available());
        }
    }
}

#[cfg(test)]
mod tests;
