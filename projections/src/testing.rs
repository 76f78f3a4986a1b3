//! Read models of a few events, for tests. Records are sealed, so that ETags are those of a real log.

use domain::spec::*;
use domain::{Event, Record, RecordedEvent, Timestamp};

use crate::ReadModels;

/// The read models of a log with these events, all recorded at [`T0`].
pub fn shown(events: impl IntoIterator<Item = Event>) -> ReadModels {
    let mut models = ReadModels::default();
    fold(&mut models, events);
    models
}

/// The read models of a log with these events, after a concert with a schedule of ten seats.
pub fn shown_on_sale(events: impl IntoIterator<Item = Event>) -> ReadModels {
    let seats = seats_added((1..=SEATS).map(seat).collect());
    let mut models = shown([concert(), seats, schedule_published()]);
    fold(&mut models, events);
    models
}

/// Folds more events, recorded at [`T0`].
pub fn fold(models: &mut ReadModels, events: impl IntoIterator<Item = Event>) {
    fold_at(models, T0, events);
}

/// Folds more events, recorded at `recorded_at`.
pub fn fold_at(models: &mut ReadModels, recorded_at: Timestamp, events: impl IntoIterator<Item = Event>) {
    for event in events {
        models.apply(&sealed(models, recorded_at, event));
    }
}

/// The event as the next record.
pub fn sealed(models: &ReadModels, recorded_at: Timestamp, event: Event) -> RecordedEvent {
    Record::seal(&models.state.head, recorded_at, &event, &metadata()).decode().expect("it was just encoded")
}
