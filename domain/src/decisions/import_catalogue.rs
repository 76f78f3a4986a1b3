//! Importing a catalogue. A command has many parts, so that an append is as large as possible. All schedules of an
//! import become visible together, with its end.

use uuid::Uuid;

use super::{AddSeats, PublishConcert, PublishSchedule};
use crate::answer::Answer;
use crate::event::{CatalogImported, Event};
use crate::limits::MAX_REASON_CHARACTERS;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::Timestamp;

/// Some parts of an import in their order, and perhaps its end. Things that exist with the same members are skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportCatalogue {
    pub parts: Vec<CataloguePart>,
    pub end: Option<ImportEnd>,
}

/// One part of an import: another command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CataloguePart {
    /// See [`PublishConcert`].
    Concert(PublishConcert),
    /// See [`AddSeats`].
    Seats(AddSeats),
    /// See [`PublishSchedule`].
    Schedule(PublishSchedule),
}

/// The end of an import: its schedules become visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportEnd {
    /// Names the import. `None` if it published no schedule.
    pub import_id: Option<Uuid>,
    /// The operator's reason, if there is one.
    pub reason: Option<String>,
}

impl Decide for ImportCatalogue {
    /// Decides the parts one after another, each on the state after the parts before it.
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        let mut trial = State { catalogue: state.catalogue.clone(), ..State::default() };
        let mut events: Vec<Event> = Vec::new();
        for part in &self.parts {
            if let Decided::Events(decided) = part.rule().decide(by, &trial, now)? {
                for event in &decided {
                    trial.catalogue.try_out(event);
                }
                events.extend(decided);
            }
        }
        if let Some(end) = &self.end {
            events.extend(end.decide(&trial, !events.is_empty(), now)?);
        }
        Ok(if events.is_empty() { Decided::Already(Answer::Done) } else { Decided::Events(events) })
    }
}

impl CataloguePart {
    fn rule(&self) -> &dyn Decide {
        match self {
            Self::Concert(rule) => rule,
            Self::Seats(rule) => rule,
            Self::Schedule(rule) => rule,
        }
    }
}

impl ImportEnd {
    fn decide(&self, state: &State, has_parts: bool, now: Timestamp) -> Result<Option<Event>, Rejection> {
        let reason = self.reason.clone();
        if let Some(reason) = reason.as_ref().filter(|reason| !fits(reason)) {
            let characters = reason.chars().count();
            let reason = format!("a reason must have 1 to {MAX_REASON_CHARACTERS} characters; it has {characters}");
            return Err(Rejection::CatalogueConflict { reason });
        }
        let published = self.import_id.map(|import_id| state.catalogue.published_by(import_id));
        let (schedules, seats) = published.unwrap_or_default();
        if schedules == 0 && (self.import_id.is_some() || !has_parts) {
            return Ok(None);
        }
        let import_id = self.import_id;
        Ok(Some(CatalogImported { import_id, reason, schedules, seats, imported_at: now }.into()))
    }
}

fn fits(reason: &str) -> bool {
    (1..=MAX_REASON_CHARACTERS).contains(&reason.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::spec::*;
    use crate::values::ScheduleId;

    const IMPORT: Uuid = Uuid::from_u128(7);

    fn publish(import_id: Option<Uuid>) -> PublishSchedule {
        PublishSchedule { import_id, ..publish_schedule() }
    }

    fn parts() -> Vec<CataloguePart> {
        let seats = AddSeats { concert_id: CONCERT, schedule_id: SCHEDULE, seats: (1..=SEATS).map(seat).collect() };
        vec![
            CataloguePart::Concert(publish_concert()),
            CataloguePart::Seats(seats),
            CataloguePart::Schedule(publish(Some(IMPORT))),
        ]
    }

    fn end(import_id: Option<Uuid>) -> Option<ImportEnd> {
        Some(ImportEnd { import_id, reason: None })
    }

    fn all() -> [Event; 4] {
        let seats = seats_added((1..=SEATS).map(seat).collect());
        [concert(), seats, schedule_imported(IMPORT), catalog_imported(IMPORT)]
    }

    #[test]
    fn an_import_is_decided_as_one() {
        let import = ImportCatalogue { parts: parts(), end: end(Some(IMPORT)) };
        given([]).when(Credential::OPERATOR, import.clone()).then(all());
        given(all()).when(Credential::OPERATOR, import).already(Answer::Done);
    }

    #[test]
    fn a_schedule_of_an_import_is_visible_with_its_end_and_not_before() {
        let is_visible =
            |events: &[Event]| given(events.to_vec()).state().catalogue.on_stage(CONCERT, SCHEDULE).is_ok();
        let events = all();
        assert!(!is_visible(&events[..3]));
        assert!(is_visible(&events));
        assert!(!is_visible(&[&events[..3], &[catalog_imported(Uuid::nil())]].concat()));
    }

    #[test]
    fn what_was_cut_off_is_finished_and_nothing_is_written_twice() {
        let whole = ImportCatalogue { parts: parts(), end: end(Some(IMPORT)) };
        for there in 0..4 {
            let rest = all().into_iter().skip(there);
            given(all().into_iter().take(there)).when(Credential::OPERATOR, whole.clone()).then(rest);
        }
    }

    #[test]
    fn a_part_that_is_refused_refuses_all() {
        let mut parts = parts();
        parts.swap(1, 2);
        let import = ImportCatalogue { parts, end: end(Some(IMPORT)) };
        assert!(given([]).when(Credential::OPERATOR, import).decided().is_err());
    }

    #[test]
    fn concerts_alone_are_an_import_without_a_name() {
        let import = ImportCatalogue { parts: parts()[..1].to_vec(), end: end(None) };
        let ended = CatalogImported { import_id: None, reason: None, schedules: 0, seats: 0, imported_at: T0 };
        given([]).when(Credential::OPERATOR, import.clone()).then([concert(), ended.into()]);
        given([concert()]).when(Credential::OPERATOR, import).already(Answer::Done);
    }

    #[test]
    fn a_reason_has_a_limit() {
        let import = |reason: String| {
            let end = Some(ImportEnd { import_id: Some(IMPORT), reason: Some(reason) });
            given([]).when(Credential::OPERATOR, ImportCatalogue { parts: parts(), end }).decided()
        };
        assert!(import("가".repeat(MAX_REASON_CHARACTERS)).is_ok());
        assert!(import("가".repeat(MAX_REASON_CHARACTERS + 1)).is_err());
        assert!(import(String::new()).is_err());
    }

    #[test]
    fn seats_of_an_import_that_is_not_ended_cannot_be_held() {
        let begun = given([room(100)]).and(all().into_iter().take(3)).and([admitted(ANN, 1)]);
        let hold =
            crate::HoldSeats { user_id: ANN, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids: vec![seat_id(1)] };
        begun.when(token(ANN), hold).refuses(Rejection::ScheduleNotFound { schedule_id: ScheduleId::FIRST });
    }
}
