//! A plan as text, for people who decide whether to carry it out.

use std::fmt;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Added, Plan, PlannedConcert, PlannedSchedule, Status};
use crate::catalog::faults::Faults;

/// How many known schedules are listed. Further ones are only counted.
const KNOWN_TOLD: usize = 10;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.concerts.iter().try_for_each(|concert| concert.fmt(f))?;
        self.differences.iter().try_for_each(|difference| writeln!(f, "differs: {difference}"))?;
        self.questions.iter().try_for_each(|(place, reason)| writeln!(f, "unclear: {place}: {reason}"))?;
        if self.questions.more() > 0 {
            writeln!(f, "unclear: and {} more", self.questions.more())?;
        }
        if self.check().is_err() {
            return f.write_str("nothing is imported until the file agrees with the published catalogue");
        }
        if self.is_empty() {
            return f.write_str("nothing to import: everything is published already");
        }
        write!(f, "to import: {}", self.added)
    }
}

impl Added {
    /// Reads the numbers from an answer. `None` if nothing was added.
    pub fn of(told: &Value) -> Option<Self> {
        serde_json::from_value(told.clone()).ok().filter(|added| *added != Self::default())
    }
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { concerts, schedules, seats } = *self;
        f.write_str(&counted(&[(concerts, "concert"), (schedules, "date"), (seats, "seat")]))
    }
}

/// Formats counts: `1 concert, 2 dates`.
fn counted(counts: &[(usize, &str)]) -> String {
    let said = counts.iter().filter(|(count, _)| *count > 0);
    let said: Vec<String> =
        said.map(|(count, of)| format!("{count} {of}{}", if *count == 1 { "" } else { "s" })).collect();
    if said.is_empty() { "nothing".to_owned() } else { said.join(", ") }
}

impl fmt::Display for PlannedConcert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { concert_id, concert_name, artist, venue, status, schedules } = self;
        writeln!(f, "{status} concert {concert_id}: {concert_name:?} of {artist} at {venue}")?;
        let is_known = |schedule: &&PlannedSchedule| schedule.status == Status::Known;
        let known = schedules.iter().filter(is_known).count();
        for schedule in schedules.iter().filter(|schedule| !is_known(schedule) || known <= KNOWN_TOLD) {
            writeln!(f, "  {schedule}")?;
        }
        if known > KNOWN_TOLD { writeln!(f, "  {known} dates are published already") } else { Ok(()) }
    }
}

impl fmt::Display for PlannedSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedule_id, status, local_date, local_time, time_zone, seats, seats_added, .. } = self;
        write!(
            f,
            "{status} date {schedule_id}: {local_date} {local_time} {time_zone}, {}",
            counted(&[(*seats, "seat")])
        )?;
        if *status == Status::Unfinished {
            write!(f, ", {} of them published already", seats - seats_added)
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Unfinished => "unfinished",
            Self::Known => "known",
        })
    }
}

/// Serialises the questions, each with its place and its reason.
pub fn serialize_questions<S: Serializer>(questions: &Faults, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Question<'a> {
        place: &'a str,
        reason: &'a str,
    }
    let mut list = serializer.serialize_seq(None)?;
    questions.iter().try_for_each(|(place, reason)| list.serialize_element(&Question { place, reason }))?;
    list.end()
}
