//! Problems: every answer that is not a success is made here, and only here. `sources.rs` converts errors and
//! rejections to problems.

mod sources;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Position;
use serde_json::{Map, Value, json};

use super::json::{self, LOG_POSITION};
use super::kinds::{self, ProblemKind};
use super::request_id::RequestId;

/// The longest time in `Retry-After`, in seconds. Clients get different numbers, so that they do not all come back at
/// once.
const MAX_RETRY_SECONDS: u32 = 3;

/// The text of a fault of the server. Its lines have the details.
const OUR_FAULT: &str = "The server failed. Nothing is wrong with the request.";

/// The result of a handler.
pub type Outcome = Result<Response, Problem>;

/// An answer that is not a success (RFC 9457).
///
/// [`respond`](super::respond) renders it, because it knows the request's id.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    kind: &'static ProblemKind,
    detail: Cow<'static, str>,
    members: Map<String, Value>,
    position: Option<Position>,
    /// The time until another try makes sense. Without it, a 503 has a short random time.
    retry_after_seconds: Option<u32>,
    closes_connection: bool,
}

/// A wrong member of a body, or a wrong query parameter.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The name of the member or parameter.
    pub field: String,
    /// The fault, in words.
    pub message: Cow<'static, str>,
}

impl Problem {
    /// Makes a problem without further members.
    pub fn new(kind: &'static ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        let (members, detail) = (Map::new(), detail.into());
        Self { kind, detail, members, position: None, retry_after_seconds: None, closes_connection: false }
    }

    /// Makes a problem of all wrong members or parameters.
    pub fn invalid_request(errors: &[FieldError]) -> Self {
        let sentences = errors.iter().map(|error| format!("`{}` {}.", error.field, error.message));
        let detail = sentences.collect::<Vec<_>>().join(" ");
        Self::new(&kinds::INVALID_REQUEST, detail).with(json!({ "errors": errors }))
    }

    /// Makes a problem for a fault of the server. `reason` goes into the server's lines, never to the client.
    pub fn internal(reason: &str) -> Self {
        tracing::error!("{reason}");
        Self::new(&kinds::INTERNAL, OUR_FAULT)
    }

    /// Adds the position at which it was decided or seen.
    pub fn at(self, position: Position) -> Self {
        Self { position: Some(position), ..self }
    }

    /// Closes the connection after this problem: the rest of the request will not be read.
    pub fn closing(self) -> Self {
        Self { closes_connection: true, ..self }
    }

    /// Adds the seconds before which another try makes no sense.
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    /// The code, by which clients distinguish problems.
    pub fn code(&self) -> &'static str {
        self.kind.code
    }

    /// True for a 401, 403 or 404, which another node may have made wrong meanwhile.
    pub fn may_be_outdated(&self) -> bool {
        [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&self.kind.status)
    }

    fn with(mut self, members: Value) -> Self {
        if let Value::Object(members) = members {
            self.members.extend(members);
        }
        self
    }

    /// Makes the response.
    pub fn render(self, request_id: &RequestId) -> Response {
        let mut body = json!({
            "type": format!("/problems/{}", self.kind.code),
            "title": self.kind.title,
            "status": self.kind.status.as_u16(),
            "detail": self.detail,
            "code": self.kind.code,
            "instance": request_id.as_str(),
        });
        if let Value::Object(body) = &mut body {
            body.extend(self.members);
        }
        let mut response = (self.kind.status, json::bytes(&body)).into_response();
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: HeaderValue| headers.insert(name, value);
        set(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(position) = self.position {
            set(LOG_POSITION, position.get().into());
        }
        if self.closes_connection {
            set(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.kind.status == StatusCode::UNAUTHORIZED {
            let is_plain =
                [&kinds::TOKEN_MISSING, &kinds::IDENTITY_MISSING, &kinds::IDENTITY_INVALID].contains(&self.kind);
            let challenge = if is_plain { "Bearer" } else { "Bearer error=\"invalid_token\"" };
            set(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.retry_after_seconds {
            set(header::RETRY_AFTER, seconds.into());
        } else if self.kind.status == StatusCode::SERVICE_UNAVAILABLE {
            set(header::RETRY_AFTER, retry_seconds().into());
        }
        response
    }
}

/// A random number of seconds, 1..=[`MAX_RETRY_SECONDS`].
fn retry_seconds() -> u32 {
    1 + getrandom::u32().unwrap_or_default() % MAX_RETRY_SECONDS
}
