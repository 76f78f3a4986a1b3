//! Concerts, their schedules, and every seat of a schedule.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::numbered::{Number, Numbered};
use crate::event::{
    CatalogImported, CatalogueEvent, ConcertPublished, Event, PriceChanged, SaleWindowChanged, ScheduleCancelled,
    ScheduleMoved, SchedulePublished, Seat, SeatsAdded,
};
use crate::house::Plan;
use crate::limits::MAX_SEATS_PER_USER_IN_SCHEDULE;
use crate::rejection::Rejection;
use crate::values::{ConcertId, Points, ScheduleId, SeatId, Timestamp};

/// A concert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concert {
    /// Its name.
    pub name: String,
    /// Who plays.
    pub artist: String,
    /// Where.
    pub venue: String,
}

/// One performance, with its seats.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Schedule {
    /// Whose performance it is.
    pub concert_id: ConcertId,
    /// Every seat.
    pub seats: Numbered<Seat>,
    /// `None` until all of its seats are there.
    pub times: Option<ScheduleTimes>,
    /// The times that it was published with: a catalogue that is imported again names them.
    pub published: Option<ScheduleTimes>,
    /// Whether the show is off.
    pub called_off: Option<CalledOff>,
    /// Seats that one user may hold or own.
    pub seats_per_user: u8,
    /// With the end of which import it becomes visible, or became so.
    pub import_id: Option<Uuid>,
    is_visible: bool,
    /// What seats of a zone cost, where that was changed.
    prices: OrdMap<Arc<str>, Points>,
    /// The seats in the catalogue's order, until they are all there.
    order: Vector<SeatId>,
}

/// A show is off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledOff {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: Arc<str>,
}

impl Schedule {
    fn of(concert_id: ConcertId) -> Self {
        Self {
            concert_id,
            seats: Numbered::default(),
            times: None,
            published: None,
            called_off: None,
            seats_per_user: MAX_SEATS_PER_USER_IN_SCHEDULE as u8,
            import_id: None,
            is_visible: false,
            prices: OrdMap::new(),
            order: Vector::new(),
        }
    }

    /// What a seat costs now.
    pub fn price(&self, seat_id: SeatId) -> Option<Points> {
        self.seats.get(seat_id.get()).map(|seat| self.price_of(seat))
    }

    /// What a seat of it costs now: [`Seat::price`] is what the catalogue said at first.
    pub fn price_of(&self, seat: &Seat) -> Points {
        self.prices.get(&seat.zone).copied().unwrap_or(seat.price)
    }

    /// Its times, once people can see it.
    pub fn visible_times(&self) -> Option<&ScheduleTimes> {
        self.times.as_ref().filter(|_| self.is_visible)
    }

    /// Folds what an operator changed.
    fn change(&mut self, event: &CatalogueEvent) {
        match event {
            CatalogueEvent::SaleWindowChanged(changed) => {
                if let Some(times) = &mut self.times {
                    (times.sale_opens_at, times.sale_closes_at) = (changed.sale_opens_at, changed.sale_closes_at);
                }
            }
            CatalogueEvent::ScheduleMoved(moved) => {
                if let Some(times) = &mut self.times {
                    times.starts_at = moved.starts_at;
                }
            }
            CatalogueEvent::PriceChanged(changed) => {
                self.prices.insert(changed.zone.as_str().into(), changed.price);
            }
            CatalogueEvent::ScheduleCancelled(cancelled) => {
                let (at, reason) = (cancelled.cancelled_at, cancelled.reason.as_str().into());
                self.called_off = Some(CalledOff { at, reason });
            }
            CatalogueEvent::ConcertPublished(_)
            | CatalogueEvent::SeatsAdded(_)
            | CatalogueEvent::SchedulePublished(_)
            | CatalogueEvent::CatalogImported(_) => {}
        }
    }
}

impl Number for Seat {
    fn number(&self) -> u64 {
        self.seat_id.get()
    }
}

/// When a schedule is sold and played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleTimes {
    /// The performance's start: until then a sale can be taken back.
    pub starts_at: Timestamp,
    /// The venue's time zone (IANA).
    pub time_zone: String,
    /// The first instant of the sale.
    pub sale_opens_at: Timestamp,
    /// The first instant after the sale.
    pub sale_closes_at: Timestamp,
}

impl ScheduleTimes {
    /// The refusal of what comes before the sale or after it.
    pub(crate) fn not_on_sale(&self) -> Rejection {
        Rejection::NotOnSale { opens_at: self.sale_opens_at, closes_at: self.sale_closes_at }
    }
}

/// All that can be sold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Catalogue {
    concerts: OrdMap<ConcertId, Concert>,
    schedules: OrdMap<ScheduleId, Schedule>,
    /// Schedules that nobody can see yet.
    hidden: OrdSet<ScheduleId>,
    /// Those that are off, and of which not everything was given back yet.
    being_called_off: OrdSet<ScheduleId>,
}

impl Catalogue {
    /// Every concert, by id.
    pub fn concerts(&self) -> &OrdMap<ConcertId, Concert> {
        &self.concerts
    }

    /// Every schedule by id, the hidden ones too.
    pub fn schedules(&self) -> &OrdMap<ScheduleId, Schedule> {
        &self.schedules
    }

    /// The schedules that nobody can see yet: an import has begun them.
    pub fn hidden(&self) -> impl Iterator<Item = ScheduleId> + '_ {
        self.hidden.iter().copied()
    }

    /// How many schedules become visible with the end of an import, and how many seats they have.
    pub(crate) fn published_by(&self, import_id: Uuid) -> (u64, u64) {
        self.ending(import_id).fold((0, 0), |(schedules, seats), (_, schedule)| {
            (schedules + 1, seats + schedule.seats.values().count() as u64)
        })
    }

    fn ending(&self, import_id: Uuid) -> impl Iterator<Item = (ScheduleId, &Schedule)> {
        let hidden = self.hidden.iter().filter_map(|id| Some((*id, self.schedules.get(id)?)));
        hidden.filter(move |(_, schedule)| schedule.times.is_some() && schedule.import_id == Some(import_id))
    }

    /// A visible schedule of a concert, with its times.
    ///
    /// # Errors
    /// There is no such concert, or it has no such schedule that can be seen.
    pub fn on_stage(
        &self,
        concert_id: ConcertId,
        schedule_id: ScheduleId,
    ) -> Result<(&Schedule, &ScheduleTimes), Rejection> {
        if !self.concerts.contains_key(&concert_id) {
            return Err(Rejection::ConcertNotFound { concert_id });
        }
        self.schedules
            .get(&schedule_id)
            .filter(|schedule| schedule.concert_id == concert_id)
            .and_then(|schedule| Some((schedule, schedule.visible_times()?)))
            .ok_or(Rejection::ScheduleNotFound { schedule_id })
    }

    /// When a published schedule starts.
    pub fn starts_at(&self, schedule_id: ScheduleId) -> Option<Timestamp> {
        self.schedules.get(&schedule_id)?.times.as_ref().map(|times| times.starts_at)
    }

    /// A visible schedule with its times, whoever's it is.
    ///
    /// # Errors
    /// There is none with this number.
    pub fn published(&self, schedule_id: ScheduleId) -> Result<(&Schedule, &ScheduleTimes), Rejection> {
        let schedule = self.schedules.get(&schedule_id);
        schedule
            .and_then(|schedule| Some((schedule, schedule.visible_times()?)))
            .ok_or(Rejection::ScheduleNotFound { schedule_id })
    }

    /// Whether the show is off.
    pub fn is_called_off(&self, schedule_id: ScheduleId) -> bool {
        self.schedules.get(&schedule_id).is_some_and(|schedule| schedule.called_off.is_some())
    }

    /// Shows that are off, and of which not everything was given back yet.
    pub fn being_called_off(&self) -> impl Iterator<Item = (ScheduleId, &CalledOff)> {
        let called_off = |id: &ScheduleId| Some((*id, self.schedules.get(id)?.called_off.as_ref()?));
        self.being_called_off.iter().filter_map(called_off)
    }

    /// Folds that nobody has anything of a show that is off any more.
    pub(super) fn has_given_all_back(&mut self, schedule_id: ScheduleId) {
        self.being_called_off.remove(&schedule_id);
    }

    /// Folds what a part of an import leads to, where nobody will hold a seat.
    pub(crate) fn try_out(&mut self, event: &Event) {
        match event {
            Event::Catalogue(event) => drop(self.fold(event)),
            Event::Log(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Room(_)
            | Event::Points(_)
            | Event::Sale(_) => {}
        }
    }

    /// Folds an event, and tells the plan of each schedule that became visible by it.
    pub(crate) fn fold(&mut self, event: &CatalogueEvent) -> Vec<(ScheduleId, Plan)> {
        match event {
            CatalogueEvent::ConcertPublished(ConcertPublished { concert_id, name, artist, venue }) => {
                let concert = Concert { name: name.clone(), artist: artist.clone(), venue: venue.clone() };
                self.concerts.insert(*concert_id, concert);
                vec![]
            }
            CatalogueEvent::SeatsAdded(added) => {
                self.add(added);
                vec![]
            }
            CatalogueEvent::SchedulePublished(published) => self.publish(published).into_iter().collect(),
            CatalogueEvent::CatalogImported(CatalogImported { import_id, .. }) => {
                let ending: Vec<ScheduleId> =
                    import_id.map_or(vec![], |import_id| self.ending(import_id).map(|(id, _)| id).collect());
                ending.into_iter().filter_map(|schedule_id| self.show(schedule_id)).collect()
            }
            CatalogueEvent::SaleWindowChanged(SaleWindowChanged { schedule_id, .. })
            | CatalogueEvent::ScheduleMoved(ScheduleMoved { schedule_id, .. })
            | CatalogueEvent::PriceChanged(PriceChanged { schedule_id, .. })
            | CatalogueEvent::ScheduleCancelled(ScheduleCancelled { schedule_id, .. }) => {
                if let Some(schedule) = self.schedules.get_mut(schedule_id) {
                    schedule.change(event);
                    if schedule.called_off.is_some() {
                        self.being_called_off.insert(*schedule_id);
                    }
                }
                vec![]
            }
        }
    }

    fn add(&mut self, SeatsAdded { concert_id, schedule_id, seats }: &SeatsAdded) {
        let schedule = self.schedules.entry(*schedule_id).or_insert_with(|| {
            self.hidden.insert(*schedule_id);
            Schedule::of(*concert_id)
        });
        for seat in seats {
            schedule.order.push_back(seat.seat_id);
            schedule.seats.insert(seat.clone());
        }
    }

    fn publish(&mut self, published: &SchedulePublished) -> Option<(ScheduleId, Plan)> {
        let schedule = self.schedules.get_mut(&published.schedule_id)?;
        let times = ScheduleTimes {
            starts_at: published.starts_at,
            time_zone: published.time_zone.clone(),
            sale_opens_at: published.sale_opens_at,
            sale_closes_at: published.sale_closes_at,
        };
        (schedule.times, schedule.published) = (Some(times.clone()), Some(times));
        schedule.seats_per_user = published.seats_per_user;
        schedule.import_id = published.import_id;
        if published.import_id.is_none() { self.show(published.schedule_id) } else { None }
    }

    fn show(&mut self, schedule_id: ScheduleId) -> Option<(ScheduleId, Plan)> {
        self.hidden.remove(&schedule_id);
        let schedule = self.schedules.get_mut(&schedule_id)?;
        schedule.is_visible = true;
        let order = std::mem::take(&mut schedule.order);
        let seats = order.iter().filter_map(|seat_id| schedule.seats.get(seat_id.get()));
        Some((schedule_id, Plan::of(seats)))
    }
}
