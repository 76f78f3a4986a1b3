//! Every published schedule, for operators: its times, and its call-off. Prices, holds and payments are in the state.

use std::sync::Arc;

use domain::{
    CatalogueEvent, ConcertId, Event, RecordedEvent, ReservationRefunded, SaleEvent, ScheduleId, SchedulePublished,
    Timestamp,
};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// Schedules by number.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Schedules(OrdMap<ScheduleId, Arc<ScheduleView>>);

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// The concert of the schedule.
    pub concert_id: ConcertId,
    /// The start of the show.
    pub starts_at: Timestamp,
    /// The venue's date.
    pub local_date: Arc<str>,
    /// The venue's time.
    pub local_time: Arc<str>,
    /// The venue's time zone (IANA).
    pub time_zone: Arc<str>,
    /// The first instant of the sale.
    pub sale_opens_at: Timestamp,
    /// The first instant after the sale.
    pub sale_closes_at: Timestamp,
    /// Seats that one user may hold or own of it.
    pub seats_per_user: u8,
    /// The call-off, if there was one.
    pub cancelled: Option<CancelledView>,
}

/// The call-off of a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelledView {
    /// The time of the call-off.
    pub at: Timestamp,
    /// The operator's reason.
    pub reason: Arc<str>,
    /// The number of payments refunded since.
    pub refunded: u64,
}

impl Schedules {
    /// Finds a published schedule. It may still be hidden until its import ends: the state's catalogue knows that.
    pub(crate) fn get(&self, schedule_id: ScheduleId) -> Option<&ScheduleView> {
        self.0.get(&schedule_id).map(Arc::as_ref)
    }

    pub(crate) fn apply(&mut self, recorded: &RecordedEvent) {
        match &recorded.event {
            Event::Catalogue(event) => self.fold_catalogue(event),
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => {
                self.change(hold.schedule_id, |schedule| {
                    schedule.cancelled.iter_mut().for_each(|cancelled| cancelled.refunded += 1);
                });
            }
            Event::Sale(
                SaleEvent::SeatsHeld(_)
                | SaleEvent::HoldExtended(_)
                | SaleEvent::HoldExpired(_)
                | SaleEvent::HoldCancelled(_)
                | SaleEvent::ReservationPaid(_),
            )
            | Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_) => {}
        }
    }

    fn change(&mut self, schedule_id: ScheduleId, change: impl FnOnce(&mut ScheduleView)) {
        if let Some(schedule) = self.0.get_mut(&schedule_id) {
            change(Arc::make_mut(schedule));
        }
    }

    fn fold_catalogue(&mut self, event: &CatalogueEvent) {
        match event {
            CatalogueEvent::SchedulePublished(published) => {
                self.0.insert(published.schedule_id, Arc::new(ScheduleView::of(published)));
            }
            CatalogueEvent::SaleWindowChanged(changed) => self.change(changed.schedule_id, |schedule| {
                schedule.sale_opens_at = changed.sale_opens_at;
                schedule.sale_closes_at = changed.sale_closes_at;
            }),
            CatalogueEvent::ScheduleMoved(moved) => self.change(moved.schedule_id, |schedule| {
                schedule.starts_at = moved.starts_at;
                schedule.local_date = moved.local_date.as_str().into();
                schedule.local_time = moved.local_time.as_str().into();
            }),
            CatalogueEvent::ScheduleCancelled(cancelled) => self.change(cancelled.schedule_id, |schedule| {
                let (at, reason) = (cancelled.cancelled_at, cancelled.reason.as_str().into());
                schedule.cancelled = Some(CancelledView { at, reason, refunded: 0 });
            }),
            CatalogueEvent::ConcertPublished(_)
            | CatalogueEvent::SeatsAdded(_)
            | CatalogueEvent::CatalogImported(_)
            | CatalogueEvent::PriceChanged(_) => {}
        }
    }
}

impl ScheduleView {
    fn of(published: &SchedulePublished) -> Self {
        Self {
            concert_id: published.concert_id,
            starts_at: published.starts_at,
            local_date: published.local_date.as_str().into(),
            local_time: published.local_time.as_str().into(),
            time_zone: published.time_zone.as_str().into(),
            sale_opens_at: published.sale_opens_at,
            sale_closes_at: published.sale_closes_at,
            seats_per_user: published.seats_per_user,
            cancelled: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::*;
    use domain::spec::*;

    #[test]
    fn a_schedule_tells_its_times_its_prices_and_what_is_left_of_it() {
        let mut models = shown_on_sale([held(1, ANN, [1]), held(2, BOB, [2]), paid(1, 1, ANN, [1], 0)]);
        fold(&mut models, [window_changed(60, 600), moved(STARTS + 60), price_changed(70)]);
        let (schedule, seats) = models.schedule(SCHEDULE).unwrap();
        assert_eq!((schedule.sale_opens_at, schedule.sale_closes_at), (T0.plus_seconds(60), T0.plus_seconds(600)));
        assert_eq!((schedule.starts_at, &*schedule.local_time), (T0.plus_seconds(STARTS + 60), "20:00"));
        let zones = serde_json::to_value(seats.zones()).unwrap();
        assert_eq!((&zones[0]["priceFrom"], &zones[0]["priceTo"]), (&70.into(), &70.into()));
        assert_eq!(seats.holds_and_payments(), (1, 1));
    }

    #[test]
    fn of_a_show_that_is_off_it_tells_what_is_left_to_give_back() {
        let mut models = shown_on_sale([held(1, ANN, [1]), held(2, BOB, [2]), paid(1, 1, ANN, [1], 0), called_off()]);
        fold(&mut models, [refunded(1, 1, ANN, [1], PRICE), cancelled(2, BOB, [2])]);
        let (schedule, seats) = models.schedule(SCHEDULE).unwrap();
        let cancelled = schedule.cancelled.as_ref().unwrap();
        assert_eq!((seats.holds_and_payments(), cancelled.refunded), ((0, 0), 1));
        assert_eq!(&*cancelled.reason, "the singer is ill");
    }
}
