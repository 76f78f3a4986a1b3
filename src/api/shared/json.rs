//! Answers as JSON, and the header that tells where in the log they stand.

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Where in the log an answer stands: of a command, its last event; of a query, what it was served from.
pub const LOG_POSITION: HeaderName = HeaderName::from_static("log-position");

/// `application/json`.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A success.
pub fn answer(shown: &impl Serialize) -> Response {
    ([(header::CONTENT_TYPE, JSON)], bytes(shown)).into_response()
}

/// As JSON.
pub fn bytes(shown: &impl Serialize) -> Bytes {
    serde_json::to_vec(shown).expect("answers hold only what JSON can say").into()
}
