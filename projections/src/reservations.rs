//! Reservations: all live ones, and those closed in the last 24 hours.

use std::sync::Arc;

use domain::limits::REMEMBERED_SECONDS;
use domain::{
    CatalogueEvent, Event, Hold, HoldCancelled, HoldExpired, HoldExtended, RecordedEvent, Reservation, ReservationId,
    ReservationPaid, ReservationRefunded, ReservationStatus, SaleEvent, ScheduleId, SchedulePublished, SeatsHeld,
    Timestamp, UserId,
};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

/// Reservations by number.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReservationViews {
    entries: OrdMap<ReservationId, Entry>,
    forgettable: OrdSet<(Timestamp, ReservationId)>,
    /// The starts of schedules: a paid reservation is closed from then on.
    starts_at: OrdMap<ScheduleId, Timestamp>,
    /// Paid reservations by schedule, since a schedule that is moved changes the time when they are closed.
    paid: OrdSet<(ScheduleId, ReservationId)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    /// Shared, since a change of a persistent map copies the neighbours of an entry.
    reservation: Arc<Reservation>,
    /// The time when a closed reservation is forgotten.
    forgotten_at: Option<Timestamp>,
}

impl ReservationViews {
    /// Finds a reservation that is not forgotten. It has the status that events gave it: a hold may be overdue, see
    /// [`Reservation::status_at`].
    pub fn get(&self, reservation_id: ReservationId) -> Option<&Reservation> {
        self.entries.get(&reservation_id).map(|entry| entry.reservation.as_ref())
    }

    /// The user's live reservations, as events say, the newest first. It looks at every reservation, so it is only for
    /// operators' requests, which are rare.
    pub fn live_of(&self, user_id: UserId) -> impl Iterator<Item = &Reservation> {
        use ReservationStatus::{Held, Paid};
        let all = self.entries.values().rev().map(|entry| entry.reservation.as_ref());
        all.filter(move |found| found.hold.user_id == user_id && matches!(found.status, Held | Paid))
    }

    pub(crate) fn apply(&mut self, recorded: &RecordedEvent) {
        use ReservationStatus::{Cancelled, Expired, Held, Paid, Refunded};
        match &recorded.event {
            Event::Catalogue(CatalogueEvent::SchedulePublished(SchedulePublished {
                schedule_id, starts_at, ..
            })) => {
                self.starts_at.insert(*schedule_id, *starts_at);
            }
            Event::Catalogue(CatalogueEvent::ScheduleMoved(moved)) => self.restart(moved.schedule_id, moved.starts_at),
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => self.open(hold),
            Event::Sale(SaleEvent::HoldExtended(HoldExtended { hold, .. })) => self.extend(hold),
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, expired_at })) => {
                self.close(hold, Held, Expired, *expired_at)
            }
            Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, cancelled_at, .. })) => {
                self.close(hold, Held, Cancelled, *cancelled_at)
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, paid_at, .. })) => {
                let starts_at = self.starts_at.get(&hold.schedule_id).copied().unwrap_or(*paid_at);
                self.close(hold, Held, Paid, starts_at.max(*paid_at));
                self.paid.insert((hold.schedule_id, hold.reservation_id));
            }
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, refunded_at, .. })) => {
                // An operator can refund a reservation that is already forgotten here.
                self.entries.entry(hold.reservation_id).or_insert_with(|| Entry {
                    reservation: Arc::new(Reservation { status: Paid, ..Reservation::held(hold.clone()) }),
                    forgotten_at: None,
                });
                self.close(hold, Paid, Refunded, *refunded_at)
            }
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(
                CatalogueEvent::ConcertPublished(_)
                | CatalogueEvent::SeatsAdded(_)
                | CatalogueEvent::CatalogImported(_)
                | CatalogueEvent::SaleWindowChanged(_)
                | CatalogueEvent::PriceChanged(_)
                | CatalogueEvent::ScheduleCancelled(_),
            ) => {}
        }
        self.forget(recorded.recorded_at);
    }

    /// Moves the time when a schedule's paid reservations are closed, except for those that are forgotten already.
    fn restart(&mut self, schedule_id: ScheduleId, starts_at: Timestamp) {
        self.starts_at.insert(schedule_id, starts_at);
        let paid = self.paid.range((schedule_id, ReservationId::FIRST)..);
        let ids: Vec<ReservationId> = paid.take_while(|(of, _)| *of == schedule_id).map(|(_, id)| *id).collect();
        for id in ids {
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            if let Some(before) = entry.forgotten_at.replace(starts_at.plus_seconds(REMEMBERED_SECONDS)) {
                self.forgettable.remove(&(before, id));
            }
            self.forgettable.insert((starts_at.plus_seconds(REMEMBERED_SECONDS), id));
        }
    }

    fn open(&mut self, hold: &Hold) {
        let reservation = Arc::new(Reservation::held(hold.clone()));
        self.entries.insert(hold.reservation_id, Entry { reservation, forgotten_at: None });
    }

    fn extend(&mut self, hold: &Hold) {
        if let Some(entry) = self.entries.get_mut(&hold.reservation_id) {
            Arc::make_mut(&mut entry.reservation).extend(hold);
        }
    }

    fn close(&mut self, hold: &Hold, from: ReservationStatus, to: ReservationStatus, closed_at: Timestamp) {
        let id = hold.reservation_id;
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.reservation.status == from) else { return };
        if let Some(earlier) = entry.forgotten_at {
            self.forgettable.remove(&(earlier, id));
        }
        self.paid.remove(&(hold.schedule_id, id));
        let forgotten_at = closed_at.plus_seconds(REMEMBERED_SECONDS);
        Arc::make_mut(&mut entry.reservation).status = to;
        entry.forgotten_at = Some(forgotten_at);
        self.forgettable.insert((forgotten_at, id));
    }

    fn forget(&mut self, recorded_at: Timestamp) {
        while let Some((forgotten_at, id)) = self.forgettable.get_min().copied()
            && forgotten_at <= recorded_at
        {
            self.forgettable.remove_min();
            if let Some(entry) = self.entries.remove(&id) {
                self.paid.remove(&(entry.reservation.hold.schedule_id, id));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use domain::spec::*;

    fn status(models: &crate::ReadModels, number: u64) -> Option<ReservationStatus> {
        models.reservations.get(reservation_id(number)).map(|reservation| reservation.status)
    }

    #[test]
    fn a_reservation_tells_what_became_of_it() {
        let events = [held(1, ANN, [1]), held(2, ANN, [2]), held(3, BOB, [3]), held(4, BOB, [4]), held(5, BOB, [5])];
        let mut models = shown_on_sale(events);
        fold(&mut models, [paid(1, 2, ANN, [2], 0), hold_expired(3, BOB, [3]), cancelled(4, BOB, [4])]);
        fold(&mut models, [paid(2, 5, BOB, [5], 0), refunded(2, 5, BOB, [5], 100)]);
        use ReservationStatus::{Cancelled, Expired, Held, Paid, Refunded};
        let expected = [Held, Paid, Expired, Cancelled, Refunded].map(Some);
        assert_eq!([1, 2, 3, 4, 5].map(|number| status(&models, number)), expected);
    }

    #[test]
    fn what_is_closed_stays_as_it_is() {
        let mut models = shown_on_sale([held(1, ANN, [1]), cancelled(1, ANN, [1]), hold_expired(1, ANN, [1])]);
        assert_eq!(status(&models, 1), Some(ReservationStatus::Cancelled));
        fold(&mut models, [paid(1, 1, ANN, [1], 0)]);
        assert_eq!(status(&models, 1), Some(ReservationStatus::Cancelled));
    }

    #[test]
    fn what_is_closed_is_forgotten_after_a_day() {
        let mut models = shown_on_sale([held(1, ANN, [1]), cancelled(1, ANN, [1]), held(2, ANN, [2])]);
        fold_at(&mut models, T0.plus_seconds(REMEMBERED_SECONDS - 1), [charged(ANN, 1, 1)]);
        assert!(status(&models, 1).is_some());
        fold_at(&mut models, T0.plus_seconds(REMEMBERED_SECONDS), [charged(ANN, 1, 2)]);
        assert_eq!(status(&models, 1), None);
        assert!(status(&models, 2).is_some(), "a hold is not closed");
    }

    #[test]
    fn a_sale_is_closed_from_the_start_of_its_schedule_on() {
        let mut models = shown_on_sale([held(1, ANN, [1]), paid(1, 1, ANN, [1], 0)]);
        fold_at(&mut models, T0.plus_seconds(STARTS + REMEMBERED_SECONDS - 1), [charged(ANN, 1, 1)]);
        assert!(status(&models, 1).is_some());
        fold_at(&mut models, T0.plus_seconds(STARTS + REMEMBERED_SECONDS), [charged(ANN, 1, 2)]);
        assert_eq!(status(&models, 1), None);
    }

    #[test]
    fn a_refund_is_closed_from_the_refund_on() {
        let events = [held(1, ANN, [1]), paid(1, 1, ANN, [1], 0), refunded(1, 1, ANN, [1], 100)];
        let mut models = shown_on_sale(events);
        fold_at(&mut models, T0.plus_seconds(REMEMBERED_SECONDS), [charged(ANN, 1, 1)]);
        assert_eq!(status(&models, 1), None);
        assert!(models.reservations.forgettable.is_empty(), "nothing waits for the schedule's start any more");
    }

    #[test]
    fn what_is_refunded_after_it_was_forgotten_is_shown_again_for_a_day() {
        let mut models = shown_on_sale([held(1, ANN, [1]), paid(1, 1, ANN, [1], 0)]);
        let late = T0.plus_seconds(STARTS + REMEMBERED_SECONDS);
        fold_at(&mut models, late, [charged(BOB, 1, 1)]);
        assert_eq!(status(&models, 1), None);
        fold_at(&mut models, late, [refunded(1, 1, ANN, [1], 100).at_seconds(STARTS + REMEMBERED_SECONDS)]);
        assert_eq!(status(&models, 1), Some(ReservationStatus::Refunded));
        fold_at(&mut models, late.plus_seconds(REMEMBERED_SECONDS), [charged(BOB, 1, 2)]);
        assert_eq!(status(&models, 1), None);
    }

    #[test]
    fn what_a_user_holds_or_owns_is_told_the_newest_first() {
        let events =
            [held(1, ANN, [1]), held(2, ANN, [2]), held(3, ANN, [3]), held(4, BOB, [4]), paid(1, 2, ANN, [2], 0)];
        let mut models = shown_on_sale(events);
        fold(&mut models, [cancelled(3, ANN, [3])]);
        let live: Vec<u64> = models.reservations.live_of(ANN).map(|found| found.hold.reservation_id.get()).collect();
        assert_eq!(live, [2, 1]);
    }
}
