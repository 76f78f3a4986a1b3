//! The ids of new concerts and schedules: after all that exist, finished or not, and all that the file gives.

use domain::{Catalogue, ConcertId, ScheduleId};

use super::Listed;

/// The next ids.
pub struct Ids {
    concert: u64,
    schedule: u64,
}

impl Ids {
    pub fn after(catalogue: &Catalogue, listed: &Listed) -> Self {
        let concerts = catalogue.concerts().keys().next_back().copied();
        let given = listed.concerts.iter().filter_map(|concert| concert.id);
        let concert = given.chain(concerts).max().map_or(0, ConcertId::get);
        let schedules = catalogue.schedules().keys().next_back().copied();
        let given = listed.concerts.iter().flat_map(|concert| &concert.schedules).filter_map(|schedule| schedule.id);
        let schedule = given.chain(schedules).max().map_or(0, ScheduleId::get);
        Self { concert, schedule }
    }

    pub fn next_concert(&mut self) -> ConcertId {
        next(&mut self.concert)
    }

    pub fn next_schedule(&mut self) -> ScheduleId {
        next(&mut self.schedule)
    }
}

fn next<Id: TryFrom<u64, Error: std::fmt::Debug>>(last: &mut u64) -> Id {
    *last += 1;
    Id::try_from(*last).expect("a file with the last id of all leaves none for others")
}
