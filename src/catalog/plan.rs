//! From a file to commands: ids are given or found, seats are cut into events, times become the venue's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::limits::{MAX_DATA_BYTES, MAX_SEATS_PER_EVENT};
use domain::{
    Action, AddSeats, ConcertId, Points, PublishConcert, PublishSchedule, Schedule, ScheduleId, ScheduleTimes, Seat,
    SeatId, State, Timestamp,
};
use jiff::tz::TimeZone;

use super::file::{CatalogFile, ConcertEntry, ScheduleEntry, SeatEntry};
use super::{CatalogError, Step};

/// What a seat takes in an event beside its names, in bytes.
const SEAT_BYTES: usize = 128;

/// The commands that publish `file` on top of `state`.
pub fn steps(file: &CatalogFile, state: &State, now: Timestamp) -> Result<Vec<Step>, CatalogError> {
    let mut ids = Ids::new(state, file);
    let mut steps = Vec::new();
    for (index, concert) in file.concerts.iter().enumerate() {
        let place = format!("concerts[{index}]");
        let concert_id = ids.concert(concert).map_err(unfit(&place))?;
        let (name, artist, venue) = (concert.concert_name.clone(), concert.artist.clone(), concert.venue.clone());
        let publish = PublishConcert { concert_id, name, artist, venue };
        steps.push(Step { place: place.clone(), action: Action::PublishConcert(publish) });
        for (index, entry) in concert.schedules.iter().enumerate() {
            let place = format!("{place}.schedules[{index}]");
            let schedule_id = ids.schedule(concert_id, entry).map_err(unfit(&place))?;
            let published = state.catalogue.schedules().get(&schedule_id);
            let seats = seats(entry, published).map_err(unfit(&place))?;
            for seats in chunks(seats) {
                let add = AddSeats { concert_id, schedule_id, seats };
                steps.push(Step { place: place.clone(), action: Action::AddSeats(add) });
            }
            let publish = schedule(concert_id, schedule_id, entry, published, now).map_err(unfit(&place))?;
            steps.push(Step { place, action: Action::PublishSchedule(publish) });
        }
    }
    Ok(steps)
}

fn unfit(place: &str) -> impl FnOnce(String) -> CatalogError + '_ {
    move |reason| CatalogError::Unfit { place: place.to_owned(), reason }
}

/// Which ids are taken, and which the file's entries get.
struct Ids<'a> {
    state: &'a State,
    concerts: BTreeSet<ConcertId>,
    schedules: BTreeSet<ScheduleId>,
    next_concert: u64,
    next_schedule: u64,
}

impl<'a> Ids<'a> {
    fn new(state: &'a State, file: &CatalogFile) -> Self {
        let concerts = state.catalogue.concerts().keys().next_back().map_or(0, |id| id.get());
        let schedules = state.catalogue.schedules().keys().next_back().map_or(0, |id| id.get());
        let given = file.concerts.iter().filter_map(|concert| concert.concert_id);
        let next_concert = given.chain([concerts]).max().unwrap_or(0).saturating_add(1);
        let given = file.concerts.iter().flat_map(|concert| &concert.schedules).filter_map(|entry| entry.schedule_id);
        let next_schedule = given.chain([schedules]).max().unwrap_or(0).saturating_add(1);
        Self { state, concerts: BTreeSet::new(), schedules: BTreeSet::new(), next_concert, next_schedule }
    }

    fn concert(&mut self, entry: &ConcertEntry) -> Result<ConcertId, String> {
        let same = |(_, concert): &(&ConcertId, &domain::Concert)| {
            (&concert.name, &concert.artist, &concert.venue) == (&entry.concert_name, &entry.artist, &entry.venue)
        };
        let known = || self.state.catalogue.concerts().iter().find(same).map(|(id, _)| id.get());
        let number = entry.concert_id.or_else(known).unwrap_or_else(|| count(&mut self.next_concert));
        let id = ConcertId::try_from(number).map_err(|error| format!("concertId {number}: {error}"))?;
        if self.concerts.insert(id) { Ok(id) } else { Err(format!("concert {id} is in the file twice")) }
    }

    fn schedule(&mut self, concert_id: ConcertId, entry: &ScheduleEntry) -> Result<ScheduleId, String> {
        let starts_at = timestamp(entry.starts_at);
        let own = || {
            let schedules = self.state.catalogue.schedules().iter();
            schedules.filter(|(id, schedule)| schedule.concert_id == concert_id && !self.schedules.contains(id))
        };
        let started = |schedule: &Schedule| schedule.times.as_ref().map(|times| times.starts_at);
        let same = || own().find(|(_, schedule)| started(schedule) == Some(starts_at));
        // An import that was killed has left one with seats and no times yet: this one.
        let unfinished = || own().find(|(_, schedule)| schedule.times.is_none());
        let known = || same().or_else(unfinished).map(|(id, _)| id.get());
        let number = entry.schedule_id.or_else(known).unwrap_or_else(|| count(&mut self.next_schedule));
        let id = ScheduleId::try_from(number).map_err(|error| format!("scheduleId {number}: {error}"))?;
        if self.schedules.insert(id) { Ok(id) } else { Err(format!("schedule {id} is in the file twice")) }
    }
}

fn count(next: &mut u64) -> u64 {
    *next += 1;
    *next - 1
}

fn timestamp(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_millisecond())
}

/// The seats of zones and of the list, each with the id that it is given, has already, or gets.
fn seats(entry: &ScheduleEntry, published: Option<&Schedule>) -> Result<Vec<Seat>, String> {
    let of_zones = entry.zones.iter().flat_map(|zone| {
        (1..=zone.seats).map(|number| SeatEntry {
            seat_id: None,
            seat_name: format!("{}-{number}", zone.zone_name),
            zone_name: zone.zone_name.clone(),
            price: zone.price,
            row: None,
            number: Some(number),
        })
    });
    let entries: Vec<SeatEntry> = of_zones.chain(entry.seats.iter().cloned()).collect();
    if entries.is_empty() {
        return Err("it has neither zones nor seats".to_owned());
    }
    let known: BTreeMap<(&str, &str), SeatId> = published
        .into_iter()
        .flat_map(|schedule| schedule.seats.values())
        .map(|seat| ((seat.zone.as_ref(), seat.name.as_ref()), seat.seat_id))
        .collect();
    let taken = entries.iter().filter_map(|seat| seat.seat_id).chain(known.values().map(|id| id.get()));
    let mut next = taken.max().unwrap_or(0).saturating_add(1);
    let mut texts = Texts::default();
    let mut names = BTreeSet::new();
    let mut seats = Vec::with_capacity(entries.len());
    for seat in &entries {
        let name = (seat.zone_name.as_str(), seat.seat_name.as_str());
        if !names.insert(name) {
            return Err(format!("seat {:?} of zone {:?} is named twice", name.1, name.0));
        }
        let number = seat.seat_id.or_else(|| known.get(&name).map(|id| id.get())).unwrap_or_else(|| count(&mut next));
        seats.push(Seat {
            seat_id: SeatId::try_from(number).map_err(|error| format!("seatId {number}: {error}"))?,
            name: texts.shared(&seat.seat_name),
            zone: texts.shared(&seat.zone_name),
            price: Points::new(seat.price),
            row: seat.row.as_deref().map(|row| texts.shared(row)),
            number: seat.number,
        });
    }
    Ok(seats)
}

/// Each text once: ten thousand seats of a zone share its name.
#[derive(Default)]
struct Texts(BTreeSet<Arc<str>>);

impl Texts {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.0.get(text) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = text.into();
        self.0.insert(Arc::clone(&shared));
        shared
    }
}

/// Cuts seats so that each event's record has room for them, however long their names are.
fn chunks(seats: Vec<Seat>) -> Vec<Vec<Seat>> {
    let mut chunks: Vec<Vec<Seat>> = Vec::new();
    let mut bytes = 0;
    for seat in seats {
        // Twice, since JSON may escape every character.
        let size = SEAT_BYTES + 2 * (seat.name.len() + seat.zone.len() + seat.row.as_ref().map_or(0, |row| row.len()));
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < MAX_SEATS_PER_EVENT && bytes + size <= MAX_DATA_BYTES - 1_024 => {
                bytes += size;
                chunk.push(seat);
            }
            Some(_) | None => {
                bytes = size;
                chunks.push(vec![seat]);
            }
        }
    }
    chunks
}

fn schedule(
    concert_id: ConcertId,
    schedule_id: ScheduleId,
    entry: &ScheduleEntry,
    published: Option<&Schedule>,
    now: Timestamp,
) -> Result<PublishSchedule, String> {
    let zone = TimeZone::get(&entry.time_zone).map_err(|error| format!("timeZone {:?}: {error}", entry.time_zone))?;
    let local = zone.to_datetime(entry.starts_at);
    let before = published.and_then(|schedule| schedule.times.as_ref());
    let opens_at = || before.map_or(now, |times| times.sale_opens_at);
    let closes_at = || before.map_or(timestamp(entry.starts_at), |times| times.sale_closes_at);
    Ok(PublishSchedule {
        concert_id,
        schedule_id,
        times: ScheduleTimes {
            starts_at: timestamp(entry.starts_at),
            time_zone: entry.time_zone.clone(),
            sale_opens_at: entry.sale_opens_at.map_or_else(opens_at, timestamp),
            sale_closes_at: entry.sale_closes_at.map_or_else(closes_at, timestamp),
        },
        local_date: local.strftime("%Y-%m-%d").to_string(),
        local_time: local.strftime("%H:%M").to_string(),
    })
}
