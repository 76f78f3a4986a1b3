//! The seat lists of all schedules. Lists change only by events: an overdue hold stays a hold until an event says that
//! it expired.

use std::sync::Arc;

use domain::{
    CatalogImported, CatalogueEvent, ConcertId, ConcertPublished, Event, Head, Hold, HoldCancelled, HoldExpired,
    RecordedEvent, Rejection, ReservationPaid, ReservationRefunded, SaleEvent, ScheduleId, SchedulePublished, Seat,
    SeatId, SeatsAdded, SeatsHeld,
};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::seat_block::Occupancy;
use crate::seat_list::SeatList;
use crate::seat_zone::Zones;

/// The seats of every schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SeatLists {
    concerts: OrdSet<ConcertId>,
    lists: OrdMap<ScheduleId, Arc<SeatList>>,
    /// By the import with whose end they become visible.
    hidden: OrdMap<Uuid, Vec<ScheduleId>>,
}

impl SeatLists {
    /// The list of a published schedule.
    ///
    /// # Errors
    /// The concert does not exist, or has no published schedule with this id.
    pub fn get(&self, concert_id: ConcertId, schedule_id: ScheduleId) -> Result<&SeatList, Rejection> {
        if !self.concerts.contains(&concert_id) {
            return Err(Rejection::ConcertNotFound { concert_id });
        }
        self.lists
            .get(&schedule_id)
            .map(Arc::as_ref)
            .filter(|list| list.is_published_by(concert_id))
            .ok_or(Rejection::ScheduleNotFound { schedule_id })
    }

    /// Finds the list of a published schedule by its id alone.
    pub fn published(&self, schedule_id: ScheduleId) -> Option<&SeatList> {
        self.lists.get(&schedule_id).map(Arc::as_ref).filter(|list| list.is_published_by(list.concert_id()))
    }

    /// A seat, for its names.
    pub fn seat(&self, schedule_id: ScheduleId, seat_id: SeatId) -> Option<&Seat> {
        self.lists.get(&schedule_id)?.seat(seat_id)
    }

    /// The status of a seat, as clients read it.
    pub fn status(&self, schedule_id: ScheduleId, seat_id: SeatId) -> Option<&'static str> {
        self.lists.get(&schedule_id)?.status(seat_id)
    }

    /// The seats of a schedule whose status differs from `older`, with their current status.
    pub fn changed_since(&self, older: &Self, schedule_id: ScheduleId) -> Vec<(SeatId, &'static str)> {
        match (older.lists.get(&schedule_id), self.lists.get(&schedule_id)) {
            (Some(older), Some(now)) if Arc::ptr_eq(older, now) => Vec::new(),
            (older, Some(now)) => now.changed_since(older.map(Arc::as_ref)),
            (_, None) => Vec::new(),
        }
    }

    /// The number of free seats of the schedule, as events say.
    pub fn seats_available(&self, schedule_id: ScheduleId) -> u64 {
        self.lists.get(&schedule_id).map_or(0, |list| list.seats_available())
    }

    /// The schedule's zones, as events say.
    pub(crate) fn zones(&self, schedule_id: ScheduleId) -> Option<&Zones> {
        self.lists.get(&schedule_id).map(|list| list.zones())
    }

    fn list_mut(&mut self, schedule_id: ScheduleId) -> Option<&mut SeatList> {
        self.lists.get_mut(&schedule_id).map(Arc::make_mut)
    }

    pub(crate) fn apply(&mut self, recorded: &RecordedEvent) {
        let head = recorded.head;
        match &recorded.event {
            Event::Catalogue(CatalogueEvent::ConcertPublished(ConcertPublished { concert_id, .. })) => {
                self.concerts.insert(*concert_id);
            }
            Event::Catalogue(CatalogueEvent::SeatsAdded(SeatsAdded { concert_id, schedule_id, seats })) => {
                let list = self.lists.entry(*schedule_id).or_insert_with(|| Arc::new(SeatList::of(*concert_id)));
                Arc::make_mut(list).add(seats, head);
            }
            Event::Catalogue(CatalogueEvent::SchedulePublished(SchedulePublished {
                schedule_id, import_id, ..
            })) => match import_id {
                Some(import_id) => self.hidden.entry(*import_id).or_default().push(*schedule_id),
                None => self.publish(*schedule_id, head),
            },
            Event::Catalogue(CatalogueEvent::CatalogImported(CatalogImported { import_id, .. })) => {
                let shown = import_id.and_then(|import_id| self.hidden.remove(&import_id)).unwrap_or_default();
                shown.into_iter().for_each(|schedule_id| self.publish(schedule_id, head));
            }
            Event::Catalogue(CatalogueEvent::PriceChanged(changed)) => {
                if let Some(list) = self.list_mut(changed.schedule_id) {
                    list.reprice(&changed.zone, changed.price, head);
                }
            }
            Event::Catalogue(CatalogueEvent::ScheduleCancelled(cancelled)) => {
                if let Some(list) = self.list_mut(cancelled.schedule_id) {
                    list.call_off(head);
                }
            }
            Event::Catalogue(CatalogueEvent::SaleWindowChanged(_) | CatalogueEvent::ScheduleMoved(_)) => {}
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => {
                self.occupy(hold, head, |_| Occupancy::Held(hold.reservation_id))
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. })) => {
                self.occupy(hold, head, |_| Occupancy::Sold(hold.reservation_id))
            }
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. }))
            | Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. }))
            | Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => {
                let Some(list) = self.list_mut(hold.schedule_id) else { return };
                let free = if list.is_called_off() { Occupancy::Cancelled } else { Occupancy::Available };
                // If the hold expired late, another reservation may have its seats by now.
                list.occupy(hold, head, |before| if before.is_of(hold.reservation_id) { free } else { before });
            }
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Sale(SaleEvent::HoldExtended(_)) => {}
        }
    }

    fn publish(&mut self, schedule_id: ScheduleId, head: Head) {
        if let Some(list) = self.list_mut(schedule_id) {
            list.publish(head);
        }
    }

    fn occupy(&mut self, hold: &Hold, head: Head, next: impl Fn(Occupancy) -> Occupancy) {
        if let Some(list) = self.list_mut(hold.schedule_id) {
            list.occupy(hold, head, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use domain::spec::*;

    #[test]
    fn only_a_published_schedule_of_that_concert_is_found() {
        let other = CONCERT.successor();
        let mut models = shown([concert(), seats_added(vec![seat(1)])]);
        let unpublished = models.seat_lists.get(CONCERT, SCHEDULE).map(|_| ());
        assert_eq!(unpublished, Err(Rejection::ScheduleNotFound { schedule_id: SCHEDULE }));
        let no_concert = models.seat_lists.get(other, SCHEDULE).map(|_| ());
        assert_eq!(no_concert, Err(Rejection::ConcertNotFound { concert_id: other }));
        let (name, artist, venue) = (String::new(), String::new(), String::new());
        fold(
            &mut models,
            [schedule_published(), Event::from(ConcertPublished { concert_id: other, name, artist, venue })],
        );
        assert!(models.seat_lists.get(CONCERT, SCHEDULE).is_ok());
        let stolen = models.seat_lists.get(other, SCHEDULE).map(|_| ());
        assert_eq!(stolen, Err(Rejection::ScheduleNotFound { schedule_id: SCHEDULE }));
    }

    #[test]
    fn a_schedule_of_an_import_is_shown_with_its_end() {
        let import_id = Uuid::from_u128(7);
        let mut models = shown([concert(), seats_added(vec![seat(1)]), schedule_imported(import_id)]);
        let is_shown = |models: &crate::ReadModels| {
            let dates = models.concerts.dates(CONCERT, &models.seat_lists).unwrap().body;
            (models.seat_lists.get(CONCERT, SCHEDULE).is_ok(), dates != "[]")
        };
        assert_eq!(is_shown(&models), (false, false));
        fold(&mut models, [catalog_imported(Uuid::from_u128(8))]);
        assert_eq!(is_shown(&models), (false, false));
        fold(&mut models, [catalog_imported(import_id)]);
        assert_eq!(is_shown(&models), (true, true));
    }

    #[test]
    fn a_seat_is_found_for_its_names() {
        let models = shown_on_sale([]);
        assert_eq!(models.seat_lists.seat(SCHEDULE, seat_id(SEATS)), Some(&seat(SEATS)));
        assert_eq!(models.seat_lists.seat(SCHEDULE, seat_id(SEATS + 1)), None);
    }
}
