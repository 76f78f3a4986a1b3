//! `reprise opening …`.

use form_urlencoded::Serializer;
use reqwest::Method;
use serde_json::{Value, json};

use super::CommandError;
use super::asking::{Asked, ask};
use crate::config::{Beacon, Opening};
use crate::place::Place;

const OPENING: &str = "/api/operations/opening";

/// Announces, moves or withdraws an opening, or sends its beacon's value. Returns the text of the result.
///
/// # Errors
/// There is no log, or its server refuses.
pub async fn run(place: &Place, command: &Opening) -> Result<String, CommandError> {
    let room = ask(place, asked(command)).await?.body;
    Ok(told(command, &room))
}

fn asked(command: &Opening) -> Asked<'_> {
    let (method, path, body, change) = match command {
        Opening::Announce { prequeue_from, opens_at, beacon: Beacon { beacon_source, beacon_at }, change } => {
            let asked = json!({
                "prequeueFrom": prequeue_from,
                "opensAt": opens_at,
                "beaconSource": beacon_source,
                "beaconAt": beacon_at,
                "reason": change.reason,
            });
            (Method::POST, OPENING.to_owned(), Some(asked), change)
        }
        Opening::Move { opens_at, beacon: Beacon { beacon_source, beacon_at }, change } => {
            let asked = json!({
                "opensAt": opens_at,
                "beaconSource": beacon_source,
                "beaconAt": beacon_at,
                "reason": change.reason,
            });
            (Method::PATCH, OPENING.to_owned(), Some(asked), change)
        }
        Opening::Withdraw { change } => {
            let parameters = Serializer::new(String::new()).append_pair("reason", &change.reason).finish();
            (Method::DELETE, format!("{OPENING}?{parameters}"), None, change)
        }
        Opening::Beacon { value, change } => {
            let asked = json!({ "value": value, "reason": change.reason });
            (Method::POST, format!("{OPENING}/beacon"), Some(asked), change)
        }
    };
    Asked::change(method, path, body, change.idempotency_key.as_deref())
}

/// Describes the opening after the change.
fn told(command: &Opening, room: &Value) -> String {
    let (opening, draw) = (&room["opening"], &room["draw"]);
    let text = |member: &str| opening[member].as_str().unwrap_or_default();
    match command {
        Opening::Announce { .. } | Opening::Move { .. } => {
            let beacon = match opening["beaconSource"].as_str() {
                None => String::new(),
                Some(source) => format!("\nbeacon: {source}, at {}", text("beaconAt")),
            };
            format!(
                "pre-queue from: {}\nopens at: {}{beacon}\ncommitment: {}\nposition: {}",
                text("prequeueFrom"),
                text("opensAt"),
                text("commitment"),
                opening["position"]
            )
        }
        Opening::Withdraw { .. } => "the opening is withdrawn".to_owned(),
        Opening::Beacon { .. } => match draw["position"].as_u64() {
            None => "the beacon is in the log; the draw follows at once".to_owned(),
            Some(position) => format!("the beacon is in the log; the draw is at position {position}"),
        },
    }
}
