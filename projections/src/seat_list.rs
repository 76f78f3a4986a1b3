//! The seats of one schedule: which can be had, which are held or sold.

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
    /// The show is off: no seat of it is free any more.
    is_called_off: bool,
    /// Each apart, so that a hold in a large house makes the bytes of its own block anew and no other's.
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

    /// The seats that can be had, by id.
    pub fn available(&self) -> Representation {
        self.available.read(VERSION, || self.join(Block::available))
    }

    /// Every seat with its status, by id.
    pub fn all(&self) -> Representation {
        self.all.read(VERSION, || self.join(Block::all))
    }

    /// What never changes: zones, rows and seats, as they stand.
    pub fn map(&self, schedule_id: ScheduleId) -> Representation {
        self.map.read(MAP_VERSION, || seat_map::json(schedule_id, &self.plan(), |seat_id| self.seat(seat_id)))
    }

    /// Whether these seats are next to each other.
    pub fn are_together(&self, seat_ids: impl IntoIterator<Item = SeatId>) -> bool {
        self.plan().are_together(seat_ids)
    }

    /// What each zone costs, and how much of it can be had.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    fn plan(&self) -> Arc<Plan> {
        self.plan.read(|| Arc::new(Plan::of(self.order.iter().filter_map(|seat_id| self.seat(*seat_id)))))
    }

    /// The lists of all blocks as one; that of a single block is it already.
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

    /// Only blocks that were made anew are looked at.
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

    /// Takes every seat off sale that is free.
    pub(crate) fn call_off(&mut self, head: Head) {
        self.is_called_off = true;
        self.change_blocks(head, Block::call_off);
        self.seats_available = 0;
        self.zones.call_off();
    }

    /// Gives the seats of a zone another price.
    pub(crate) fn reprice(&mut self, zone: &str, price: Points, head: Head) {
        self.change_blocks(head, |block| block.reprice(zone, price));
        self.zones.reprice(zone, price);
    }

    /// Lets each of the hold's seats become what `next` says.
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
mod tests {
    use super::*;
    use crate::ReadModels;
    use crate::seat_block::SEATS_PER_BLOCK;
    use crate::testing::*;
    use domain::spec::*;

    fn list(models: &ReadModels) -> &SeatList {
        models.seat_lists.get(CONCERT, SCHEDULE).unwrap()
    }

    /// Seats with these numbers are on sale.
    fn house(numbers: impl IntoIterator<Item = u64>) -> ReadModels {
        let seats: Vec<Seat> = numbers.into_iter().map(seat).collect();
        let added = seats.chunks(1_000).map(|seats| seats_added(seats.to_vec()));
        shown([concert()].into_iter().chain(added).chain([schedule_published()]))
    }

    fn statuses(models: &ReadModels) -> Vec<String> {
        let seats: Vec<serde_json::Value> = serde_json::from_slice(&list(models).all().body).unwrap();
        seats.iter().map(|seat| seat["status"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn seats_that_can_be_had_are_listed_by_id() {
        let mut models = house([300, 2, 1]);
        fold(&mut models, [held(1, ANN, [2])]);
        let expected = concat!(
            r#"[{"seatId":1,"seatName":"A-1","price":100,"zoneName":"A"},"#,
            r#"{"seatId":300,"seatName":"A-300","price":100,"zoneName":"A"}]"#
        );
        assert_eq!(list(&models).available().body, expected);
    }

    #[test]
    fn every_seat_is_listed_with_its_status_and_its_row_and_number_where_known() {
        let front = Seat { row: Some("R".into()), number: Some(7), ..seat(1) };
        let mut models = shown([concert(), seats_added(vec![front, seat(2), seat(3)]), schedule_published()]);
        fold(&mut models, [held(1, ANN, [2]), held(2, BOB, [3]), paid(1, 2, BOB, [3], 0)]);
        let expected = concat!(
            r#"[{"seatId":1,"seatName":"A-1","price":100,"zoneName":"A","status":"AVAILABLE","row":"R","number":7},"#,
            r#"{"seatId":2,"seatName":"A-2","price":100,"zoneName":"A","status":"HELD"},"#,
            r#"{"seatId":3,"seatName":"A-3","price":100,"zoneName":"A","status":"SOLD"}]"#
        );
        assert_eq!(list(&models).all().body, expected);
    }

    #[test]
    fn a_seat_that_is_added_again_is_described_anew_and_counted_once() {
        let mut models = house([1]);
        assert!(list(&models).available().body.starts_with(br#"[{"seatId":1,"seatName":"A-1","#));
        fold(&mut models, [seats_added(vec![Seat { name: "B-1".into(), ..seat(1) }])]);
        assert!(list(&models).available().body.starts_with(br#"[{"seatId":1,"seatName":"B-1","#));
        assert_eq!(models.seat_lists.seats_available(SCHEDULE), 1);
    }

    #[test]
    fn the_map_shows_zones_rows_and_places_as_the_catalogue_has_them_and_never_changes() {
        let at = |seat: Seat| Seat { x: serde_json::from_str("1.5").ok(), y: serde_json::from_str("2").ok(), ..seat };
        let seats = vec![
            Seat { zone: "Z".into(), ..seat(9) },
            at(seat_in_row(2, "R", 3)),
            seat_in_row(1, "R", 1),
            seat_in_row(5, "Q", 1),
            seat(3),
        ];
        let mut models = shown([concert(), seats_added(seats), schedule_published()]);
        let expected = concat!(
            r#"{"scheduleId":1,"zones":[{"zoneName":"Z","rows":[],"seats":[{"seatId":9,"seatName":"A-9"}]},"#,
            r#"{"zoneName":"A","rows":[{"row":"R","seats":[{"seatId":1,"seatName":"A-1","number":1},"#,
            r#"{"seatId":2,"seatName":"A-2","number":3,"x":1.5,"y":2}]},"#,
            r#"{"row":"Q","seats":[{"seatId":5,"seatName":"A-5","number":1}]}],"#,
            r#""seats":[{"seatId":3,"seatName":"A-3"}]}]}"#
        );
        let map = list(&models).map(SCHEDULE);
        assert_eq!(map.body, expected);
        fold(&mut models, [held(1, ANN, [2])]);
        assert_eq!(list(&models).map(SCHEDULE), map);
        assert!(list(&models).are_together([1, 2].map(seat_id)));
        assert!(!list(&models).are_together([1, 5].map(seat_id)));
    }

    #[test]
    fn a_zone_tells_its_prices_and_what_of_it_can_be_had() {
        let dear = Seat { price: Points::new(300), ..seat(3) };
        let other = Seat { zone: "B".into(), ..seat(4) };
        let seats = vec![seat(1), seat(2), dear, other];
        let mut models = shown([concert(), seats_added(seats), schedule_published()]);
        let zones = |models: &ReadModels| serde_json::to_string(list(models).zones()).unwrap();
        let told = |available: u64| {
            format!(
                r#"[{{"zoneName":"A","priceFrom":100,"priceTo":300,"seatsTotal":3,"seatsAvailable":{available}}},{}]"#,
                r#"{"zoneName":"B","priceFrom":100,"priceTo":100,"seatsTotal":1,"seatsAvailable":1}"#
            )
        };
        assert_eq!(zones(&models), told(3));
        for (event, available) in
            [(held(1, ANN, [1, 2]), 1), (paid(1, 1, ANN, [1, 2], 0), 1), (refunded(1, 1, ANN, [1, 2], 200), 3)]
        {
            fold(&mut models, [event]);
            assert_eq!(zones(&models), told(available));
        }
    }

    #[test]
    fn a_list_without_seats_to_be_had_is_empty() {
        let mut models = house([1, SEATS_PER_BLOCK]);
        fold(&mut models, [held(1, ANN, [1, SEATS_PER_BLOCK])]);
        assert_eq!(list(&models).available().body, "[]");
    }

    #[test]
    fn a_sale_changes_the_list_of_all_and_not_that_of_seats_to_be_had() {
        let mut models = shown_on_sale([held(1, ANN, [1])]);
        let (available, all) = (list(&models).available(), list(&models).all());
        fold(&mut models, [paid(1, 1, ANN, [1], 0)]);
        let (available_after, all_after) = (list(&models).available(), list(&models).all());
        assert_eq!(available_after, available);
        assert_eq!(available_after.body.as_ptr(), available.body.as_ptr());
        assert_ne!(all_after.etag, all.etag);
        assert_ne!(all_after.body, all.body);
    }

    #[test]
    fn a_freed_seat_can_be_had_again() {
        let held_first = || shown_on_sale([held(1, ANN, [1])]);
        let free = list(&shown_on_sale([])).available().body;
        assert_ne!(list(&held_first()).available().body, free);
        for freeing in [hold_expired(1, ANN, [1]), cancelled(1, ANN, [1])] {
            let mut models = held_first();
            fold(&mut models, [freeing]);
            assert_eq!(list(&models).available().body, free);
        }
        let mut models = held_first();
        fold(&mut models, [paid(1, 1, ANN, [1], 0), refunded(1, 1, ANN, [1], 100)]);
        assert_eq!(list(&models).available().body, free);
    }

    #[test]
    fn a_hold_that_expires_late_frees_only_what_it_still_has() {
        let mut models = shown_on_sale([held(1, ANN, [1]), cancelled(1, ANN, [1]), held(2, BOB, [1])]);
        let before = (list(&models).available(), list(&models).all(), models.seat_lists.seats_available(SCHEDULE));
        fold(&mut models, [hold_expired(1, ANN, [1]), hold_expired(1, ANN, [1])]);
        let after = (list(&models).available(), list(&models).all(), models.seat_lists.seats_available(SCHEDULE));
        assert_eq!(after, before);
        assert_eq!(statuses(&models)[0], "HELD");
        assert_eq!(models.seat_lists.seats_available(SCHEDULE), SEATS - 1);
    }

    #[test]
    fn bytes_are_made_once_however_often_and_from_whichever_copy_they_are_read() {
        let mut models = shown_on_sale([]);
        let published = models.clone();
        fold(&mut models, [charged(ANN, 500, 500)]);
        let pointer = |models: &ReadModels| (list(models).available().body.as_ptr(), list(models).all().body.as_ptr());
        assert_eq!(pointer(&models), pointer(&models));
        assert_eq!(pointer(&models), pointer(&published));
    }

    #[test]
    fn a_published_copy_stays_as_it_was() {
        let mut models = shown_on_sale([]);
        let published = models.clone();
        fold(&mut models, [held(1, ANN, [1])]);
        assert_eq!(list(&published).all(), list(&shown_on_sale([])).all());
        assert_eq!(statuses(&models)[0], "HELD");
    }

    #[test]
    fn a_hold_changes_its_own_block_and_no_other() {
        let last = 8 * SEATS_PER_BLOCK - 1;
        let mut models = house(1..=last);
        let before = list(&models).clone();
        before.all();
        fold(&mut models, [held(1, ANN, [SEATS_PER_BLOCK])]);
        let after = list(&models);
        after.all();
        assert_eq!(after.blocks.len(), 8);
        for (number, block) in &before.blocks {
            let is_same = Arc::ptr_eq(block, &after.blocks[number]);
            assert_eq!(is_same, *number != Block::number_of(seat_id(SEATS_PER_BLOCK)), "block {number}");
        }
    }
}
