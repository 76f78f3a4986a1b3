//! `reprise room set`.

use indicatif::HumanCount;
use reqwest::Method;
use serde_json::{Value, json};

use super::CommandError;
use super::reached::Reached;
use crate::config::{Place, Room};

const ROOM: &str = "/api/operations/room";

/// Sets what is said and leaves the rest as it is. Tells what is set now.
///
/// # Errors
/// Nothing is said, there is no log, or its server refuses.
pub async fn run(place: &Place, command: &Room) -> Result<String, CommandError> {
    let Room::Set(options) = command;
    if options.capacity.is_none() && options.admissions_per_second.is_none() {
        return Err(CommandError::NothingToSet);
    }
    let server = Reached::of(place).await?;
    let now = server.read(ROOM).await?;
    let pace = options
        .admissions_per_second
        .map_or_else(|| now["admissionsPerSecond"].clone(), |pace| if pace == 0 { Value::Null } else { pace.into() });
    let asked = json!({
        "capacity": options.capacity.map_or_else(|| now["capacity"].clone(), Value::from),
        "admissionsPerSecond": pace,
        "arrivalSeconds": now["arrivalSeconds"],
        "reason": options.change.reason,
    });
    let answer = server.change(Method::PUT, ROOM, options.change.idempotency_key.as_deref(), Some(&asked)).await;
    server.close().await?;
    Ok(told(&answer?.body))
}

/// What is set now, and what follows where that is little.
fn told(room: &Value) -> String {
    let capacity = room["capacity"].as_u64().unwrap_or_default();
    let pace = room["admissionsPerSecond"].as_u64();
    let pace = pace.map_or("no limit".to_owned(), |pace| format!("{} admissions/s at most", HumanCount(pace)));
    let nobody = if capacity == 0 { "\nnobody is admitted while the capacity is 0" } else { "" };
    format!("capacity: {}\npace: {pace}{nobody}", HumanCount(capacity))
}
