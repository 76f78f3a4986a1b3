//! The ready answers about the seats of each visible schedule, and when an event changed each of them last. What they say is
//! in the state; here is only which of them an event changes.

use std::sync::Arc;

use domain::{
    CatalogueEvent, Event, Hold, Points, PriceChanged, RecordedEvent, SaleEvent, ScheduleId, Seat, SeatId, State,
};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::seat_list::{AVAILABLE, Seats};
use crate::seat_pages::{Block, Changed, SeatPages};

/// The answers about every visible schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SeatLists(OrdMap<ScheduleId, Arc<SeatPages>>);

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
                    let pages = SeatPages::new(seats.ids(), recorded.head);
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
