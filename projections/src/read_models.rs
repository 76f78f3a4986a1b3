//! All read models in memory, as they are published after each batch.

use domain::{Event, Head, Position, RecordedEvent, ScheduleId, Timestamp, Users, UsersEvent, Wallets};
use serde::{Deserialize, Serialize};

use crate::concerts::Concerts;
use crate::reservations::ReservationViews;
use crate::room::RoomView;
use crate::schedules::{ScheduleView, Schedules};
use crate::seat_lists::SeatLists;
use crate::seat_zone::Zones;

/// The read models have not reached the position that a query asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// The position that they have reached.
    pub position: Position,
}

/// The read models as of one position. Queries are served from a copy. A copy costs O(1), and never changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadModels {
    /// The last record folded.
    pub head: Head,
    /// The time of the last record.
    pub recorded_at: Timestamp,
    /// The waiting room.
    pub room: RoomView,
    /// The balances.
    pub balances: Wallets,
    /// Concerts and their dates.
    pub concerts: Concerts,
    /// Schedules, for operators.
    pub schedules: Schedules,
    /// The users that an identity provider names.
    pub users: Users,
    /// The seats of each schedule.
    pub seat_lists: SeatLists,
    /// Reservations.
    pub reservations: ReservationViews,
}

impl Default for ReadModels {
    fn default() -> Self {
        Self {
            head: Head::EMPTY,
            recorded_at: Timestamp::default(),
            room: RoomView::default(),
            balances: Wallets::default(),
            concerts: Concerts::default(),
            schedules: Schedules::default(),
            users: Users::default(),
            seat_lists: SeatLists::default(),
            reservations: ReservationViews::default(),
        }
    }
}

impl ReadModels {
    /// The version of the fold. Raise it when old events fold to another read model, or when one is stored in another
    /// way. A snapshot of another version is not used: the read models are folded anew from the log.
    pub const FOLD_VERSION: u32 = 5;

    /// Folds the next record. The bytes of answers are not made here.
    ///
    /// # Panics
    /// The record is not the next one.
    pub fn apply(&mut self, recorded: &RecordedEvent) {
        assert_eq!(recorded.head.position, self.head.position.next(), "records are folded in order, each once");
        self.room.apply(recorded);
        self.balances.fold(&recorded.event);
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

    /// Finds a visible schedule, with its zones.
    pub fn schedule(&self, schedule_id: ScheduleId) -> Option<(&ScheduleView, &Zones)> {
        let seats = self.seat_lists.published(schedule_id)?;
        Some((self.schedules.get(schedule_id)?, seats.zones()))
    }
}
