//! `reprise why`: prints a seat's story, event by event.

use super::output::{Said, Table};
use super::{ToolError, source};
use crate::past::SeatStory;
use crate::place::Place;

/// Prints who held the seat, when, and why it is free or taken.
pub async fn run(place: &Place, schedule_id: u64, seat_id: u64, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let bar = source::progress_bar("folding", log.head().await?.position, json);
    let story = SeatStory::of(&log, schedule_id, seat_id, |_| bar.inc(1)).await?;
    let SeatStory { moment, status, because, steps, .. } = &story;
    if steps.is_empty() {
        return Err(ToolError::NotFound(format!("schedule {schedule_id} has no seat {seat_id}, {moment}")));
    }
    let mut table = Table::new(["position", "at", "user", "request", "hash", "what"], &[0, 2]);
    for step in steps {
        table.row([
            step.position.to_string(),
            step.at.clone(),
            step.user_id.map_or_else(String::new, |user_id| user_id.to_string()),
            step.request_id.clone().unwrap_or_default(),
            step.hash.to_string()[..8].to_owned(),
            step.what.clone(),
        ]);
    }
    let text = format!("{moment}\n\n{table}\nseat {seat_id} of schedule {schedule_id} is {status}: {because}");
    Ok(Said::new(&story, text))
}
