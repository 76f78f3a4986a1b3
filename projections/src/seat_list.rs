//! The seats of every schedule: which can be had, which are held or sold. Lists change by events only: an overdue hold
//! stays one until an event says that it expired.

use std::sync::Arc;

use bytes::Bytes;
use domain::{ConcertId, Event, Head, Hold, RecordedEvent, Rejection, ScheduleId, Seat, SeatId};
use imbl::{HashMap, HashSet, OrdMap};

use crate::representation::{Page, Representation};
use crate::seat_block::{Block, Occupancy};

/// The version of both lists' shape, in their ETags.
const VERSION: u32 = 1;

/// The seats of every schedule.
#[derive(Debug, Clone, Default)]
pub struct SeatLists {
    concerts: HashSet<ConcertId>,
    lists: HashMap<ScheduleId, Arc<SeatList>>,
}

/// The seats of one schedule.
#[derive(Debug, Clone)]
pub struct SeatList {
    concert_id: ConcertId,
    is_published: bool,
    /// Each apart, so that a hold in a large house makes the bytes of its own block anew and no other's.
    blocks: OrdMap<u64, Arc<Block>>,
    seats_available: u64,
    available: Page,
    all: Page,
}

impl SeatList {
    fn of(concert_id: ConcertId) -> Self {
        Self {
            concert_id,
            is_published: false,
            blocks: OrdMap::new(),
            seats_available: 0,
            available: Page::default(),
            all: Page::default(),
        }
    }

    /// The seats that can be had, by id.
    pub fn available(&self) -> Representation {
        self.available.read(VERSION, || self.join(Block::available))
    }

    /// Every seat with its status, by id.
    pub fn all(&self) -> Representation {
        self.all.read(VERSION, || self.join(Block::all))
    }

    fn join(&self, fragment: impl Fn(&Block) -> Bytes) -> Bytes {
        let fragments: Vec<Bytes> = self.blocks.values().map(|block| fragment(block)).collect();
        let mut body = Vec::with_capacity(2 + fragments.iter().map(|fragment| fragment.len() + 1).sum::<usize>());
        body.push(b'[');
        for fragment in fragments.iter().filter(|fragment| !fragment.is_empty()) {
            if body.len() > 1 {
                body.push(b',');
            }
            body.extend_from_slice(fragment);
        }
        body.push(b']');
        body.into()
    }

    fn block(&self, seat_id: SeatId) -> Option<&Block> {
        self.blocks.get(&Block::number_of(seat_id)).map(Arc::as_ref)
    }

    fn add(&mut self, seats: &[Seat], head: Head) {
        for seat in seats {
            let block = Arc::make_mut(self.blocks.entry(Block::number_of(seat.seat_id)).or_default());
            self.seats_available += u64::from(block.seat(seat.seat_id).is_none());
            block.add(seat);
        }
        self.available = Page::at(head);
        self.all = Page::at(head);
    }

    fn publish(&mut self, head: Head) {
        self.is_published = true;
        self.available = Page::at(head);
        self.all = Page::at(head);
    }

    /// Lets each of the hold's seats become what `next` says.
    fn occupy(&mut self, hold: &Hold, head: Head, next: impl Fn(Occupancy) -> Occupancy) {
        for seat_id in hold.seat_ids() {
            let Some(block) = self.blocks.get_mut(&Block::number_of(seat_id)) else { continue };
            let Some((before, after)) = Arc::make_mut(block).occupy(seat_id, &next) else { continue };
            if before.status() != after.status() {
                self.all = Page::at(head);
            }
            if before.is_available() != after.is_available() {
                self.available = Page::at(head);
            }
            self.seats_available += u64::from(after.is_available());
            self.seats_available -= u64::from(before.is_available());
        }
    }
}

impl SeatLists {
    /// The list of a published schedule.
    ///
    /// # Errors
    /// There is no such concert, or it has no such schedule that is published.
    pub fn get(&self, concert_id: ConcertId, schedule_id: ScheduleId) -> Result<&SeatList, Rejection> {
        if !self.concerts.contains(&concert_id) {
            return Err(Rejection::ConcertNotFound { concert_id });
        }
        self.lists
            .get(&schedule_id)
            .map(Arc::as_ref)
            .filter(|list| list.concert_id == concert_id && list.is_published)
            .ok_or(Rejection::ScheduleNotFound { schedule_id })
    }

    /// A seat, for its names.
    pub fn seat(&self, schedule_id: ScheduleId, seat_id: SeatId) -> Option<&Seat> {
        self.lists.get(&schedule_id)?.block(seat_id)?.seat(seat_id)
    }

    /// How many seats of the schedule can be had, as events say.
    pub fn seats_available(&self, schedule_id: ScheduleId) -> u64 {
        self.lists.get(&schedule_id).map_or(0, |list| list.seats_available)
    }

    fn list_mut(&mut self, schedule_id: ScheduleId) -> Option<&mut SeatList> {
        self.lists.get_mut(&schedule_id).map(Arc::make_mut)
    }

    pub(crate) fn apply(&mut self, recorded: &RecordedEvent) {
        let head = recorded.head;
        match &recorded.event {
            Event::ConcertPublished { concert_id, .. } => {
                self.concerts.insert(*concert_id);
            }
            Event::SeatsAdded { concert_id, schedule_id, seats } => {
                let list = self.lists.entry(*schedule_id).or_insert_with(|| Arc::new(SeatList::of(*concert_id)));
                Arc::make_mut(list).add(seats, head);
            }
            Event::SchedulePublished { schedule_id, .. } => {
                if let Some(list) = self.list_mut(*schedule_id) {
                    list.publish(head);
                }
            }
            Event::SeatsHeld { hold } => self.occupy(hold, head, |_| Occupancy::Held(hold.reservation_id)),
            Event::ReservationPaid { hold, .. } => self.occupy(hold, head, |_| Occupancy::Sold(hold.reservation_id)),
            Event::HoldExpired { hold, .. }
            | Event::HoldCancelled { hold, .. }
            | Event::ReservationRefunded { hold, .. } => self.occupy(hold, head, |before| {
                // A hold that expired late: its seats may be another's by now.
                if before.is_of(hold.reservation_id) { Occupancy::Available } else { before }
            }),
            Event::LogCreated { .. }
            | Event::RoomConfigured { .. }
            | Event::TokenIssued { .. }
            | Event::TokenAdmitted { .. }
            | Event::TokenExpired { .. }
            | Event::RoomLeft { .. }
            | Event::TokenGranted { .. }
            | Event::PointsCharged { .. } => {}
        }
    }

    fn occupy(&mut self, hold: &Hold, head: Head, next: impl Fn(Occupancy) -> Occupancy) {
        if let Some(list) = self.list_mut(hold.schedule_id) {
            list.occupy(hold, head, next);
        }
    }
}
