//! Finds published concerts and schedules that look like an entry of the file: with another spelling, or before a
//! correction. Without this, a second import of a corrected file would put a show on sale twice.

use std::collections::{BTreeSet, HashSet};

use domain::{Catalogue, ConcertId, Schedule, ScheduleId, Timestamp};

use super::{BySeen, ListedConcert, SeenConcert};
use crate::catalog::listed::ListedSchedule;
use crate::catalog::names::seen;

/// The members that identify a concert, as they are named in files.
const MEMBERS: [&str; 3] = ["concertName", "artist", "venue"];

/// The published concerts and schedules, indexed for the comparison.
pub struct Alike<'a> {
    by_seen: BySeen,
    /// The visible schedules by concert and start.
    by_start: BTreeSet<(ConcertId, Timestamp, ScheduleId)>,
    catalogue: &'a Catalogue,
    now: Timestamp,
}

impl<'a> Alike<'a> {
    pub fn of(catalogue: &'a Catalogue, now: Timestamp) -> Self {
        let mut by_seen = BySeen::new();
        for (id, concert) in catalogue.concerts() {
            let names = [&concert.name, &concert.artist, &concert.venue].map(|name| seen(name).into_owned());
            by_seen.entry(names).or_default().push(*id);
        }
        // A moved schedule is found by both starts, since the file that it came from has the first one.
        let starts = |schedule: &Schedule| {
            [schedule.visible_times(), schedule.published.as_ref()].map(|times| times.map(|times| times.starts_at))
        };
        let visible = catalogue.schedules().iter().filter(|(_, schedule)| schedule.visible_times().is_some());
        let by_start = visible.flat_map(|(id, schedule)| {
            let start = |starts_at| (schedule.concert_id, starts_at, *id);
            starts(schedule).into_iter().flatten().map(start)
        });
        Self { by_seen, by_start: by_start.collect(), catalogue, now }
    }

    /// The concerts with these names, as people see them.
    pub fn named(&self, names: &SeenConcert) -> &[ConcertId] {
        self.by_seen.get(names).map_or(&[], Vec::as_slice)
    }

    /// Finds a published concert that differs from a new one in only one of these members, if both have a show at the
    /// same time, or the member is nearly the same.
    pub fn corrected(&self, listed: &ListedConcert) -> Option<(ConcertId, &'static str)> {
        let names = listed.seen();
        self.by_seen.iter().find_map(|(others, ids)| {
            let mut differing = (0..MEMBERS.len()).filter(|member| names[*member] != others[*member]);
            let (Some(member), None) = (differing.next(), differing.next()) else { return None };
            let is_near = || are_near(&names[member], &others[member]);
            let id = ids.iter().find(|id| is_near() || self.plays_when(**id, listed))?;
            Some((*id, MEMBERS[member]))
        })
    }

    fn plays_when(&self, id: ConcertId, listed: &ListedConcert) -> bool {
        listed.schedules.iter().any(|schedule| self.starting(id, schedule.starts_at).next().is_some())
    }

    /// The visible schedules of a concert with this start.
    pub fn starting(&self, id: ConcertId, starts_at: Timestamp) -> impl Iterator<Item = ScheduleId> + '_ {
        let range = (id, starts_at, ScheduleId::FIRST)..;
        let same =
            move |(concert, start, _): &&(ConcertId, Timestamp, ScheduleId)| (*concert, *start) == (id, starts_at);
        self.by_start.range(range).take_while(same).map(|(_, _, schedule)| *schedule)
    }

    /// Finds a visible schedule that is not in `named`, has not started yet, and has exactly the seats of this new one.
    pub fn moved(&self, id: ConcertId, listed: &ListedSchedule, named: &BTreeSet<ScheduleId>) -> Option<ScheduleId> {
        let own = self.by_start.range((id, self.now, ScheduleId::FIRST)..).take_while(|(concert, ..)| *concert == id);
        let mut others = own.map(|(_, _, schedule)| *schedule).filter(|schedule| !named.contains(schedule));
        others.find(|other| self.catalogue.schedules().get(other).is_some_and(|other| has_the_seats_of(other, listed)))
    }
}

/// True if a schedule has the same seats. Prices are not compared.
fn has_the_seats_of(published: &Schedule, listed: &ListedSchedule) -> bool {
    if published.seats.values().count() != listed.seats.len() {
        return false;
    }
    let chair = |seat: &domain::Seat| (seen(&seat.zone).into_owned(), seen(&seat.name).into_owned());
    let chairs: HashSet<_> = listed.seats.iter().map(|listed| chair(&listed.seat)).collect();
    published.seats.values().all(|seat| chairs.contains(&chair(seat)))
}

/// True if two names differ only by a typing error: by at most one letter in five. Different numbers are not typing
/// errors.
fn are_near(one: &str, other: &str) -> bool {
    let digits = |name: &str| name.chars().filter(|letter| letter.is_numeric()).collect::<String>();
    if digits(one) != digits(other) {
        return false;
    }
    let (one, other): (Vec<char>, Vec<char>) =
        (one.chars().flat_map(char::to_lowercase).collect(), other.chars().flat_map(char::to_lowercase).collect());
    let longest = one.len().max(other.len());
    one.len().abs_diff(other.len()) * 5 <= longest && distance(&one, &other) * 5 <= longest
}

/// The number of letters that must be added, removed or changed (Levenshtein).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, with) in other.iter().enumerate() {
            let change = diagonal + usize::from(letter != with);
            diagonal = row[column + 1];
            row[column + 1] = change.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_near() {
        for (one, other) in
            [("Winter Reprise", "Winter Reprize"), ("winter reprise", "Winter Reprise"), ("Halls", "Hall")]
        {
            assert!(are_near(one, other), "{one}, {other}");
        }
        for (one, other) in [
            ("A", "B"),
            ("Winter", "Summer"),
            ("Hall 1", "Hall"),
            ("Symphony No. 5", "Symphony No. 7"),
            ("World Tour", "World Tour, Busan"),
        ] {
            assert!(!are_near(one, other), "{one}, {other}");
        }
    }
}
