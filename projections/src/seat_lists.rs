//! The ready answers about the seats of each visible schedule, and when an event changed each of them last. What they say is
//! in the state; here is only which of them an event changes.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use domain::{
    CatalogueEvent, Event, Head, Hold, Points, PriceChanged, RecordedEvent, SaleEvent, ScheduleId, Seat, SeatId, State,
};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::representation::Page;
use crate::seat_list::{AVAILABLE, Seats};

/// How many ids a block spans, and so how many seats it has at most. Smaller blocks are made faster after a change;
/// larger ones are joined faster.
pub(crate) const SEATS_PER_BLOCK: u64 = 256;

/// The answers about every visible schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SeatLists(OrdMap<ScheduleId, Arc<SeatPages>>);

/// The answers about one schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SeatPages {
    pub(crate) map: Page,
    pub(crate) available: Page,
    pub(crate) all: Page,
    /// By number. A hold in a large house makes only the bytes of its own block anew.
    pub(crate) blocks: Vec<Arc<Block>>,
}

/// The parts of both lists with the seats whose ids lie in one span of [`SEATS_PER_BLOCK`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Block {
    number: u64,
    /// The free seats, as a JSON array.
    #[serde(skip)]
    pub(crate) available: OnceLock<Bytes>,
    /// All seats, as a JSON array.
    #[serde(skip)]
    pub(crate) all: OnceLock<Bytes>,
}

impl Block {
    fn new(number: u64) -> Self {
        Self { number, available: OnceLock::new(), all: OnceLock::new() }
    }

    /// The ids of its seats lie from the first to the last of these.
    pub(crate) fn span(&self) -> (u64, u64) {
        let first = self.number * SEATS_PER_BLOCK;
        (first, first + SEATS_PER_BLOCK - 1)
    }

    fn number_of(seat_id: SeatId) -> u64 {
        seat_id.get() / SEATS_PER_BLOCK
    }
}

/// What an event may change, as it was before the event.
pub(crate) enum Touched {
    /// No seat.
    Nothing,
    /// These schedules become visible.
    Shown(Vec<ScheduleId>),
    /// Seats of a schedule, each with its status and its price.
    Seats(ScheduleId, Vec<(SeatId, &'static str, Points)>),
}

impl Touched {
    /// What `event` may change of `state`.
    pub(crate) fn by(event: &Event, state: &State) -> Self {
        match event {
            Event::Catalogue(event) => match event {
                CatalogueEvent::SchedulePublished(published) => match published.import_id {
                    None => Self::Shown(vec![published.schedule_id]),
                    Some(_) => Self::Nothing,
                },
                CatalogueEvent::CatalogImported(imported) => {
                    let shown = imported.import_id.map(|import_id| state.catalogue.shown_by(import_id).collect());
                    Self::Shown(shown.unwrap_or_default())
                }
                CatalogueEvent::SeatsAdded(added) => {
                    let is_visible = state.catalogue.published(added.schedule_id).is_ok();
                    if is_visible { Self::Shown(vec![added.schedule_id]) } else { Self::Nothing }
                }
                CatalogueEvent::PriceChanged(PriceChanged { schedule_id, zone, .. }) => {
                    Self::seats(*schedule_id, state, |seat| *seat.zone == **zone)
                }
                CatalogueEvent::ScheduleCancelled(cancelled) => Self::seats(cancelled.schedule_id, state, |_| true),
                CatalogueEvent::ConcertPublished(_)
                | CatalogueEvent::SaleWindowChanged(_)
                | CatalogueEvent::ScheduleMoved(_) => Self::Nothing,
            },
            Event::Sale(event) => match event {
                SaleEvent::SeatsHeld(held) => Self::of(&held.hold, state),
                SaleEvent::HoldExpired(expired) => Self::of(&expired.hold, state),
                SaleEvent::HoldCancelled(cancelled) => Self::of(&cancelled.hold, state),
                SaleEvent::ReservationPaid(paid) => Self::of(&paid.hold, state),
                SaleEvent::ReservationRefunded(refunded) => Self::of(&refunded.hold, state),
                SaleEvent::HoldExtended(_) => Self::Nothing,
            },
            Event::Log(_) | Event::Room(_) | Event::Opening(_) | Event::Users(_) | Event::Points(_) => Self::Nothing,
        }
    }

    fn seats(schedule_id: ScheduleId, state: &State, may_change: impl Fn(&Seat) -> bool) -> Self {
        let Some(seats) = Seats::of(state, schedule_id) else { return Self::Nothing };
        let touched = seats.with_status(0, u64::MAX).filter(|(seat, _)| may_change(seat));
        Self::Seats(schedule_id, touched.map(|(seat, status)| (seat.seat_id, status, seats.price(seat))).collect())
    }

    fn of(hold: &Hold, state: &State) -> Self {
        let Some(seats) = Seats::of(state, hold.schedule_id) else { return Self::Nothing };
        let seen = |seat_id| seats.seen(seat_id).map(|(status, price)| (seat_id, status, price));
        Self::Seats(hold.schedule_id, hold.seat_ids().filter_map(seen).collect())
    }
}

/// The lists that a change concerns.
#[derive(Clone, Copy, Default)]
struct Changed {
    available: bool,
    all: bool,
}

impl SeatLists {
    pub(crate) fn get(&self, schedule_id: ScheduleId) -> Option<&Arc<SeatPages>> {
        self.0.get(&schedule_id)
    }

    /// Takes note of a record, after it was folded into `state`.
    pub(crate) fn apply(&mut self, recorded: &RecordedEvent, touched: &Touched, state: &State) {
        match touched {
            Touched::Nothing => {}
            Touched::Shown(shown) => {
                for schedule_id in shown {
                    let Some(seats) = Seats::of(state, *schedule_id) else { continue };
                    let page = || Page::at(recorded.head);
                    let mut blocks: Vec<u64> = seats.ids().map(Block::number_of).collect();
                    blocks.dedup();
                    let blocks = blocks.into_iter().map(|number| Arc::new(Block::new(number))).collect();
                    let pages = SeatPages { map: page(), available: page(), all: page(), blocks };
                    self.0.insert(*schedule_id, Arc::new(pages));
                }
            }
            Touched::Seats(schedule_id, before) => self.change(recorded, *schedule_id, before, state),
        }
    }

    fn change(
        &mut self,
        recorded: &RecordedEvent,
        schedule_id: ScheduleId,
        before: &[(SeatId, &'static str, Points)],
        state: &State,
    ) {
        let (Some(seats), Some(pages)) = (Seats::of(state, schedule_id), self.0.get_mut(&schedule_id)) else { return };
        for block in before.chunk_by(|one, next| Block::number_of(one.0) == Block::number_of(next.0)) {
            let mut changed = Changed::default();
            for (seat_id, status, price) in block {
                let Some(now) = seats.seen(*seat_id).filter(|now| *now != (*status, *price)) else { continue };
                changed.all = true;
                changed.available |= *status == AVAILABLE || now.0 == AVAILABLE;
            }
            if changed.all {
                Arc::make_mut(pages).renew(Block::number_of(block[0].0), changed, recorded.head);
            }
        }
    }
}

impl SeatPages {
    /// Drops the bytes of changed lists, and keeps those of unchanged ones.
    fn renew(&mut self, number: u64, changed: Changed, head: Head) {
        if let Ok(index) = self.blocks.binary_search_by_key(&number, |block| block.number) {
            let available = if changed.available { OnceLock::new() } else { self.blocks[index].available.clone() };
            self.blocks[index] = Arc::new(Block { available, ..Block::new(number) });
        }
        if changed.available {
            self.available = Page::at(head);
        }
        self.all = Page::at(head);
    }

    /// The blocks that differ from those of `older`. A schedule's blocks are always the same ones.
    pub(crate) fn changed_since<'a>(&'a self, older: Option<&'a Self>) -> impl Iterator<Item = &'a Block> {
        let older = older.map_or(&[][..], |older| &older.blocks);
        let is_changed =
            |(index, block): &(usize, &Arc<Block>)| older.get(*index).is_none_or(|before| !Arc::ptr_eq(before, block));
        self.blocks.iter().enumerate().filter(is_changed).map(|(_, block)| block.as_ref())
    }
}
