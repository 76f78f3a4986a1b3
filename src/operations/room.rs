//! `reprise room set`.

use indicatif::HumanCount;
use reqwest::Method;
use serde_json::{Value, json};

use super::CommandError;
use super::asking::through;
use crate::config::{Room, RoomOptions};
use crate::place::Place;

const ROOM: &str = "/api/operations/room";

/// Sets the given options, and leaves the others as they are. Returns the text of the result.
///
/// # Errors
/// There are no options, there is no log, or its server refuses.
pub async fn run(place: &Place, command: &Room) -> Result<String, CommandError> {
    let Room::Set(options) = command;
    if options.capacity.or(options.admissions_per_second.or(options.arrival_seconds).map(u64::from)).is_none() {
        return Err(CommandError::NothingToSet);
    }
    let key = options.change.idempotency_key.as_deref();
    let answer = through(place, async |server| {
        let asked = asked(options, &server.read(ROOM).await?);
        server.change(Method::PUT, ROOM, key, Some(&asked)).await
    });
    Ok(told(&answer.await?.body))
}

/// Makes the body: the given options, and the current values of the others.
fn asked(options: &RoomOptions, now: &Value) -> Value {
    // 0 means no limit of the pace, and no time of arrival.
    let set = |given: Option<u32>, now: &Value| match given {
        None => now.clone(),
        Some(0) => Value::Null,
        Some(number) => number.into(),
    };
    json!({
        "capacity": options.capacity.map_or_else(|| now["capacity"].clone(), Value::from),
        "admissionsPerSecond": set(options.admissions_per_second, &now["admissionsPerSecond"]),
        "arrivalSeconds": set(options.arrival_seconds, &now["arrivalSeconds"]),
        "reason": options.change.reason,
    })
}

/// Describes the settings, and a warning if they are very small.
fn told(room: &Value) -> String {
    let capacity = room["capacity"].as_u64().unwrap_or_default();
    let pace = room["admissionsPerSecond"].as_u64();
    let pace = pace.map_or("no limit".to_owned(), |pace| format!("{} admissions/s at most", HumanCount(pace)));
    let arrival = room["arrivalSeconds"].as_u64();
    let arrival = arrival.map_or(String::new(), |seconds| format!("\narrival: within {seconds} s"));
    let nobody = if capacity == 0 { "\nnobody is admitted while the capacity is 0" } else { "" };
    format!("capacity: {}\npace: {pace}{arrival}{nobody}", HumanCount(capacity))
}
