//! What importing a file would do, found out before anything is written: what is new, what is known, what is other than it
//! is published, and what looks like a correction of it. Only a plan without the last two is carried out.

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

/// What an import would do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Names the import; the same file has the same name.
    import_id: Uuid,
    concerts: Vec<PlannedConcert>,
    added: Added,
    differences: Differences,
    #[serde(serialize_with = "words::serialize_questions")]
    questions: Faults,
    #[serde(skip)]
    steps: Vec<Step>,
}

/// What an import would do, as it is told.
#[derive(Debug, Serialize)]
pub struct PlanShown<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    /// The same for people.
    words: String,
    /// Why it cannot be carried out; null where it can.
    refusal: Option<String>,
}

impl<'a> PlanShown<'a> {
    /// The plan.
    pub fn of(plan: &'a Plan) -> Self {
        Self { plan, words: plan.to_string(), refusal: plan.check().err().map(|error| error.to_string()) }
    }
}

/// How much an import adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// Concerts that are new.
    pub concerts: usize,
    /// Schedules that become visible.
    pub schedules: usize,
    /// Seats of these.
    pub seats: usize,
}

/// A concert of the file, and the one that it is or will be.
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

/// A schedule of the file, and the one that it is or will be.
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
    /// How many of them are still to be added.
    seats_added: usize,
}

/// Whether something of a file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    /// It is not there.
    New,
    /// An import of the same file has begun it. Nobody sees it yet.
    Unfinished,
    /// It is there just so.
    Known,
}

/// Says what the file leaves open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// What looks like a correction of something published is new.
    pub is_new: bool,
}

impl Plan {
    /// Compares what a file lists with what there is.
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

    /// What it adds.
    pub fn added(&self) -> Added {
        self.added
    }

    /// Whether all of the file is there already.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.added == Added::default()
    }

    /// The import's name where something becomes visible by it.
    pub fn import_id(&self) -> Option<Uuid> {
        (self.added.schedules > 0).then_some(self.import_id)
    }
}

/// A plan that is being made.
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

    /// What a concert without an id that is not known looks like a correction of.
    fn corrects(&self, listed: &ListedConcert) -> Option<String> {
        if listed.id.is_some() || self.options.is_new {
            return None;
        }
        let (id, member) = self.alike.corrected(listed)?;
        let concert = &self.catalogue.concerts()[&id];
        Some(format!(
            "{:?} of {} at {:?} looks like concert {id}, {:?} of {} at {:?}, with another {member}: give \"concertId\": {id} \
             if it is that one, or say --new if it is new",
            listed.name, listed.artist, listed.venue, concert.name, concert.artist, concert.venue
        ))
    }
}

/// Concerts by what people see of them.
type BySeen = BTreeMap<SeenConcert, Vec<ConcertId>>;
