//! What is published already, by what people see of it: the same under another spelling, and what a new entry may be a
//! correction of. A second import of what was corrected in the file would put a show on sale twice.

use std::collections::{BTreeSet, HashSet};

use domain::{Catalogue, ConcertId, Schedule, ScheduleId, Timestamp};

use super::{BySeen, ListedConcert, SeenConcert};
use crate::catalog::listed::ListedSchedule;
use crate::catalog::names::seen;

/// The members of a concert's name, as files call them.
const MEMBERS: [&str; 3] = ["concertName", "artist", "venue"];

/// Published concerts and schedules, to be compared with.
pub struct Alike<'a> {
    by_seen: BySeen,
    /// Visible schedules by concert and start.
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
        // One that was moved is found by either start: the file that it came from has the first.
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

    /// The concerts that people know by this name.
    pub fn named(&self, names: &SeenConcert) -> &[ConcertId] {
        self.by_seen.get(names).map_or(&[], Vec::as_slice)
    }

    /// The published concert that differs from a new one in one member of its name only, where they are played at the same
    /// time, or where that member is nearly the same.
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

    /// The visible schedules of a concert that start then.
    pub fn starting(&self, id: ConcertId, starts_at: Timestamp) -> impl Iterator<Item = ScheduleId> + '_ {
        let range = (id, starts_at, ScheduleId::FIRST)..;
        let same =
            move |(concert, start, _): &&(ConcertId, Timestamp, ScheduleId)| (*concert, *start) == (id, starts_at);
        self.by_start.range(range).take_while(same).map(|(_, _, schedule)| *schedule)
    }

    /// A visible schedule that is yet to be played, is none of `named`, and has the very seats of this new one.
    pub fn moved(&self, id: ConcertId, listed: &ListedSchedule, named: &BTreeSet<ScheduleId>) -> Option<ScheduleId> {
        let own = self.by_start.range((id, self.now, ScheduleId::FIRST)..).take_while(|(concert, ..)| *concert == id);
        let mut others = own.map(|(_, _, schedule)| *schedule).filter(|schedule| !named.contains(schedule));
        others.find(|other| self.catalogue.schedules().get(other).is_some_and(|other| has_the_seats_of(other, listed)))
    }
}

/// Whether a schedule has the same chairs, whatever they cost.
fn has_the_seats_of(published: &Schedule, listed: &ListedSchedule) -> bool {
    if published.seats.values().count() != listed.seats.len() {
        return false;
    }
    let chair = |seat: &domain::Seat| (seen(&seat.zone).into_owned(), seen(&seat.name).into_owned());
    let chairs: HashSet<_> = listed.seats.iter().map(|listed| chair(&listed.seat)).collect();
    published.seats.values().all(|seat| chairs.contains(&chair(seat)))
}

/// Whether two names differ by a slip of the hand: by one letter in five at most. Numbers are no slips: the fifth symphony is
/// not the seventh.
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

/// How many letters must be put in, taken out or changed (Levenshtein).
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
