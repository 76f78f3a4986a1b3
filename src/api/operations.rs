//! For those who run the server: does it live, can it take commands.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::problem::Problem;
use super::{Api, Outcome, json, kinds};

/// `GET /healthz`: the process lives.
pub async fn health() -> Response {
    json::answer(&json!({ "status": "ok" }))
}

/// `GET /readyz`: commands can be taken, or why not.
pub async fn readiness(State(api): State<Arc<Api>>) -> Outcome {
    match api.engine.readiness() {
        Ok(()) => Ok(json::answer(&json!({ "status": "ready" }))),
        Err(reason) => Err(Problem::new(&kinds::LOG_UNAVAILABLE, reason)),
    }
}
