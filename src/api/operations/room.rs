//! The waiting room as those see it who run it.

use domain::Room;
use serde::Serialize;

use super::guarded::Admitted;
use super::problem::Outcome;
use super::{json, query};

/// The room.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RoomShown {
    capacity: u64,
    admissions_per_second: Option<u32>,
    waiting: usize,
    active: u64,
    serving_number: u64,
}

impl RoomShown {
    fn of(room: &Room<()>) -> Self {
        Self {
            capacity: room.capacity(),
            admissions_per_second: room.admissions_per_second(),
            waiting: room.waiting(),
            active: room.active(),
            serving_number: room.serving_number(),
        }
    }
}

/// `GET /api/operations/room`.
pub async fn show(Admitted { api, request, .. }: Admitted) -> Outcome {
    let nothing = |_: &_, _: &mut _| Ok(());
    query::by_anyone(&api, request, nothing, |view, ()| Ok(json::answer(&RoomShown::of(view.read_models.room.room()))))
        .await
}
