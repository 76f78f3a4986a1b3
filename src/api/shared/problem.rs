//! Whatever is not a success becomes HTTP here, and only here. What becomes a problem, and what each says, is in `sources.rs`.

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

/// The longest that a client is told to wait before it tries again, in seconds. Each is told another number, so that
/// they do not all come back at once.
const MAX_RETRY_SECONDS: u32 = 3;

/// What the server itself says about a fault of its own: details are in its log.
const OUR_FAULT: &str = "The server failed. Nothing is wrong with the request.";

/// What a handler comes to.
pub type Outcome = Result<Response, Problem>;

/// An answer that is no success (RFC 9457).
///
/// It is rendered at the door ([`respond`](super::respond)), where the request's id is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    kind: &'static ProblemKind,
    detail: Cow<'static, str>,
    members: Map<String, Value>,
    position: Option<Position>,
    /// For how long nothing else can be said; a short time by chance where a 503 does not know.
    retry_after_seconds: Option<u32>,
    closes_connection: bool,
}

/// A wrong member of a body, or a wrong query parameter.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// Its name.
    pub field: String,
    /// What is wrong with it.
    pub message: Cow<'static, str>,
}

impl Problem {
    /// A problem without members of its own.
    pub fn new(kind: &'static ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        let (members, detail) = (Map::new(), detail.into());
        Self { kind, detail, members, position: None, retry_after_seconds: None, closes_connection: false }
    }

    /// Wrong members or parameters, all of them.
    pub fn invalid_request(errors: &[FieldError]) -> Self {
        let sentences = errors.iter().map(|error| format!("`{}` {}.", error.field, error.message));
        let detail = sentences.collect::<Vec<_>>().join(" ");
        Self::new(&kinds::INVALID_REQUEST, detail).with(json!({ "errors": errors }))
    }

    /// A fault of ours. `reason` goes into the server's log, never to the client.
    pub fn internal(reason: &str) -> Self {
        tracing::error!("{reason}");
        Self::new(&kinds::INTERNAL, OUR_FAULT)
    }

    /// The same, decided or seen at `position`.
    pub fn at(self, position: Position) -> Self {
        Self { position: Some(position), ..self }
    }

    /// The same, after which the connection ends: what is left of the request will not be read.
    pub fn closing(self) -> Self {
        Self { closes_connection: true, ..self }
    }

    /// The same, which asking again before so many seconds will not change.
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    /// Its code, by which clients tell problems apart.
    pub fn code(&self) -> &'static str {
        self.kind.code
    }

    /// Whether it says that somebody has no right or that something is not there, which may have changed elsewhere.
    pub fn may_be_outdated(&self) -> bool {
        [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&self.kind.status)
    }

    fn with(mut self, members: Value) -> Self {
        if let Value::Object(members) = members {
            self.members.extend(members);
        }
        self
    }

    /// As a response.
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

/// 1..=[`MAX_RETRY_SECONDS`], by chance.
fn retry_seconds() -> u32 {
    1 + getrandom::u32().unwrap_or_default() % MAX_RETRY_SECONDS
}
