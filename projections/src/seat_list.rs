//! The seats of one schedule, with their status: free, held or sold. The state knows them; here they are put into words.

use bytes::Bytes;
use domain::{ConcertId, House, Points, Schedule, ScheduleId, Seat, SeatId, Seating, State, Taken};
use serde::{Serialize, Serializer};

use crate::representation::Representation;
use crate::seat_map;
use crate::seat_pages::{Block, SeatPages};
use crate::seat_zone::ZoneShown;

/// The version of both lists' shape, in their ETags.
const VERSION: u32 = 1;
/// The version of the map's shape, in its ETag.
const MAP_VERSION: u32 = 1;
/// The status of a seat that can be held.
pub(crate) const AVAILABLE: &str = "AVAILABLE";

/// The seats of a visible schedule, as the state has them.
#[derive(Clone, Copy)]
pub(crate) struct Seats<'a> {
    schedule_id: ScheduleId,
    schedule: &'a Schedule,
    seating: &'a Seating,
}

impl<'a> Seats<'a> {
    /// `None` if there is no visible schedule with this id.
    pub(crate) fn of(state: &'a State, schedule_id: ScheduleId) -> Option<Self> {
        let (schedule, _) = state.catalogue.published(schedule_id).ok()?;
        Some(Self::new(state, schedule_id, schedule))
    }

    /// The seats of this visible schedule.
    pub(crate) fn new(state: &'a State, schedule_id: ScheduleId, schedule: &'a Schedule) -> Self {
        Self { schedule_id, schedule, seating: &state.seating }
    }

    /// The status and the price of a seat.
    pub(crate) fn seen(&self, seat_id: SeatId) -> Option<(&'static str, Points)> {
        let seat = self.schedule.seats.get(seat_id.get())?;
        Some((self.status(self.seating.taken(self.schedule_id, seat_id)), self.price(seat)))
    }

    /// The current price of a seat.
    pub(crate) fn price(&self, seat: &Seat) -> Points {
        self.schedule.price_of(seat)
    }

    /// The status as clients read it. An overdue hold stays a hold until an event says that it expired.
    fn status(&self, taken: Option<Taken>) -> &'static str {
        match taken {
            Some(Taken { held_until: Some(_), .. }) => "HELD",
            Some(Taken { held_until: None, .. }) => "SOLD",
            None if self.schedule.called_off.is_some() => "CANCELLED",
            None => AVAILABLE,
        }
    }

    /// The seats whose ids lie from `first` to `last`, by id, each with its status.
    pub(crate) fn with_status(self, first: u64, last: u64) -> impl Iterator<Item = (&'a Seat, &'static str)> {
        let mut taken = self.seating.taken_from(self.schedule_id, first).peekable();
        self.schedule.seats.range(first..=last).map(move |seat| {
            // A log that was not written by these rules may take seats that the schedule does not have.
            while taken.next_if(|(seat_id, _)| *seat_id < seat.seat_id).is_some() {}
            let by = taken.next_if(|(seat_id, _)| *seat_id == seat.seat_id).map(|(_, taken)| taken);
            (seat, self.status(by))
        })
    }

    /// The ids of all seats.
    pub(crate) fn ids(self) -> impl Iterator<Item = SeatId> {
        self.schedule.seats.values().map(|seat| seat.seat_id)
    }
}

/// The seats of one visible schedule, as of one position.
#[derive(Clone, Copy)]
pub struct SeatList<'a> {
    seats: Seats<'a>,
    pages: &'a SeatPages,
}

/// A seat in the list of free seats.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AvailableSeat<'a> {
    seat_id: SeatId,
    seat_name: &'a str,
    price: Points,
    zone_name: &'a str,
}

/// A seat in the list of all seats.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnySeat<'a> {
    #[serde(flatten)]
    seat: AvailableSeat<'a>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
}

impl<'a> SeatList<'a> {
    pub(crate) fn new(seats: Seats<'a>, pages: &'a SeatPages) -> Self {
        Self { seats, pages }
    }

    /// The concert that it belongs to.
    pub fn concert_id(&self) -> ConcertId {
        self.seats.schedule.concert_id
    }

    /// The free seats, by id.
    pub fn available(&self) -> Representation {
        self.pages.available.read(VERSION, || {
            self.join(|block| {
                block.available.get_or_init(|| {
                    let free = self.of_block(block).filter(|(_, status)| *status == AVAILABLE);
                    listed(free.map(|(seat, _)| self.brief(seat)))
                })
            })
        })
    }

    /// Every seat with its status, by id.
    pub fn all(&self) -> Representation {
        self.pages.all.read(VERSION, || {
            self.join(|block| {
                let any = |(seat, status): (&'a Seat, _)| AnySeat {
                    seat: self.brief(seat),
                    status,
                    row: seat.row.as_deref(),
                    number: seat.number,
                };
                block.all.get_or_init(|| listed(self.of_block(block).map(any)))
            })
        })
    }

    /// The map: zones, rows and seats, which never change.
    pub fn map(&self) -> Representation {
        let seat = |seat_id: SeatId| self.seats.schedule.seats.get(seat_id.get());
        self.pages.map.read(MAP_VERSION, || seat_map::json(self.seats.schedule_id, self.house().plan(), seat))
    }

    /// True if these seats are next to each other.
    pub fn are_together(&self, seat_ids: impl IntoIterator<Item = SeatId>) -> bool {
        self.house().plan().are_together(seat_ids)
    }

    /// The zones with their prices and free seats, in the catalogue's order.
    pub fn zones(&self) -> Vec<ZoneShown<'a>> {
        let is_called_off = self.seats.schedule.called_off.is_some();
        self.house().zones().map(|zone| ZoneShown::of(&zone, is_called_off)).collect()
    }

    /// How many holds its seats have, with overdue ones, and how many payments that were not refunded.
    pub fn holds_and_payments(&self) -> (usize, usize) {
        let claims = self.seats.seating.claims_of_all(self.seats.schedule_id);
        claims.fold((0, 0), |(holds, payments), claim| match claim.taken.held_until {
            Some(_) => (holds + 1, payments),
            None => (holds, payments + 1),
        })
    }

    /// The ids of all seats.
    pub fn ids(&self) -> impl Iterator<Item = SeatId> {
        self.seats.ids()
    }

    /// The status of a seat, as clients read it. `None` if there is no such seat.
    pub fn status(&self, seat_id: SeatId) -> Option<&'static str> {
        self.seats.seen(seat_id).map(|(status, _)| status)
    }

    /// The seats whose status differs from the older list. Only changed blocks are compared.
    pub(crate) fn changed_since(&self, older: Option<&Self>) -> Vec<(SeatId, &'static str)> {
        let blocks = self.pages.changed_since(older.map(|older| older.pages));
        let changed = blocks.flat_map(|block| {
            // Both lists have the same seats in the same order.
            let mut before = older.into_iter().flat_map(|older| older.of_block(block));
            self.of_block(block).filter(move |(seat, status)| {
                before.find(|(was, _)| was.seat_id == seat.seat_id).is_none_or(|(_, was)| was != *status)
            })
        });
        changed.map(|(seat, status)| (seat.seat_id, status)).collect()
    }

    fn house(&self) -> &'a House {
        let house = self.seats.seating.house(self.seats.schedule_id);
        house.expect("the event that makes a schedule visible opens its house")
    }

    fn of_block(&self, block: &Block) -> impl Iterator<Item = (&'a Seat, &'static str)> {
        let (first, last) = block.span();
        self.seats.with_status(first, last)
    }

    fn brief(&self, seat: &'a Seat) -> AvailableSeat<'a> {
        let price = self.seats.price(seat);
        AvailableSeat { seat_id: seat.seat_id, seat_name: &seat.name, price, zone_name: &seat.zone }
    }

    /// Joins the lists of all blocks. The list of a single block needs no join.
    fn join<'b>(&'b self, list: impl Fn(&'b Block) -> &'b Bytes) -> Bytes {
        let lists: Vec<&Bytes> = self.pages.blocks.iter().map(|block| list(block)).collect();
        if let [only] = lists[..] {
            return only.clone();
        }
        let mut body = Vec::with_capacity(2 + lists.iter().map(|list| list.len()).sum::<usize>());
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
}

fn listed(seats: impl Iterator<Item = impl Serialize>) -> Bytes {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut bytes);
    serializer.collect_seq(seats).expect("seats hold only what JSON can say");
    // Shrink them, since they are kept.
    bytes.into_boxed_slice().into()
}

#[cfg(test)]
mod tests;
