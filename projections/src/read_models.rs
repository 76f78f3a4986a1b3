//! What queries see: the state as of one position, and all that is made of events only to be shown.

use domain::{ConcertId, Position, RecordedEvent, Rejection, ScheduleId, Seat, SeatId, State};
use serde::{Deserialize, Serialize};

use crate::concerts::Concerts;
use crate::room::{Figures, RoomPages, RoomView};
use crate::schedules::{ScheduleView, Schedules};
use crate::seat_list::{SeatList, Seats};
use crate::seat_lists::{SeatLists, Touched};

/// The read models have not reached the position that a query asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// The position that they have reached.
    pub position: Position,
}

/// The read models as of one position. Queries are served from a copy. A copy costs O(1), and never changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReadModels {
    /// The state that commands are decided on. It tells balances, reservations and tokens: what is shown is what a
    /// decision would see.
    pub state: State,
    room_pages: RoomPages,
    /// Concerts and their dates.
    pub concerts: Concerts,
    /// Schedules, for operators.
    pub schedules: Schedules,
    seat_lists: SeatLists,
}

impl ReadModels {
    /// The version of the fold. Raise it when old events fold to another state or read model, or when one is stored in
    /// another way. A snapshot of another version is not used: everything is folded anew from the log.
    pub const FOLD_VERSION: u32 = 8;

    /// Folds the next record. The bytes of answers are not made here.
    ///
    /// # Panics
    /// The record is not the next one.
    pub fn apply(&mut self, recorded: &RecordedEvent) {
        let (figures, touched) = (Figures::of(&self.state.room), Touched::by(&recorded.event, &self.state));
        self.state.apply(recorded);
        self.room_pages.apply(recorded, &figures, &self.state.room);
        self.seat_lists.apply(recorded, &touched, &self.state);
        self.schedules.apply(recorded);
        self.concerts.apply(recorded, &self.state);
    }

    /// The waiting room.
    pub fn room(&self) -> RoomView<'_> {
        RoomView::of(&self.state.room, &self.room_pages)
    }

    /// Finds a visible schedule, with its seats.
    pub fn schedule(&self, schedule_id: ScheduleId) -> Option<(&ScheduleView, SeatList<'_>)> {
        Some((self.schedules.get(schedule_id)?, self.seats_of(schedule_id)?))
    }

    /// The seats of a visible schedule.
    ///
    /// # Errors
    /// The concert does not exist, or has no visible schedule with this id.
    pub fn seats(&self, concert_id: ConcertId, schedule_id: ScheduleId) -> Result<SeatList<'_>, Rejection> {
        let (schedule, _) = self.state.catalogue.on_stage(concert_id, schedule_id)?;
        let pages = self.seat_lists.get(schedule_id).ok_or(Rejection::ScheduleNotFound { schedule_id })?;
        Ok(SeatList::new(Seats::new(&self.state, schedule_id, schedule), pages))
    }

    /// Finds the seats of a visible schedule by its id alone.
    pub fn seats_of(&self, schedule_id: ScheduleId) -> Option<SeatList<'_>> {
        Some(SeatList::new(Seats::of(&self.state, schedule_id)?, self.seat_lists.get(schedule_id)?))
    }

    /// A seat of the catalogue, for its names.
    pub fn seat(&self, schedule_id: ScheduleId, seat_id: SeatId) -> Option<&Seat> {
        self.state.catalogue.schedules().get(&schedule_id)?.seats.get(seat_id.get())
    }

    /// The seats of a schedule whose status differs from `older`, with their current status.
    pub fn seats_changed_since(&self, older: &Self, schedule_id: ScheduleId) -> Vec<(SeatId, &'static str)> {
        let now = self.seats_of(schedule_id);
        now.map_or(vec![], |now| now.changed_since(older.seats_of(schedule_id).as_ref()))
    }
}
