//! The books of the catalogue: concerts, schedules, times, prices, and the reservation of each seat.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::limits::{CHANGEABLE_SECONDS, MAX_SEATS_PER_EVENT, MAX_SEATS_PER_USER_IN_SCHEDULE};
use domain::{
    CatalogImported, CatalogueEvent, ConcertId, ConcertPublished, Hold, PriceChanged, ReservationId, ScheduleId,
    SchedulePublished, SeatId, SeatsAdded, Timestamp,
};
use uuid::Uuid;

use super::{Findings, Now, Proof};

/// The times of a schedule's sale and show.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    sale_opens_at: Timestamp,
    sale_closes_at: Timestamp,
    /// The start of the show.
    pub starts_at: Timestamp,
}

/// A seat.
#[derive(Debug)]
pub struct SeatEntry {
    /// The current price.
    pub price: u64,
    /// The reservation that has the seat.
    pub owner: Option<ReservationId>,
    zone: Arc<str>,
}

#[derive(Debug)]
struct Schedule {
    concert_id: ConcertId,
    times: Option<Times>,
    /// True if the schedule is visible. Otherwise it becomes visible with the end of its import.
    is_visible: bool,
    import_id: Option<Uuid>,
    seats_per_user: usize,
    seats: HashMap<SeatId, SeatEntry>,
    /// True after the show was called off.
    is_off: bool,
}

impl Schedule {
    fn of(concert_id: ConcertId) -> Self {
        Self {
            concert_id,
            times: None,
            is_visible: false,
            import_id: None,
            seats_per_user: MAX_SEATS_PER_USER_IN_SCHEDULE,
            seats: HashMap::new(),
            is_off: false,
        }
    }
}

/// A change of times: the schedule, the new times of its sale, and its new start.
type Changed = (ScheduleId, Option<(Timestamp, Timestamp)>, Option<Timestamp>);

#[derive(Debug, Default)]
pub struct CatalogueCheck {
    concerts: HashSet<ConcertId>,
    schedules: HashMap<ScheduleId, Schedule>,
}

impl CatalogueCheck {
    /// Checks an event against the books, and enters it.
    pub fn check(&mut self, event: &CatalogueEvent, now: Now, findings: &mut Findings) {
        match event {
            CatalogueEvent::ConcertPublished(ConcertPublished { concert_id, .. }) => {
                let is_new = self.concerts.insert(*concert_id);
                findings
                    .holds(Proof::CatalogueChangesAreSaid, is_new, || format!("concert {concert_id} is already there"));
            }
            CatalogueEvent::SeatsAdded(added) => self.add(added, findings),
            CatalogueEvent::SchedulePublished(published) => self.publish(published, findings),
            CatalogueEvent::CatalogImported(imported) => self.end_import(imported, findings),
            CatalogueEvent::SaleWindowChanged(changed) => {
                let changed = (changed.schedule_id, Some((changed.sale_opens_at, changed.sale_closes_at)), None);
                self.retime(changed, now, findings);
            }
            CatalogueEvent::ScheduleMoved(moved) => {
                self.retime((moved.schedule_id, None, Some(moved.starts_at)), now, findings);
            }
            CatalogueEvent::PriceChanged(changed) => self.reprice(changed, findings),
            CatalogueEvent::ScheduleCancelled(cancelled) => {
                let schedule = self.schedules.get_mut(&cancelled.schedule_id);
                let is_new = schedule.as_ref().is_some_and(|schedule| schedule.times.is_some() && !schedule.is_off);
                findings.holds(Proof::CatalogueChangesAreSaid, is_new, || {
                    format!("schedule {} was called off twice, or never published", cancelled.schedule_id)
                });
                schedule.into_iter().for_each(|schedule| schedule.is_off = true);
            }
        }
    }

    /// True if the show was called off.
    pub fn is_off(&self, schedule_id: ScheduleId) -> bool {
        self.schedules.get(&schedule_id).is_some_and(|schedule| schedule.is_off)
    }

    /// True if the schedule's seats can be held at `now`.
    pub fn is_on_sale(&self, schedule_id: ScheduleId, now: Timestamp) -> bool {
        let schedule = self.schedules.get(&schedule_id).filter(|schedule| schedule.is_visible && !schedule.is_off);
        let times = schedule.and_then(|schedule| schedule.times);
        times.is_some_and(|times| times.sale_opens_at <= now && now < times.sale_closes_at)
    }

    /// The most seats of the schedule that one user may have.
    pub fn seats_per_user(&self, schedule_id: ScheduleId) -> usize {
        self.schedules.get(&schedule_id).map_or(MAX_SEATS_PER_USER_IN_SCHEDULE, |schedule| schedule.seats_per_user)
    }

    /// Finds a seat of this hold's schedule.
    pub fn seat(&mut self, hold: &Hold, seat_id: SeatId) -> Option<&mut SeatEntry> {
        let schedule = self.schedules.get_mut(&hold.schedule_id);
        schedule.filter(|schedule| schedule.concert_id == hold.concert_id)?.seats.get_mut(&seat_id)
    }

    /// The times of a published schedule.
    pub fn times(&self, schedule_id: ScheduleId) -> Option<Times> {
        self.schedules.get(&schedule_id)?.times
    }

    fn add(&mut self, added: &SeatsAdded, findings: &mut Findings) {
        let SeatsAdded { concert_id, schedule_id, seats } = added;
        let mut fixed =
            |is_so, reason: &dyn Fn() -> String| findings.holds(Proof::CatalogueChangesAreSaid, is_so, reason);
        fixed(self.concerts.contains(concert_id), &|| format!("there is no concert {concert_id}"));
        let none = || Schedule::of(*concert_id);
        let schedule = self.schedules.entry(*schedule_id).or_insert_with(none);
        fixed(schedule.concert_id == *concert_id, &|| format!("schedule {schedule_id} belongs to another concert"));
        fixed(schedule.times.is_none(), &|| format!("schedule {schedule_id} is published: its seats cannot change"));
        for seat in seats {
            let entry = SeatEntry { price: seat.price.get(), owner: None, zone: Arc::clone(&seat.zone) };
            let before = schedule.seats.insert(seat.seat_id, entry);
            fixed(before.is_none(), &|| format!("seat {} of schedule {schedule_id} was added before", seat.seat_id));
        }
        findings.holds(Proof::NoCapPassed, seats.len() <= MAX_SEATS_PER_EVENT, || format!("{} seats", seats.len()));
    }

    fn publish(&mut self, published: &SchedulePublished, findings: &mut Findings) {
        let SchedulePublished {
            concert_id,
            schedule_id,
            starts_at,
            sale_opens_at,
            sale_closes_at,
            seats_total,
            import_id,
            seats_per_user,
            ..
        } = published;
        let schedule = self.schedules.get_mut(schedule_id);
        let fits = schedule.as_ref().is_some_and(|schedule| {
            let is_whole = schedule.seats.len() as u64 == *seats_total && sale_opens_at < sale_closes_at;
            schedule.concert_id == *concert_id && schedule.times.is_none() && is_whole
        });
        findings.holds(Proof::CatalogueChangesAreSaid, fits, || {
            format!("schedule {schedule_id} was published before, or its concert, seats or times are wrong")
        });
        if let Some(schedule) = schedule {
            let (sale_opens_at, sale_closes_at, starts_at) = (*sale_opens_at, *sale_closes_at, *starts_at);
            schedule.times = Some(Times { sale_opens_at, sale_closes_at, starts_at });
            schedule.is_visible = import_id.is_none();
            schedule.import_id = *import_id;
            schedule.seats_per_user = usize::from(*seats_per_user);
        }
        let is_within = (1..=MAX_SEATS_PER_USER_IN_SCHEDULE).contains(&usize::from(*seats_per_user));
        findings.holds(Proof::NoCapPassed, is_within, || {
            format!("a user may have {seats_per_user} seats of schedule {schedule_id}")
        });
    }

    /// Enters the end of an import: its schedules become visible, and the event must have the right counts.
    fn end_import(&mut self, imported: &CatalogImported, findings: &mut Findings) {
        let CatalogImported { import_id, schedules, seats, .. } = imported;
        let ends = |schedule: &&mut Schedule| {
            !schedule.is_visible && import_id.is_some() && schedule.import_id == *import_id && schedule.times.is_some()
        };
        let mut counted = (0, 0);
        for schedule in self.schedules.values_mut().filter(ends) {
            schedule.is_visible = true;
            counted = (counted.0 + 1, counted.1 + schedule.seats.len() as u64);
        }
        findings.holds(Proof::CatalogueChangesAreSaid, counted == (*schedules, *seats), || {
            format!("an import ended with {schedules} schedules and {seats} seats, and had published {counted:?}")
        });
    }

    /// Enters times that an operator changed: of the sale, or of the start.
    fn retime(&mut self, changed: Changed, now: Now, findings: &mut Findings) {
        let (schedule_id, window, starts_at) = changed;
        let schedule = self.schedules.get_mut(&schedule_id).filter(|schedule| !schedule.is_off);
        let times = schedule.and_then(|schedule| schedule.times.as_mut());
        let fits = times.as_ref().is_some_and(|times| now.clock < times.starts_at.plus_seconds(CHANGEABLE_SECONDS));
        findings.holds(Proof::CatalogueChangesAreSaid, fits, || {
            format!("schedule {schedule_id} was changed, but is over, was called off, or is not published")
        });
        if let Some(times) = times {
            (times.sale_opens_at, times.sale_closes_at) = window.unwrap_or((times.sale_opens_at, times.sale_closes_at));
            times.starts_at = starts_at.unwrap_or(times.starts_at);
        }
    }

    fn reprice(&mut self, changed: &PriceChanged, findings: &mut Findings) {
        let schedule = self.schedules.get_mut(&changed.schedule_id).filter(|schedule| !schedule.is_off);
        let seats = schedule.into_iter().flat_map(|schedule| schedule.seats.values_mut());
        let mut count = 0;
        for seat in seats.filter(|seat| *seat.zone == *changed.zone) {
            seat.price = changed.price.get();
            count += 1;
        }
        findings.holds(Proof::CatalogueChangesAreSaid, count > 0, || {
            format!("schedule {} has no zone {}, or was called off", changed.schedule_id, changed.zone)
        });
    }

    /// The number of free seats of each published schedule.
    pub fn available(&self) -> impl Iterator<Item = (ScheduleId, u64)> {
        let published = self.schedules.iter().filter(|(_, schedule)| schedule.is_visible);
        published.map(|(id, schedule)| {
            let free = schedule.seats.values().filter(|seat| seat.owner.is_none() && !schedule.is_off).count();
            (*id, free as u64)
        })
    }
}
