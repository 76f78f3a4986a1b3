//! Plans the schedules of a concert: known ones, those that an import of this file has begun, and new ones.

use std::collections::{BTreeSet, HashMap};

use domain::limits::MAX_SEATS_PER_USER_IN_SCHEDULE;
use domain::{ConcertId, Schedule, ScheduleId, ScheduleTimes, Seat, SeatId, Timestamp};
use projections::rfc3339;

use super::{ListedConcert, PlannedSchedule, Planner, Status, Step};
use crate::catalog::listed::{ListedSchedule, ListedSeat};
use crate::catalog::names::seen;

impl Planner<'_> {
    pub(super) fn schedules(&mut self, concert_id: ConcertId, concert: &ListedConcert) -> Vec<PlannedSchedule> {
        let mut named: BTreeSet<ScheduleId> = concert.schedules.iter().filter_map(|listed| listed.id).collect();
        let known: Vec<Option<ScheduleId>> = concert
            .schedules
            .iter()
            .map(|listed| listed.id.or_else(|| self.starting(concert_id, listed, &mut named)))
            .collect();
        let mut planned = Vec::with_capacity(known.len());
        for (listed, known) in concert.schedules.iter().zip(known) {
            planned.extend(self.schedule(concert_id, listed, known, &mut named));
        }
        planned
    }

    /// Finds the visible schedule with the same start that no earlier entry stands for.
    fn starting(
        &self,
        concert_id: ConcertId,
        listed: &ListedSchedule,
        named: &mut BTreeSet<ScheduleId>,
    ) -> Option<ScheduleId> {
        let id = self.alike.starting(concert_id, listed.starts_at).find(|id| !named.contains(id))?;
        named.insert(id);
        Some(id)
    }

    fn schedule(
        &mut self,
        concert_id: ConcertId,
        listed: &ListedSchedule,
        known: Option<ScheduleId>,
        named: &mut BTreeSet<ScheduleId>,
    ) -> Option<PlannedSchedule> {
        let there = known.and_then(|id| Some((id, self.catalogue.schedules().get(&id)?)));
        if let Some((id, schedule)) = there.filter(|(_, schedule)| schedule.concert_id != concert_id) {
            let (published, in_file) = (schedule.concert_id.to_string(), concert_id.to_string());
            self.plan.differences.add(&listed.place, format!("schedule {id}"), "concertId", published, in_file);
            return None;
        }
        match there {
            Some((id, schedule)) if schedule.visible_times().is_some() => {
                self.compare(id, schedule, listed);
                let times = schedule.visible_times().cloned()?;
                Some(planned(id, Status::Known, listed, times, schedule.seats_per_user, 0))
            }
            Some((id, schedule)) if !self.was_begun(schedule, listed) => {
                let reason = format!(
                    "an import of schedule {id} with other seats or times was begun and not finished: import that file \
                     again, or give another scheduleId"
                );
                self.plan.questions.add(&listed.place, reason);
                None
            }
            Some((id, _)) => Some(self.add(concert_id, id, listed)),
            None => {
                let begun = if known.is_none() { self.begun(concert_id, listed, named) } else { None };
                if begun.is_none() && known.is_none() {
                    self.ask_whether_moved(concert_id, listed, named);
                }
                let id = known.or(begun).unwrap_or_else(|| self.ids.next_schedule());
                named.insert(id);
                Some(self.add(concert_id, id, listed))
            }
        }
    }

    /// Finds the schedule that an unfinished import of this file has left.
    fn begun(
        &self,
        concert_id: ConcertId,
        listed: &ListedSchedule,
        named: &BTreeSet<ScheduleId>,
    ) -> Option<ScheduleId> {
        let hidden = self.catalogue.hidden().filter(|id| !named.contains(id));
        let mut left = hidden.filter_map(|id| Some((id, self.catalogue.schedules().get(&id)?)));
        let is_it = |(_, schedule): &(ScheduleId, &Schedule)| {
            schedule.concert_id == concert_id && self.was_begun(schedule, listed)
        };
        left.find(is_it).map(|(id, _)| id)
    }

    /// True if all that a hidden schedule has is what this file would have added.
    fn was_begun(&self, schedule: &Schedule, listed: &ListedSchedule) -> bool {
        let by_id: HashMap<SeatId, &Seat> =
            listed.seats.iter().map(|listed| (listed.seat.seat_id, &listed.seat)).collect();
        let fits = |times: &ScheduleTimes| {
            let is_same = |given: Option<_>, there| given.is_none_or(|given| given == there);
            schedule.import_id == Some(self.plan.import_id)
                && times.starts_at == listed.starts_at
                && times.time_zone == listed.time_zone
                && is_same(listed.sale_opens_at, times.sale_opens_at)
                && is_same(listed.sale_closes_at, times.sale_closes_at)
        };
        schedule.times.as_ref().is_none_or(fits)
            && schedule.seats.values().all(|seat| by_id.get(&seat.seat_id).is_some_and(|own| *own == seat))
    }

    /// Adds a question if a schedule without an id has exactly the seats of a published one that the file does not
    /// name: it may be that one, moved.
    fn ask_whether_moved(&mut self, concert_id: ConcertId, listed: &ListedSchedule, named: &BTreeSet<ScheduleId>) {
        if self.options.is_new {
            return;
        }
        let Some(id) = self.alike.moved(concert_id, listed, named) else { return };
        let starts_at = self.catalogue.starts_at(id).map(rfc3339).unwrap_or_default();
        let reason = format!(
            "it has the same seats as schedule {id}, which starts at {starts_at} and is not in the file. If it is that \
             schedule, give \"scheduleId\": {id}; if it is new, import the file with `--new`; to move a schedule, use \
             `reprise schedule move`"
        );
        self.plan.questions.add(&listed.place, reason);
    }

    /// Adds the missing parts of a schedule to the plan.
    fn add(&mut self, concert_id: ConcertId, id: ScheduleId, listed: &ListedSchedule) -> PlannedSchedule {
        let there = self.catalogue.schedules().get(&id);
        let is_missing = |seat: &&Seat| there.is_none_or(|there| there.seats.get(seat.seat_id.get()).is_none());
        let missing: Vec<Seat> = listed.seats.iter().map(|listed| &listed.seat).filter(is_missing).cloned().collect();
        let seats_added = missing.len();
        let times = there.and_then(|there| there.times.clone()).unwrap_or_else(|| ScheduleTimes {
            starts_at: listed.starts_at,
            time_zone: listed.time_zone.clone(),
            sale_opens_at: listed.sale_opens_at.unwrap_or(self.now),
            sale_closes_at: listed.sale_closes_at.unwrap_or(listed.starts_at),
        });
        if times.sale_opens_at >= times.sale_closes_at {
            let (opens, closes) = (rfc3339(times.sale_opens_at), rfc3339(times.sale_closes_at));
            let reason = format!(
                "the sale would open now, at {opens}, and closes at {closes}: give saleOpensAt, or leave a show that is over out"
            );
            self.plan.questions.add(&listed.place, reason);
        }
        let seats_per_user = listed.seats_per_user.unwrap_or(MAX_SEATS_PER_USER_IN_SCHEDULE as u8);
        self.plan.steps.extend(Step::seats(&listed.place, concert_id, id, missing));
        if there.is_none_or(|there| there.times.is_none()) {
            let import_id = self.plan.import_id;
            self.plan.steps.push(Step::schedule(concert_id, id, listed, times.clone(), seats_per_user, import_id));
        }
        self.plan.added.schedules += 1;
        self.plan.added.seats += listed.seats.len();
        let status = if there.is_some() { Status::Unfinished } else { Status::New };
        planned(id, status, listed, times, seats_per_user, seats_added)
    }

    /// Adds the differences between a visible schedule and the file.
    fn compare(&mut self, id: ScheduleId, schedule: &Schedule, listed: &ListedSchedule) {
        let (Some(times), Some(first)) = (schedule.visible_times(), &schedule.published) else { return };
        // The file that a schedule came from may have the times from before it was moved.
        let time = |member, [published, first]: [Timestamp; 2], given: Option<_>| {
            let given = given.filter(|given| *given != published && *given != first)?;
            Some((member, rfc3339(published), rfc3339(given)))
        };
        let per_user = listed.seats_per_user.filter(|given| *given != schedule.seats_per_user);
        let zone = Some(&listed.time_zone).filter(|given| **given != times.time_zone);
        let differing = [
            time("startsAt", [times, first].map(|times| times.starts_at), Some(listed.starts_at)),
            zone.map(|given| ("timeZone", times.time_zone.clone(), given.clone())),
            time("saleOpensAt", [times, first].map(|times| times.sale_opens_at), listed.sale_opens_at),
            time("saleClosesAt", [times, first].map(|times| times.sale_closes_at), listed.sale_closes_at),
            per_user.map(|given| ("seatsPerUser", schedule.seats_per_user.to_string(), given.to_string())),
        ];
        for (member, published, in_file) in differing.into_iter().flatten() {
            self.plan.differences.add(&listed.place, format!("schedule {id}"), member, published, in_file);
        }
        self.compare_seats(id, schedule, listed);
    }

    fn compare_seats(&mut self, id: ScheduleId, schedule: &Schedule, listed: &ListedSchedule) {
        let chair = |seat: &Seat| (seen(&seat.zone).into_owned(), seen(&seat.name).into_owned());
        let by_chair: HashMap<_, &Seat> = schedule.seats.values().map(|seat| (chair(seat), seat)).collect();
        let (mut met, mut unpublished) = (BTreeSet::new(), Vec::new());
        let differences = &mut self.plan.differences;
        for ListedSeat { seat, has_id } in &listed.seats {
            let there =
                if *has_id { schedule.seats.get(seat.seat_id.get()) } else { by_chair.get(&chair(seat)).copied() };
            let Some(there) = there else {
                unpublished.push(seat);
                continue;
            };
            met.insert(there.seat_id);
            for (member, published, in_file) in differing(there, seat) {
                let of = format!("seat {} of schedule {id}", there.seat_id);
                differences.add_seat(&listed.place, of, member, published, in_file);
            }
        }
        let left_out = schedule.seats.values().filter(|there| !met.contains(&there.seat_id));
        let (left_out, of) = (left_out.collect::<Vec<_>>(), format!("schedule {id}"));
        if !unpublished.is_empty() {
            let published = format!("without {}", some_of(&unpublished));
            differences.add(&listed.place, of.clone(), "seats", published, "seats that are not published".to_owned());
        }
        if !left_out.is_empty() {
            let published = format!("with {}", some_of(&left_out));
            differences.add(&listed.place, of, "seats", published, "none of these seats".to_owned());
        }
    }
}

/// Describes seats by the first one and their number.
fn some_of(seats: &[&Seat]) -> String {
    let named: Vec<String> =
        seats.iter().take(3).map(|seat| format!("{:?} of zone {:?}", seat.name, seat.zone)).collect();
    let more = seats.len() - named.len();
    if more > 0 { format!("{} and {more} more", named.join(", ")) } else { named.join(", ") }
}

/// The members in which a published seat and the file differ, with both values.
fn differing(published: &Seat, listed: &Seat) -> Vec<(&'static str, String, String)> {
    fn shown<T: std::fmt::Debug>(value: Option<T>) -> String {
        value.map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}"))
    }
    // A fast path: most seats are equal, and there are hundreds of thousands.
    if *published == (Seat { seat_id: published.seat_id, ..listed.clone() }) {
        return Vec::new();
    }
    let price = |seat: &Seat| seat.price.get().to_string();
    let as_seen = |text: &str| seen(text).into_owned();
    let row = |seat: &Seat| shown(seat.row.as_deref().map(as_seen));
    let at = |coordinate: Option<domain::Coordinate>| coordinate.map_or("nothing".to_owned(), |at| at.to_string());
    let members = [
        ("zoneName", format!("{:?}", as_seen(&published.zone)), format!("{:?}", as_seen(&listed.zone))),
        ("seatName", format!("{:?}", as_seen(&published.name)), format!("{:?}", as_seen(&listed.name))),
        ("price", price(published), price(listed)),
        ("row", row(published), row(listed)),
        ("number", shown(published.number), shown(listed.number)),
        ("x", at(published.x), at(listed.x)),
        ("y", at(published.y), at(listed.y)),
    ];
    members.into_iter().filter(|(_, published, in_file)| published != in_file).collect()
}

fn planned(
    schedule_id: ScheduleId,
    status: Status,
    listed: &ListedSchedule,
    times: ScheduleTimes,
    seats_per_user: u8,
    seats_added: usize,
) -> PlannedSchedule {
    let (local_date, local_time) = listed.local.clone();
    PlannedSchedule {
        schedule_id,
        status,
        starts_at: times.starts_at,
        time_zone: times.time_zone,
        local_date,
        local_time,
        sale_opens_at: times.sale_opens_at,
        sale_closes_at: times.sale_closes_at,
        seats_per_user,
        seats: listed.seats.len(),
        seats_added,
    }
}
