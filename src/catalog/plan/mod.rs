//! The plan of an import, made before anything is written: new entries, known entries, differences from the published
//! catalogue, and possible corrections of it. A plan with differences or possible corrections is not carried out.

mod alike;
mod differences;
mod ids;
mod schedules;
mod steps;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use domain::{Catalogue, Concert, ConcertId, ScheduleId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::CatalogError;
use super::faults::Faults;
use super::listed::{Listed, ListedConcert, SeenConcert};
use super::names::seen;
use alike::Alike;
use differences::Differences;
pub use ids::Ids;
pub use steps::Step;

/// The plan of an import.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The import's id. One file always has the same id.
    import_id: Uuid,
    concerts: Vec<PlannedConcert>,
    added: Added,
    differences: Differences,
    #[serde(serialize_with = "words::serialize_questions")]
    questions: Faults,
    #[serde(skip)]
    steps: Vec<Step>,
}

/// The JSON of a plan.
#[derive(Debug, Serialize)]
pub struct PlanShown<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    /// The plan as text for people.
    words: String,
    /// The reason why the plan cannot be carried out. Null if it can.
    refusal: Option<String>,
}

impl<'a> PlanShown<'a> {
    /// Makes the JSON of a plan.
    pub fn of(plan: &'a Plan) -> Self {
        Self { plan, words: plan.to_string(), refusal: plan.check().err().map(|error| error.to_string()) }
    }
}

/// How much an import adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// The number of new concerts.
    pub concerts: usize,
    /// The number of schedules that become visible.
    pub schedules: usize,
    /// The number of their seats.
    pub seats: usize,
}

/// A concert of the file, with its published or new id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlannedConcert {
    concert_id: ConcertId,
    concert_name: String,
    artist: String,
    venue: String,
    status: Status,
    schedules: Vec<PlannedSchedule>,
}

/// A schedule of the file, with its published or new id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlannedSchedule {
    schedule_id: ScheduleId,
    status: Status,
    #[serde(serialize_with = "projections::serialize_rfc3339")]
    starts_at: Timestamp,
    time_zone: String,
    local_date: String,
    local_time: String,
    #[serde(serialize_with = "projections::serialize_rfc3339")]
    sale_opens_at: Timestamp,
    #[serde(serialize_with = "projections::serialize_rfc3339")]
    sale_closes_at: Timestamp,
    seats_per_user: u8,
    seats: usize,
    /// The number of seats that are still to be added.
    seats_added: usize,
}

/// The state of an entry of the file in the published catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    /// The entry is new.
    New,
    /// An import of this file has begun to add it. It is not visible yet.
    Unfinished,
    /// The entry is published with the same members.
    Known,
}

/// The options of an import.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// True if an entry that looks like a correction is new.
    pub is_new: bool,
}

impl Plan {
    /// Compares a parsed file with the published catalogue.
    pub fn of(listed: &Listed, catalogue: &Catalogue, options: Options, now: Timestamp) -> Self {
        let mut planner = Planner {
            catalogue,
            options,
            now,
            ids: Ids::after(catalogue, listed),
            alike: Alike::of(catalogue, now),
            plan: Self {
                import_id: listed.import_id(),
                concerts: Vec::with_capacity(listed.concerts.len()),
                added: Added::default(),
                differences: Differences::default(),
                questions: Faults::default(),
                steps: Vec::new(),
            },
        };
        listed.concerts.iter().for_each(|concert| planner.concert(concert));
        planner.plan
    }

    /// Refuses a plan that must not be carried out.
    ///
    /// # Errors
    /// The file contradicts what is published, or may be meant in two ways.
    pub fn check(&self) -> Result<(), CatalogError> {
        if !self.differences.is_empty() {
            return Err(CatalogError::Differs(self.differences.to_string()));
        }
        if self.questions.is_empty() { Ok(()) } else { Err(CatalogError::Unclear(self.questions.clone())) }
    }

    /// How much the import adds.
    pub fn added(&self) -> Added {
        self.added
    }

    /// True if all of the file is published already.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.added == Added::default()
    }

    /// The import's id, if a schedule becomes visible by it.
    pub fn import_id(&self) -> Option<Uuid> {
        (self.added.schedules > 0).then_some(self.import_id)
    }
}

/// A plan in the making.
struct Planner<'a> {
    catalogue: &'a Catalogue,
    options: Options,
    now: Timestamp,
    ids: Ids,
    alike: Alike<'a>,
    plan: Plan,
}

impl Planner<'_> {
    fn concert(&mut self, listed: &ListedConcert) {
        let known = match listed.id {
            Some(id) => self.catalogue.concerts().get(&id).map(|concert| (id, concert)),
            None => match self.alike.named(&listed.seen()) {
                [] => None,
                [id] => self.catalogue.concerts().get(id).map(|concert| (*id, concert)),
                several => {
                    let ids: Vec<String> = several.iter().map(ConcertId::to_string).collect();
                    let reason = format!("concerts {} have this name: give the concertId", ids.join(", "));
                    return self.plan.questions.add(&listed.place, reason);
                }
            },
        };
        let concert_id = match known {
            Some((id, concert)) => {
                self.compare_names(id, concert, listed);
                id
            }
            None => {
                if let Some(reason) = self.corrects(listed) {
                    self.plan.questions.add(&listed.place, reason);
                }
                listed.id.unwrap_or_else(|| self.ids.next_concert())
            }
        };
        let status = if known.is_some() { Status::Known } else { Status::New };
        if status == Status::New {
            self.plan.steps.push(Step::concert(concert_id, listed));
            self.plan.added.concerts += 1;
        }
        let schedules = self.schedules(concert_id, listed);
        self.plan.concerts.push(PlannedConcert {
            concert_id,
            concert_name: listed.name.clone(),
            artist: listed.artist.clone(),
            venue: listed.venue.clone(),
            status,
            schedules,
        });
    }

    fn compare_names(&mut self, id: ConcertId, concert: &Concert, listed: &ListedConcert) {
        let members = [
            ("concertName", &concert.name, &listed.name),
            ("artist", &concert.artist, &listed.artist),
            ("venue", &concert.venue, &listed.venue),
        ];
        for (member, published, in_file) in members {
            if seen(published) != seen(in_file) {
                let (published, in_file) = (format!("{published:?}"), format!("{in_file:?}"));
                self.plan.differences.add(&listed.place, format!("concert {id}"), member, published, in_file);
            }
        }
    }

    /// Describes the published concert that an unknown concert without an id may be a correction of.
    fn corrects(&self, listed: &ListedConcert) -> Option<String> {
        if listed.id.is_some() || self.options.is_new {
            return None;
        }
        let (id, member) = self.alike.corrected(listed)?;
        let concert = &self.catalogue.concerts()[&id];
        Some(format!(
            "{:?} of {} at {:?} looks like concert {id}, {:?} of {} at {:?}, with another {member}. If it is that \
             concert, give \"concertId\": {id}; if it is new, import the file with `--new`",
            listed.name, listed.artist, listed.venue, concert.name, concert.artist, concert.venue
        ))
    }
}

/// Concerts by their normalised names.
type BySeen = BTreeMap<SeenConcert, Vec<ConcertId>>;
