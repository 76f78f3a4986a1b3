//! Concerts and their schedules.

mod schedule;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::schedule::{CalledOff, Schedule, ScheduleTimes};
use crate::event::{
    CatalogImported, CatalogueEvent, ConcertPublished, Event, PriceChanged, SaleWindowChanged, ScheduleCancelled,
    ScheduleMoved, SchedulePublished, SeatsAdded,
};
use crate::house::Plan;
use crate::rejection::Rejection;
use crate::values::{ConcertId, ScheduleId, Timestamp};

/// A concert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concert {
    pub name: String,
    /// The performer's name.
    pub artist: String,
    /// The place where it is played.
    pub venue: String,
}

/// The catalogue: concerts, and schedules with their seats.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Catalogue {
    concerts: OrdMap<ConcertId, Concert>,
    schedules: OrdMap<ScheduleId, Schedule>,
    /// Schedules of imports that have not ended. Buyers do not see them.
    hidden: OrdSet<ScheduleId>,
    /// Schedules that were called off and still have holds or payments to give back.
    being_called_off: OrdSet<ScheduleId>,
}

impl Catalogue {
    /// Every concert, by id.
    pub fn concerts(&self) -> &OrdMap<ConcertId, Concert> {
        &self.concerts
    }

    /// Every schedule by id, with the hidden ones.
    pub fn schedules(&self) -> &OrdMap<ScheduleId, Schedule> {
        &self.schedules
    }

    /// Schedules of imports that have not ended.
    pub fn hidden(&self) -> impl Iterator<Item = ScheduleId> + '_ {
        self.hidden.iter().copied()
    }

    /// How many schedules become visible with the end of an import, and how many seats they have.
    pub(crate) fn published_by(&self, import_id: Uuid) -> (u64, u64) {
        self.ending(import_id).fold((0, 0), |(schedules, seats), (_, schedule)| {
            (schedules + 1, seats + schedule.seats.values().count() as u64)
        })
    }

    /// The schedules that become visible with the end of an import.
    pub fn shown_by(&self, import_id: Uuid) -> impl Iterator<Item = ScheduleId> {
        self.ending(import_id).map(|(schedule_id, _)| schedule_id)
    }

    fn ending(&self, import_id: Uuid) -> impl Iterator<Item = (ScheduleId, &Schedule)> {
        let hidden = self.hidden.iter().filter_map(|id| Some((*id, self.schedules.get(id)?)));
        hidden.filter(move |(_, schedule)| schedule.times.is_some() && schedule.import_id == Some(import_id))
    }

    /// A visible schedule of a concert, with its times.
    ///
    /// # Errors
    /// The concert does not exist, or has no visible schedule with this id.
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

    /// The start of a published schedule.
    pub fn starts_at(&self, schedule_id: ScheduleId) -> Option<Timestamp> {
        self.schedules.get(&schedule_id)?.times.as_ref().map(|times| times.starts_at)
    }

    /// Finds a visible schedule by its id alone, with its times.
    ///
    /// # Errors
    /// There is no visible schedule with this id.
    pub fn published(&self, schedule_id: ScheduleId) -> Result<(&Schedule, &ScheduleTimes), Rejection> {
        let schedule = self.schedules.get(&schedule_id);
        schedule
            .and_then(|schedule| Some((schedule, schedule.visible_times()?)))
            .ok_or(Rejection::ScheduleNotFound { schedule_id })
    }

    /// True if the schedule was called off.
    pub fn is_called_off(&self, schedule_id: ScheduleId) -> bool {
        self.schedules.get(&schedule_id).is_some_and(|schedule| schedule.called_off.is_some())
    }

    /// Schedules that were called off and still have holds or payments to give back.
    pub fn being_called_off(&self) -> impl Iterator<Item = (ScheduleId, &CalledOff)> {
        let called_off = |id: &ScheduleId| Some((*id, self.schedules.get(id)?.called_off.as_ref()?));
        self.being_called_off.iter().filter_map(called_off)
    }

    /// Folds that a schedule that was called off has no holds and no payments left.
    pub(super) fn has_given_all_back(&mut self, schedule_id: ScheduleId) {
        self.being_called_off.remove(&schedule_id);
    }

    /// Folds an event of an import into a copy on which only the rest of the import is tried.
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

    /// Folds an event. Returns the house plan of each schedule that became visible with it.
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
