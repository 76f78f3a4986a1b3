//! `reprise schedule …`.

use indicatif::HumanCount;
use reqwest::Method;
use serde_json::{Value, json};

use super::CommandError;
use super::asking::{Asked, Told, ask, count};
use crate::config::Schedule;
use crate::place::Place;

/// Changes or shows a schedule. Returns its text.
///
/// # Errors
/// There is no log, or its server refuses.
pub async fn run(place: &Place, command: &Schedule) -> Result<String, CommandError> {
    let told = ask(place, asked(command)).await?;
    match command {
        Schedule::Show { output, .. } if output.json => Ok(told.json()),
        Schedule::Window { .. }
        | Schedule::Move { .. }
        | Schedule::Price { .. }
        | Schedule::Cancel { .. }
        | Schedule::Show { .. } => Ok(text(&told)),
    }
}

fn asked(command: &Schedule) -> Asked<'_> {
    let path = |id: u64, rest: &str| format!("/api/operations/schedules/{id}{rest}");
    match command {
        Schedule::Window { schedule, opens, closes, change } => Asked::change(
            Method::PATCH,
            path(schedule.schedule_id, ""),
            json!({ "saleOpensAt": opens, "saleClosesAt": closes, "reason": change.reason }),
            change.idempotency_key.as_deref(),
        ),
        Schedule::Move { schedule, starts, change } => Asked::change(
            Method::PATCH,
            path(schedule.schedule_id, ""),
            json!({ "startsAt": starts, "reason": change.reason }),
            change.idempotency_key.as_deref(),
        ),
        Schedule::Price { schedule, zone, price, change } => Asked::change(
            Method::PATCH,
            path(schedule.schedule_id, "/prices"),
            json!({ "zoneName": zone, "price": price, "reason": change.reason }),
            change.idempotency_key.as_deref(),
        ),
        Schedule::Cancel { schedule, change } => Asked::change(
            Method::POST,
            path(schedule.schedule_id, "/cancel"),
            json!({ "reason": change.reason }),
            change.idempotency_key.as_deref(),
        ),
        Schedule::Show { schedule, .. } => Asked::Look { path: path(schedule.schedule_id, "") },
    }
}

fn text(told: &Told) -> String {
    let schedule = &told.body;
    let word = |member: &str| schedule[member].as_str().unwrap_or_default();
    let mut lines = vec![
        format!(
            "schedule {} of concert {}: {} {} {}",
            schedule["scheduleId"],
            schedule["concertId"],
            word("concertDate"),
            word("concertTime"),
            word("timeZone")
        ),
        format!("starts: {}", word("startsAt")),
        format!("on sale: {} to {}", word("saleOpensAt"), word("saleClosesAt")),
    ];
    lines.extend(schedule["zones"].as_array().into_iter().flatten().map(zone));
    let cancelled = &schedule["cancelled"];
    if cancelled.is_object() {
        let at = cancelled["at"].as_str().unwrap_or_default();
        let reason = cancelled["reason"].as_str().unwrap_or_default();
        let [holds, payments, refunded] = ["holdsLeft", "paymentsLeft", "refunded"].map(|left| count(&cancelled[left]));
        lines.push(format!("called off at {at}: {reason}"));
        lines.push(format!("still open: {holds} holds, {payments} payments; refunded: {refunded}"));
    }
    told.with_position(lines)
}

fn zone(zone: &Value) -> String {
    let [from, to] = ["priceFrom", "priceTo"].map(|price| zone[price].as_u64().unwrap_or_default());
    let price =
        if from == to { HumanCount(from).to_string() } else { format!("{} to {}", HumanCount(from), HumanCount(to)) };
    let [total, available] = ["seatsTotal", "seatsAvailable"].map(|seats| count(&zone[seats]));
    let name = zone["zoneName"].as_str().unwrap_or_default();
    format!("zone {name}: {price} points, {available} of {total} seats are free")
}
