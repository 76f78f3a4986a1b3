//! Parses the seats of a schedule: those of its zones and those of its list. No seat may come twice, and each gets an
//! id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use domain::limits::{MAX_SEAT_NAME_BYTES, MAX_SEAT_PRICE};
use domain::{Coordinate, Points, Seat, SeatId};

use super::{Faults, ListedSeat, MAX_SEATS_PER_IMPORT, ScheduleEntry, numbered};
use crate::catalog::file::{SeatEntry, ZoneEntry};
use crate::catalog::names::{checked, seen};

/// Parses the seats of zones and of the list. `so_far` counts the seats of the whole file.
pub fn read(place: &str, entry: &ScheduleEntry, so_far: &mut usize, faults: &mut Faults) -> Option<Vec<ListedSeat>> {
    let (zones, seats) = (entry.zones.as_deref().unwrap_or_default(), entry.seats.as_deref().unwrap_or_default());
    let count = zones.iter().fold(seats.len(), |count, zone| count.saturating_add(zone.seats as usize));
    let is_within = *so_far <= MAX_SEATS_PER_IMPORT;
    *so_far = so_far.saturating_add(count);
    if *so_far > MAX_SEATS_PER_IMPORT {
        if is_within {
            faults.add(place, format!("the file has more than {MAX_SEATS_PER_IMPORT} seats: import it in parts"));
        }
        return None;
    }
    if count == 0 {
        faults.add(place, "it has neither zones nor seats");
        return None;
    }
    let mut house = House::numbering(seats, count);
    for (index, zone) in zones.iter().enumerate() {
        let place = format!("{place}.zones[{index}]");
        let added = house.add_zone(zone);
        faults.or_add(&place, added);
    }
    for (index, seat) in seats.iter().enumerate() {
        let place = Place { schedule: place, index, line: seat.line };
        if let Err(reason) = house.add(seat) {
            faults.add(place.to_string(), reason);
        }
    }
    faults.is_empty().then_some(house.seats)
}

/// The place of a seat in the file.
struct Place<'a> {
    schedule: &'a str,
    index: usize,
    line: Option<u64>,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}"),
            None => write!(f, "{}.seats[{}]", self.schedule, self.index),
        }
    }
}

/// The seats so far, with the indexes that find a seat that comes twice.
struct House {
    seats: Vec<ListedSeat>,
    names: HashMap<(Arc<str>, String), usize>,
    numbers: HashMap<(Arc<str>, Arc<str>, u32), usize>,
    ids: BTreeMap<SeatId, usize>,
    /// Zones by their normalised names, with their spelling: each may have only one.
    zones: BTreeMap<String, Arc<str>>,
    rows: BTreeMap<(Arc<str>, String), Arc<str>>,
    texts: BTreeSet<Arc<str>>,
    next_id: u64,
}

impl House {
    /// Makes an empty house. Seats without an id get ids after all given ones.
    fn numbering(seats: &[SeatEntry], count: usize) -> Self {
        let given = seats.iter().filter_map(|seat| seat.seat_id).max().unwrap_or(0);
        Self {
            seats: Vec::with_capacity(count),
            names: HashMap::with_capacity(count),
            numbers: HashMap::new(),
            ids: BTreeMap::new(),
            zones: BTreeMap::new(),
            rows: BTreeMap::new(),
            texts: BTreeSet::new(),
            next_id: given.saturating_add(1),
        }
    }

    fn add_zone(&mut self, entry: &ZoneEntry) -> Result<(), String> {
        let zone = self.zone(&entry.zone_name)?;
        let price = price(entry.price, &format!("zone {zone:?}"))?;
        for number in 1..=entry.seats {
            let name = checked("seatName", &format!("{zone}-{number}"), MAX_SEAT_NAME_BYTES)?;
            self.put(None, name, Arc::clone(&zone), price, (None, Some(number)), (None, None))?;
        }
        Ok(())
    }

    fn add(&mut self, entry: &SeatEntry) -> Result<(), String> {
        let name = checked("seatName", &entry.seat_name, MAX_SEAT_NAME_BYTES)?;
        let zone = self.zone(&entry.zone_name)?;
        let row = entry.row.as_deref().filter(|row| !row.is_empty()).map(|row| self.row(&zone, row)).transpose()?;
        let price = price(entry.price, &format!("seat {name:?}"))?;
        let coordinate = |member: &str, at: Option<f64>| match at {
            Some(at) => Coordinate::try_from(at).map(Some).map_err(|error| format!("{member} {at}: {error}")),
            None => Ok(None),
        };
        let at = (coordinate("x", entry.x)?, coordinate("y", entry.y)?);
        if at.0.is_some() != at.1.is_some() {
            return Err("x and y must be given together: it has only one of them".to_owned());
        }
        self.put(entry.seat_id, name, zone, price, (row, entry.number), at)
    }

    fn put(
        &mut self,
        id: Option<u64>,
        name: String,
        zone: Arc<str>,
        price: Points,
        (row, number): (Option<Arc<str>>, Option<u32>),
        (x, y): (Option<Coordinate>, Option<Coordinate>),
    ) -> Result<(), String> {
        let index = self.seats.len();
        let seat_id = numbered::<SeatId>("seatId", id.unwrap_or(self.next_id))?;
        self.next_id = if id.is_none() { self.next_id.saturating_add(1) } else { self.next_id };
        let is_there = |seats: &[ListedSeat], first: usize| format!("{:?} of zone {:?}", seats[first].seat.name, zone);
        // A refused seat is not stored: the next seat is compared only with accepted ones.
        let as_seen = (Arc::clone(&zone), seen(&name).into_owned());
        if let Some(first) = self.names.get(&as_seen) {
            return Err(format!("seat {name:?} is named twice: people see {} in it", is_there(&self.seats, *first)));
        }
        if let Some(first) = self.ids.get(&seat_id) {
            return Err(format!("seatId {seat_id} is named twice: seat {} has it", is_there(&self.seats, *first)));
        }
        let numbered = row.as_ref().zip(number).map(|(row, number)| (Arc::clone(&zone), Arc::clone(row), number));
        if let Some((first, (_, row, number))) = numbered.as_ref().and_then(|key| self.numbers.get(key).zip(Some(key)))
        {
            return Err(format!(
                "row {row:?} has number {number} twice: seat {} has it",
                is_there(&self.seats, *first)
            ));
        }
        self.names.insert(as_seen, index);
        self.ids.insert(seat_id, index);
        if let Some(key) = numbered {
            self.numbers.insert(key, index);
        }
        let seat = Seat { seat_id, name: name.into(), zone, price, row, number, x, y };
        self.seats.push(ListedSeat { seat, has_id: id.is_some() });
        Ok(())
    }

    /// Finds or adds the zone of this name.
    fn zone(&mut self, name: &str) -> Result<Arc<str>, String> {
        let name = checked("zoneName", name, MAX_SEAT_NAME_BYTES)?;
        let text = self.shared(name);
        let first = self.zones.entry(seen(&text).into_owned()).or_insert_with(|| Arc::clone(&text));
        one_way("zone", first, &text)
    }

    fn row(&mut self, zone: &Arc<str>, name: &str) -> Result<Arc<str>, String> {
        let name = checked("row", name, MAX_SEAT_NAME_BYTES)?;
        let text = self.shared(name);
        let key = (Arc::clone(zone), seen(&text).into_owned());
        let first = self.rows.entry(key).or_insert_with(|| Arc::clone(&text));
        one_way("row", first, &text)
    }

    /// Returns a shared copy of a text, since ten thousand seats of a zone have the same name.
    fn shared(&mut self, text: String) -> Arc<str> {
        if let Some(shared) = self.texts.get(text.as_str()) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&shared));
        shared
    }
}

/// Fails if a name looks like an earlier one, but is spelled in another way.
fn one_way(what: &str, first: &Arc<str>, text: &Arc<str>) -> Result<Arc<str>, String> {
    if first == text {
        return Ok(Arc::clone(first));
    }
    Err(format!("{what} {text:?} looks like {first:?} and is spelled differently: spell both in the same way"))
}

fn price(price: u64, what: &str) -> Result<Points, String> {
    let points = Points::new(price);
    if points <= MAX_SEAT_PRICE {
        return Ok(points);
    }
    Err(format!("{what} costs {price}; at most {} is allowed", MAX_SEAT_PRICE.get()))
}
