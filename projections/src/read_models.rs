//! All hot read models together, as they are published after each batch.

use domain::{Event, Head, Position, RecordedEvent, ScheduleId, Timestamp, Users, UsersEvent};
use serde::{Deserialize, Serialize};

use crate::balances::Balances;
use crate::concerts::Concerts;
use crate::reservations::ReservationViews;
use crate::room::RoomView;
use crate::schedules::{ScheduleView, Schedules};
use crate::seat_lists::SeatLists;
use crate::seat_zone::Zones;

/// The read models have not reached the position that a query asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// What they have reached.
    pub position: Position,
}

/// What queries are served from, as of one position. A copy is O(1) and stays as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadModels {
    /// The last record folded.
    pub head: Head,
    /// When that was recorded.
    pub recorded_at: Timestamp,
    /// The waiting room.
    pub room: RoomView,
    /// Points.
    pub balances: Balances,
    /// Concerts and their dates.
    pub concerts: Concerts,
    /// Schedules, for those who run the sale.
    pub schedules: Schedules,
    /// Who somebody is, where an identity provider says so.
    pub users: Users,
    /// The seats of each schedule.
    pub seat_lists: SeatLists,
    /// Holds, and what became of them.
    pub reservations: ReservationViews,
}

impl Default for ReadModels {
    fn default() -> Self {
        Self {
            head: Head::EMPTY,
            recorded_at: Timestamp::default(),
            room: RoomView::default(),
            balances: Balances::default(),
            concerts: Concerts::default(),
            schedules: Schedules::default(),
            users: Users::default(),
            seat_lists: SeatLists::default(),
            reservations: ReservationViews::default(),
        }
    }
}

impl ReadModels {
    /// Raise it with every change of what the same events fold to, or of how a read model is stored: a snapshot of
    /// another version is not used, so that the read models are folded anew from the log.
    pub const FOLD_VERSION: u32 = 5;

    /// Folds the next record. No bytes are made here.
    ///
    /// # Panics
    /// It is not the next one.
    pub fn apply(&mut self, recorded: &RecordedEvent) {
        assert_eq!(recorded.head.position, self.head.position.next(), "records are folded in order, each once");
        self.room.apply(recorded);
        self.balances.apply(recorded);
        self.schedules.apply(recorded);
        match &recorded.event {
            Event::Users(UsersEvent::UserRegistered(registered)) => {
                self.users.register(registered.subject, registered.user_id);
            }
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Points(_)
            | Event::Catalogue(_)
            | Event::Sale(_) => {}
        }
        self.seat_lists.apply(recorded);
        self.concerts.apply(recorded, &self.seat_lists);
        self.reservations.apply(recorded);
        self.head = recorded.head;
        self.recorded_at = self.recorded_at.max(recorded.recorded_at);
    }

    /// A published schedule that can be seen, with its zones.
    pub fn schedule(&self, schedule_id: ScheduleId) -> Option<(&ScheduleView, &Zones)> {
        let seats = self.seat_lists.published(schedule_id)?;
        Some((self.schedules.get(schedule_id)?, seats.zones()))
    }
}
