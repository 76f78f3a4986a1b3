//! For those who run the server: does it live, can it take commands, what does it count.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use domain::Position;
use projections::sql::sales;
use serde_json::json;
use tokio::time::Instant;

use super::parameters::Parameters;
use super::problem::Problem;
use super::query::unreadable;
use super::{Api, Outcome, json, kinds, paging};
use crate::engine::MAX_WAIT;
use crate::metrics;
use crate::projector::Projector;

/// `GET /healthz`: the process lives.
pub async fn health(_: Arc<Api>, _: Request) -> Outcome {
    Ok(json::answer(&json!({ "status": "ok" })))
}

/// `GET /readyz`: commands can be taken, or why not.
pub async fn readiness(api: Arc<Api>, _: Request) -> Outcome {
    match api.engine.readiness() {
        Ok(()) => Ok(json::answer(&json!({ "status": "ready" }))),
        Err(reason) => Err(Problem::new(&kinds::LOG_UNAVAILABLE, reason)),
    }
}

/// `GET /metrics`: what the server counts of itself, in Prometheus' text format.
pub async fn metrics(api: Arc<Api>, _: Request) -> Outcome {
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(CONTENT_TYPE, format)], metrics::render(&api.engine, &api.projector)).into_response())
}

/// `GET /api/operations/sales`: every schedule's sales.
pub async fn sales(projector: Projector, request: Request) -> Outcome {
    let mut parameters = Parameters::of(request.uri());
    let min_position = parameters.min_position().unwrap_or(Position::START);
    parameters.complete()?;
    let mut snapshot = projector.snapshot(&sales::MODEL, min_position, Instant::now() + MAX_WAIT).await?;
    let shown = sales::all(&mut snapshot.transaction).await.map_err(unreadable(snapshot.position))?;
    Ok(paging::at(snapshot.position, json::answer(&shown)))
}
