//! A seat's story: who held it, when, and why it is free or taken.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::{Hash, PaymentId, Position, RecordedEvent, ReservationId, UserId};
use serde::Serialize;

use super::telling::Telling;
use super::{Moment, PastError, walk};
use crate::engine::decode;
use crate::log::EventLog;

/// A seat's story up to a moment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeatStory {
    /// The moment up to which the story goes.
    #[serde(flatten)]
    pub moment: Moment,
    /// The seat's schedule.
    pub schedule_id: u64,
    /// The seat's id.
    pub seat_id: u64,
    /// `AVAILABLE`, `HELD`, `SOLD`, or `CANCELLED`.
    pub status: &'static str,
    /// The reason of the status, in words.
    pub because: String,
    /// All changes of the seat. Empty for a seat that the log does not have.
    pub steps: Vec<SeatChange>,
}

/// A change of the seat.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeatChange {
    /// The position of its record.
    pub position: Position,
    /// The time.
    pub at: String,
    /// The type of the event.
    pub event: &'static str,
    /// The user, if the event names one.
    pub user_id: Option<UserId>,
    /// The reservation, if the event names one.
    pub reservation_id: Option<ReservationId>,
    /// The payment, if the event names one.
    pub payment_id: Option<PaymentId>,
    /// The id of the HTTP request that caused it.
    pub request_id: Option<String>,
    /// The change in words.
    pub what: String,
    /// The record's hash.
    pub hash: Hash,
}

impl SeatStory {
    /// Reads the story of a seat up to the current end of the log. `each` is called with each event.
    ///
    /// # Errors
    /// The log cannot be read, or is damaged at a position.
    pub async fn of(
        log: &Arc<dyn EventLog>,
        schedule_id: u64,
        seat_id: u64,
        mut each: impl FnMut(&RecordedEvent),
    ) -> Result<Self, PastError> {
        let mut story = Telling::of(schedule_id, seat_id);
        let mut recorded_at = None;
        let head = walk(log, None, decode, |recorded| {
            story.apply(recorded);
            recorded_at = Some(recorded.recorded_at);
            each(recorded);
            ControlFlow::Continue(())
        });
        let moment = Moment::new(head.await?, recorded_at);
        let Telling { status, because, steps, .. } = story;
        Ok(Self { moment, schedule_id, seat_id, status, because, steps })
    }
}
