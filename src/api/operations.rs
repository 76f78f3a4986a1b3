//! For those who run the server: does it live, can it take commands, what does it count.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::problem::Problem;
use super::{Api, Outcome, json, kinds};
use crate::metrics;

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

/// `GET /metrics`: what the server counts of itself, in Prometheus' text format.
pub async fn metrics(State(api): State<Arc<Api>>) -> Response {
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(CONTENT_TYPE, format)], metrics::render(&api.engine)).into_response()
}
