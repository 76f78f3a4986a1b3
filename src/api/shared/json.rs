//! Answers as JSON, and the header with their position in the log.

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The header with an answer's position: of a command's last event, or of the read models that served a query.
pub const LOG_POSITION: HeaderName = HeaderName::from_static("log-position");

/// `application/json`.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Makes a 200 with JSON.
pub fn answer(shown: &impl Serialize) -> Response {
    ([(header::CONTENT_TYPE, JSON)], bytes(shown)).into_response()
}

/// Serialises to JSON.
pub fn bytes(shown: &impl Serialize) -> Bytes {
    serde_json::to_vec(shown).expect("answers hold only what JSON can say").into()
}
