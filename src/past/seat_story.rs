//! A seat's story: who held it, when, and why it is free or taken.

use std::sync::Arc;

use domain::{Hash, PaymentId, Position, RecordedEvent, ReservationId, UserId};
use projections::ReadModels;
use serde::Serialize;

use super::telling::Telling;
use super::{Moment, PastError, fold_on};
use crate::log::EventLog;

/// A seat's story up to a moment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeatStory {
    /// Up to when.
    #[serde(flatten)]
    pub moment: Moment,
    /// The seat's schedule.
    pub schedule_id: u64,
    /// The seat.
    pub seat_id: u64,
    /// `AVAILABLE`, `HELD`, `SOLD`, or `CANCELLED`.
    pub status: &'static str,
    /// Why it is so.
    pub because: String,
    /// All that happened to it; nothing did to a seat that the log does not have.
    pub steps: Vec<SeatChange>,
}

/// Something that happened to the seat.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeatChange {
    /// The record that tells it.
    pub position: Position,
    /// When.
    pub at: String,
    /// Its type.
    pub event: &'static str,
    /// Who had to do with it.
    pub user_id: Option<UserId>,
    /// The reservation, where one had to do with it.
    pub reservation_id: Option<ReservationId>,
    /// The payment, likewise.
    pub payment_id: Option<PaymentId>,
    /// The request that it came of.
    pub request_id: Option<String>,
    /// What happened, in words.
    pub what: String,
    /// The record's hash.
    pub hash: Hash,
}

impl SeatStory {
    /// The story of a seat up to the end of the log as it is now, showing each event to `each` as well.
    ///
    /// # Errors
    /// The log cannot be read, or is wrong at a position.
    pub async fn of(
        log: &Arc<dyn EventLog>,
        schedule_id: u64,
        seat_id: u64,
        mut each: impl FnMut(&RecordedEvent),
    ) -> Result<Self, PastError> {
        let mut story = Telling::of(schedule_id, seat_id);
        let read_models = fold_on(log, ReadModels::default(), None, |recorded| {
            story.apply(recorded);
            each(recorded);
        });
        let moment = Moment::of(&read_models.await?);
        let Telling { status, because, steps, .. } = story;
        Ok(Self { moment, schedule_id, seat_id, status, because, steps })
    }
}
