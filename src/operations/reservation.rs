//! `reprise reservation cancel`.

use reqwest::Method;
use serde_json::json;

use super::CommandError;
use super::asking::{Asked, ask, count};
use crate::config::Reservation;
use crate::place::Place;

/// Cancels a reservation for its buyer. Returns the text of the result.
///
/// # Errors
/// There is no log, or its server refuses.
pub async fn run(place: &Place, command: &Reservation) -> Result<String, CommandError> {
    let Reservation::Cancel { reservation_id, change } = command;
    let path = format!("/api/operations/reservations/{reservation_id}/cancel");
    let (body, key) = (json!({ "reason": change.reason }), change.idempotency_key.as_deref());
    let told = ask(place, Asked::change(Method::POST, path, body, key)).await?;
    let reservation = &told.body;
    let status = reservation["reservationStatus"].as_str().unwrap_or_default();
    let (user, price) = (&reservation["userId"], count(&reservation["totalPrice"]));
    let line = format!("reservation {reservation_id} of user {user}: {status}, {price} points");
    Ok(told.with_position(vec![line]))
}
