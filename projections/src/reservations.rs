//! Reservations: every live one, and what was closed in the last 24 hours.

use std::sync::Arc;

use domain::limits::REMEMBERED_SECONDS;
use domain::{Event, Hold, RecordedEvent, Reservation, ReservationId, ReservationStatus, ScheduleId, Timestamp};
use imbl::{HashMap, OrdSet};

/// Reservations by number.
#[derive(Debug, Clone, Default)]
pub struct ReservationViews {
    entries: HashMap<ReservationId, Entry>,
    forgettable: OrdSet<(Timestamp, ReservationId)>,
    /// A sale is closed from the schedule's start on.
    starts_at: HashMap<ScheduleId, Timestamp>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// Shared, since a persistent map copies its entries' neighbours along.
    reservation: Arc<Reservation>,
    /// When it is forgotten, once it is closed.
    forgotten_at: Option<Timestamp>,
}

impl ReservationViews {
    /// A reservation that is not forgotten, with the status that events gave it: a hold may be overdue, see
    /// [`Reservation::status_at`].
    pub fn get(&self, reservation_id: ReservationId) -> Option<&Reservation> {
        self.entries.get(&reservation_id).map(|entry| entry.reservation.as_ref())
    }

    pub(crate) fn apply(&mut self, recorded: &RecordedEvent) {
        use ReservationStatus::{Cancelled, Expired, Held, Paid, Refunded};
        match &recorded.event {
            Event::SchedulePublished { schedule_id, starts_at, .. } => {
                self.starts_at.insert(*schedule_id, *starts_at);
            }
            Event::SeatsHeld { hold } => self.open(hold),
            Event::HoldExpired { hold, expired_at } => self.close(hold, Held, Expired, *expired_at),
            Event::HoldCancelled { hold, cancelled_at } => self.close(hold, Held, Cancelled, *cancelled_at),
            Event::ReservationPaid { hold, paid_at, .. } => {
                let starts_at = self.starts_at.get(&hold.schedule_id).copied().unwrap_or(*paid_at);
                self.close(hold, Held, Paid, starts_at.max(*paid_at));
            }
            Event::ReservationRefunded { hold, refunded_at, .. } => self.close(hold, Paid, Refunded, *refunded_at),
            Event::LogCreated { .. }
            | Event::RoomConfigured { .. }
            | Event::TokenIssued { .. }
            | Event::TokenAdmitted { .. }
            | Event::TokenExpired { .. }
            | Event::RoomLeft { .. }
            | Event::TokenGranted { .. }
            | Event::PointsCharged { .. }
            | Event::ConcertPublished { .. }
            | Event::SeatsAdded { .. } => {}
        }
        self.forget(recorded.recorded_at);
    }

    fn open(&mut self, hold: &Hold) {
        let reservation = Arc::new(Reservation { hold: hold.clone(), status: ReservationStatus::Held });
        self.entries.insert(hold.reservation_id, Entry { reservation, forgotten_at: None });
    }

    fn close(&mut self, hold: &Hold, from: ReservationStatus, to: ReservationStatus, closed_at: Timestamp) {
        let id = hold.reservation_id;
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.reservation.status == from) else { return };
        if let Some(earlier) = entry.forgotten_at {
            self.forgettable.remove(&(earlier, id));
        }
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
            self.entries.remove(&id);
        }
    }
}
