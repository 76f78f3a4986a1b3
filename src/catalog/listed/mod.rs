//! A catalogue file, parsed: names as people see them, times as instants, every seat with its number. This module finds mistakes
//! within the file. `catalog/plan/` finds where the file contradicts what is published.

mod schedule;
mod seats;

use std::collections::BTreeMap;

use domain::limits::MAX_NAME_BYTES;
use domain::{ConcertId, ScheduleId, Seat, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::faults::Faults;
use super::file::{CatalogFile, ConcertEntry, ScheduleEntry};
use super::names::{checked, seen};

/// The most seats in one import. A limit is needed, since a small file can ask for many seats with zones.
pub const MAX_SEATS_PER_IMPORT: usize = 1_000_000;

/// The parsed catalogue of a file.
#[derive(Debug, Serialize)]
pub struct Listed {
    pub concerts: Vec<ListedConcert>,
}

/// A concert. It stands here once, even if the file names it several times.
#[derive(Debug, Serialize)]
pub struct ListedConcert {
    #[serde(skip)]
    pub place: String,
    pub id: Option<ConcertId>,
    pub name: String,
    pub artist: String,
    pub venue: String,
    pub schedules: Vec<ListedSchedule>,
}

/// A schedule.
#[derive(Debug, Serialize)]
pub struct ListedSchedule {
    #[serde(skip)]
    pub place: String,
    pub id: Option<ScheduleId>,
    pub starts_at: Timestamp,
    /// The name of the time zone.
    pub time_zone: String,
    /// The date and the time at the venue.
    pub local: (String, String),
    pub sale_opens_at: Option<Timestamp>,
    pub sale_closes_at: Option<Timestamp>,
    pub seats_per_user: Option<u8>,
    pub seats: Vec<ListedSeat>,
}

/// A seat, with its id in the file, or the id that it would get in a new schedule.
#[derive(Debug, Serialize)]
pub struct ListedSeat {
    pub seat: Seat,
    pub has_id: bool,
}

/// The identity of a concert without an id: name, artist and venue, as people see them.
pub type SeenConcert = [String; 3];

impl Listed {
    /// Parses a file.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn of(file: CatalogFile) -> Result<Self, Faults> {
        let mut reading = Reading::default();
        for (index, entry) in file.concerts.into_iter().enumerate() {
            reading.concert(index, entry);
        }
        reading.check_starts();
        if reading.faults.is_empty() { Ok(Self { concerts: reading.concerts }) } else { Err(reading.faults) }
    }

    /// The id of an import of this content. So an import that was broken off is finished under this id, and by no other
    /// file.
    pub fn import_id(&self) -> Uuid {
        let content = serde_json::to_vec(self).expect("a catalogue holds only what JSON can say");
        let digest = Sha256::digest(&content);
        Uuid::from_slice(&digest[..16]).expect("16 bytes are 16 bytes")
    }
}

impl ListedConcert {
    /// The identity of the concert, as people see it.
    pub fn seen(&self) -> SeenConcert {
        [&self.name, &self.artist, &self.venue].map(|name| seen(name).into_owned())
    }
}

/// The part of a file that is parsed so far.
#[derive(Default)]
struct Reading {
    concerts: Vec<ListedConcert>,
    by_id: BTreeMap<ConcertId, usize>,
    by_seen: BTreeMap<SeenConcert, usize>,
    schedules: BTreeMap<ScheduleId, String>,
    seats: usize,
    faults: Faults,
}

impl Reading {
    fn concert(&mut self, index: usize, entry: ConcertEntry) {
        let place = entry.line.map_or_else(|| format!("concerts[{index}]"), |line| format!("line {line}"));
        let names = [("concertName", &entry.concert_name), ("artist", &entry.artist), ("venue", &entry.venue)];
        let names = names.map(|(member, name)| self.faults.or_add(&place, checked(member, name, MAX_NAME_BYTES)));
        let id = entry.concert_id.map(|id| self.faults.or_add(&place, numbered("concertId", id)));
        let ([Some(name), Some(artist), Some(venue)], Some(id)) = (names, id.map_or(Some(None), |id| id.map(Some)))
        else {
            return;
        };
        let concert = ListedConcert { place: place.clone(), id, name, artist, venue, schedules: Vec::new() };
        let Some(concert) = self.known(concert) else { return };
        for (index, entry) in entry.schedules.into_iter().flatten().enumerate() {
            let place = entry.line.map_or_else(|| format!("{place}.schedules[{index}]"), |line| format!("line {line}"));
            if let Some(schedule) = self.schedule(&place, entry) {
                self.concerts[concert].schedules.push(schedule);
            }
        }
    }

    /// Finds a concert that was parsed before, since the file may name it more than once.
    fn known(&mut self, concert: ListedConcert) -> Option<usize> {
        let seen = concert.seen();
        let by_id = concert.id.and_then(|id| self.by_id.get(&id)).copied();
        if let Some(index) = by_id {
            let first = &self.concerts[index];
            if first.seen() == seen {
                return Some(index);
            }
            let reason = format!(
                "concertId {} is {:?} of {} at {:?} here, and {:?} of {} at {:?} in {}",
                concert.id.map_or(0, ConcertId::get),
                concert.name,
                concert.artist,
                concert.venue,
                first.name,
                first.artist,
                first.venue,
                first.place
            );
            self.faults.add(concert.place, reason);
            return None;
        }
        if let Some(index) = self.by_seen.get(&seen).copied() {
            let first = &mut self.concerts[index];
            if concert.id.is_none() || first.id.is_none() {
                first.id = first.id.or(concert.id);
                self.by_id.extend(concert.id.map(|id| (id, index)));
                return Some(index);
            }
        }
        let index = self.concerts.len();
        self.by_id.extend(concert.id.map(|id| (id, index)));
        self.by_seen.entry(seen).or_insert(index);
        self.concerts.push(concert);
        Some(index)
    }

    fn schedule(&mut self, place: &str, entry: ScheduleEntry) -> Option<ListedSchedule> {
        let id = match entry.schedule_id {
            Some(id) => Some(self.faults.or_add(place, numbered::<ScheduleId>("scheduleId", id))?),
            None => None,
        };
        if let Some(id) = id
            && let Some(first) = self.schedules.insert(id, place.to_owned())
        {
            self.faults.add(place, format!("scheduleId {id} is in the file twice: it is in {first}, too"));
            return None;
        }
        let schedule = schedule::read(place, id, entry, &mut self.seats, &mut self.faults);
        schedule.filter(|_| self.seats <= MAX_SEATS_PER_IMPORT)
    }

    /// Adds a fault if a concert has two schedules at the same time, unless both have ids.
    fn check_starts(&mut self) {
        for concert in &self.concerts {
            let mut starts = BTreeMap::<Timestamp, &ListedSchedule>::new();
            for schedule in &concert.schedules {
                if let Some(first) = starts.insert(schedule.starts_at, schedule)
                    && (first.id.is_none() || schedule.id.is_none())
                {
                    let reason = format!(
                        "it starts at the same time as {}: give each its scheduleId if they are two, else name it once",
                        first.place
                    );
                    self.faults.add(&schedule.place, reason);
                }
            }
        }
    }
}

/// Parses an id.
fn numbered<Id: TryFrom<u64, Error: std::fmt::Display>>(member: &str, number: u64) -> Result<Id, String> {
    Id::try_from(number).map_err(|error| format!("{member} {number}: {error}"))
}

#[cfg(test)]
mod tests;
