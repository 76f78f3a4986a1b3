//! `GET /metrics`: the server's metrics, in Prometheus' text format.

use std::sync::Arc;

use ::metrics::{counter, gauge};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::api::Api;
use super::contract::{Operation, file};
use super::problem::Outcome;
use crate::{metrics, standard_error};

/// The description of `GET /metrics`.
pub fn said() -> Operation {
    file("The server's metrics, for Prometheus.", "text/plain")
}

/// `GET /metrics`.
pub async fn metrics(api: Arc<Api>, _: Request) -> Outcome {
    look(&api);
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(CONTENT_TYPE, format)], metrics::collected()).into_response())
}

/// Sets the gauges that are read only when somebody asks.
fn look(api: &Api) {
    let read_models = api.engine.read_models();
    let room = &read_models.state.room;
    for (lane, waiting) in api.engine.lane_lengths() {
        gauge!(metrics::LANE_LENGTH, "lane" => lane).set(waiting as f64);
    }
    gauge!(metrics::LOG_POSITION).set(read_models.state.head.position.get() as f64);
    counter!(metrics::LINES_LOST).absolute(standard_error::lost());
    gauge!(metrics::READY).set(if api.engine.readiness().is_ok() { 1.0 } else { 0.0 });
    gauge!(metrics::STREAMS).set(api.streams.open() as f64);
    gauge!(metrics::ROOM_WAITING).set(room.waiting() as f64);
    gauge!(metrics::ROOM_ACTIVE).set(room.active() as f64);
    gauge!(metrics::ROOM_CAPACITY).set(room.capacity() as f64);
    counter!(metrics::ROOM_ADMITTED).absolute(room.serving_number());
    for (projection, status) in api.projector.statuses() {
        let lag = status.lag(read_models.state.head.position, api.engine.now());
        gauge!(metrics::PROJECTION_LAG_EVENTS, "projection" => projection).set(lag.events as f64);
        gauge!(metrics::PROJECTION_LAG_SECONDS, "projection" => projection).set(lag.seconds as f64);
    }
}
