//! The routes of health: does the process live, and can it take commands?

use std::sync::Arc;

use axum::extract::Request;
use serde_json::json;

use super::api::Api;
use super::contract::shapes::HEALTH;
use super::contract::{Operation, file};
use super::problem::{Outcome, Problem};
use super::{json, kinds};
use crate::engine::NotReady;

/// The description of `GET /healthz`.
pub fn said() -> Operation {
    file("Says that the process runs.", "application/json").answers_a(HEALTH)
}

/// The description of `GET /readyz`.
pub fn readiness_said() -> Operation {
    let ready =
        file("Says whether the server can take commands, or why it cannot.", "application/json").answers_a(HEALTH);
    ready.may(&[&kinds::LOG_UNAVAILABLE, &kinds::IDENTITY_UNAVAILABLE])
}

/// `GET /healthz`: the process lives.
pub async fn health(_: Arc<Api>, _: Request) -> Outcome {
    Ok(json::answer(&json!({ "status": "ok" })))
}

/// `GET /readyz`: commands can be taken, or why not.
pub async fn readiness(api: Arc<Api>, _: Request) -> Outcome {
    if let Some(Err(why)) = api.identity.as_ref().map(|identity| identity.readiness()) {
        return Err(Problem::new(&kinds::IDENTITY_UNAVAILABLE, why));
    }
    match api.engine.readiness() {
        Ok(()) => Ok(json::answer(&json!({ "status": "ready" }))),
        Err(NotReady { told, .. }) => Err(Problem::new(&kinds::LOG_UNAVAILABLE, told)),
    }
}
