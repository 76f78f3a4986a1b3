//! `reprise users …`.

use form_urlencoded::Serializer;
use reqwest::Method;
use serde_json::{Value, json};

use super::CommandError;
use super::asking::{Asked, Told, ask, count};
use crate::config::Users;
use crate::place::Place;

/// Changes or shows a user. Returns the text of the result.
///
/// # Errors
/// There is no log, or its server refuses.
pub async fn run(place: &Place, command: &Users) -> Result<String, CommandError> {
    let told = ask(place, asked(command)).await?;
    Ok(match command {
        Users::Show { output, .. } | Users::Find { output, .. } if output.json => told.json(),
        Users::Charge { .. } => charge(&told),
        Users::Adjust { .. } | Users::Expel { .. } | Users::Show { .. } | Users::Find { .. } => user(&told),
    })
}

fn asked(command: &Users) -> Asked<'_> {
    let path = |id: u64, rest: &str| format!("/api/operations/users/{id}{rest}");
    match command {
        Users::Adjust { user, amount, corrects, change } => Asked::change(
            Method::POST,
            path(user.user_id, "/adjustments"),
            json!({ "amount": amount, "reason": change.reason, "corrects": corrects }),
            change.idempotency_key.as_deref(),
        ),
        Users::Charge { user, amount, idempotency_key } => Asked::change(
            Method::POST,
            path(user.user_id, "/charges"),
            json!({ "amount": amount }),
            idempotency_key.as_deref(),
        ),
        Users::Expel { user, change } => Asked::change(
            Method::POST,
            path(user.user_id, "/expulsion"),
            json!({ "reason": change.reason }),
            change.idempotency_key.as_deref(),
        ),
        Users::Show { user, .. } => Asked::Look { path: path(user.user_id, "") },
        Users::Find { sub, .. } => {
            let parameters = Serializer::new(String::new()).append_pair("sub", sub).finish();
            Asked::Look { path: format!("/api/operations/users?{parameters}") }
        }
    }
}

fn charge(told: &Told) -> String {
    let [amount, balance] = ["chargedAmount", "currentBalance"].map(|points| count(&told.body[points]));
    let user = &told.body["userId"];
    let line = format!("{amount} points were added to the wallet of user {user}; the balance is {balance} points");
    told.with_position(vec![line])
}

fn user(told: &Told) -> String {
    let token = match told.body["token"]["status"].as_str() {
        None => "none".to_owned(),
        Some(status) => format!("{status}, number {}", told.body["token"]["tokenId"]),
    };
    let mut lines = vec![
        format!("user: {}", told.body["userId"]),
        format!("balance: {} points", count(&told.body["balance"])),
        format!("token: {token}"),
    ];
    lines.extend(told.body["reservations"].as_array().into_iter().flatten().map(reservation));
    told.with_position(lines)
}

fn reservation(reservation: &Value) -> String {
    let status = reservation["reservationStatus"].as_str().unwrap_or_default();
    let seats = reservation["seats"].as_array().map_or(0, Vec::len);
    let (id, schedule) = (&reservation["reservationId"], &reservation["scheduleId"]);
    format!(
        "reservation {id}: {status}, {seats} seats of schedule {schedule}, {} points",
        count(&reservation["totalPrice"])
    )
}
