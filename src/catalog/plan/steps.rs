//! Makes the commands of an import. Seats are divided into events, and one command has as many parts as one append has
//! room for.

use domain::limits::{MAX_DATA_BYTES, MAX_SEATS_PER_EVENT};
use domain::{
    AddSeats, CataloguePart, ConcertId, ImportCatalogue, ImportEnd, PublishConcert, PublishSchedule, ScheduleId,
    ScheduleTimes, Seat,
};
use uuid::Uuid;

use super::Plan;
use crate::catalog::listed::{ListedConcert, ListedSchedule};
use crate::log::MAX_BATCH_BYTES;

/// The bytes of a record besides its seats: ids, times, type and metadata.
const EVENT_BYTES: usize = 2_048;
/// The most bytes of one command's events, so that an append has room for other commands.
const COMMAND_BYTES: usize = MAX_BATCH_BYTES * 3 / 4;

/// A part of an import, with its place in the file.
#[derive(Debug)]
pub struct Step {
    /// The place in the file.
    pub place: String,
    part: CataloguePart,
    bytes: usize,
}

/// Consecutive parts that are decided by one command.
#[derive(Debug)]
pub struct Portion {
    /// The place of the first part in the file.
    pub place: String,
    /// The command.
    pub import: ImportCatalogue,
    bytes: usize,
}

impl Step {
    pub fn concert(concert_id: ConcertId, listed: &ListedConcert) -> Self {
        let (name, artist, venue) = (listed.name.clone(), listed.artist.clone(), listed.venue.clone());
        let part = CataloguePart::Concert(PublishConcert { concert_id, name, artist, venue });
        Self { place: listed.place.clone(), part, bytes: EVENT_BYTES }
    }

    pub fn schedule(
        concert_id: ConcertId,
        schedule_id: ScheduleId,
        listed: &ListedSchedule,
        times: ScheduleTimes,
        seats_per_user: u8,
        import_id: Uuid,
    ) -> Self {
        let (local_date, local_time) = listed.local.clone();
        let part = CataloguePart::Schedule(PublishSchedule {
            concert_id,
            schedule_id,
            times,
            local_date,
            local_time,
            seats_per_user,
            import_id: Some(import_id),
        });
        Self { place: listed.place.clone(), part, bytes: EVENT_BYTES }
    }

    /// Divides seats so that each event's record has room for its seats, however long their names are.
    pub fn seats(place: &str, concert_id: ConcertId, schedule_id: ScheduleId, seats: Vec<Seat>) -> Vec<Self> {
        let mut steps: Vec<Self> = Vec::new();
        for seat in seats {
            let size = 1 + serde_json::to_vec(&seat).expect("a seat holds only what JSON can say").len();
            if let Some(Self { part: CataloguePart::Seats(add), bytes, .. }) = steps.last_mut()
                && add.seats.len() < MAX_SEATS_PER_EVENT
                && *bytes + size <= MAX_DATA_BYTES
            {
                *bytes += size;
                add.seats.push(seat);
                continue;
            }
            let part = CataloguePart::Seats(AddSeats { concert_id, schedule_id, seats: vec![seat] });
            steps.push(Self { place: place.to_owned(), part, bytes: EVENT_BYTES + size });
        }
        steps
    }
}

impl Plan {
    /// Makes the commands that carry out the plan, in order. The last one ends the import, and makes its schedules
    /// visible.
    pub fn into_portions(self, reason: Option<String>) -> Vec<Portion> {
        if self.is_empty() {
            return Vec::new();
        }
        let end = ImportEnd { import_id: self.import_id(), reason };
        let mut portions: Vec<Portion> = Vec::new();
        for Step { place, part, bytes } in self.steps {
            match portions.last_mut() {
                Some(portion) if portion.bytes + bytes <= COMMAND_BYTES => {
                    portion.bytes += bytes;
                    portion.import.parts.push(part);
                }
                Some(_) | None => {
                    portions.push(Portion { place, import: ImportCatalogue { parts: vec![part], end: None }, bytes });
                }
            }
        }
        match portions.last_mut() {
            Some(last) => last.import.end = Some(end),
            None => {
                let import = ImportCatalogue { parts: Vec::new(), end: Some(end) };
                portions.push(Portion { place: "concerts".to_owned(), import, bytes: EVENT_BYTES });
            }
        }
        portions
    }
}
