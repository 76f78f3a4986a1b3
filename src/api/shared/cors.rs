//! Pages of other origins (CORS, the Fetch standard): the named origins may send requests to the public listener.

use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use super::respond;

/// The response headers that a page may read, besides those that every page may read.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Log-Position, ETag, Link, Retry-After, X-Request-Id, Idempotent-Replayed");
/// The request headers that a page may send.
const TAKEN: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, DELETE");
/// How long a browser may remember the permission, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// An origin as browsers write it: scheme, host, and the port if it is not the scheme's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// The error of a text that is not an origin.
#[derive(Debug, thiserror::Error)]
#[error("an origin is a scheme and a host, and a port where it needs one, such as https://tickets.example")]
pub struct NoOrigin;

impl FromStr for Origin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let text = text.to_ascii_lowercase();
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(NoOrigin)?;
        let authority: axum::http::uri::Authority = host.parse().map_err(|_| NoOrigin)?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(NoOrigin);
        }
        let default_port = if text.starts_with("https:") { ":443" } else { ":80" };
        let text = text.strip_suffix(default_port).unwrap_or(&text);
        HeaderValue::from_str(text).map(Self).map_err(|_| NoOrigin)
    }
}

/// Lets pages of these origins use the router. Without origins the router stays as it is.
pub fn for_pages_of(origins: &[Origin], router: Router) -> Router {
    if origins.is_empty() {
        return router;
    }
    let origins: Arc<[Origin]> = origins.into();
    router.layer(from_fn_with_state(origins, answer))
}

async fn answer(State(origins): State<Arc<[Origin]>>, request: Request, next: Next) -> Response {
    let allowed = allowed(&origins, request.headers());
    let mut response = match &allowed {
        Some(_) if is_preflight(&request) => {
            respond::respond("preflight", request, |_| Box::pin(async { Ok(preflight()) })).await
        }
        Some(_) | None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

/// The request's origin, if it is one of these.
fn allowed(origins: &[Origin], headers: &HeaderMap) -> Option<HeaderValue> {
    let mut given = headers.get_all(header::ORIGIN).iter();
    let only = given.next().filter(|_| given.next().is_none())?;
    origins.iter().find(|Origin(known)| known == only).map(|Origin(known)| known.clone())
}

/// True for a preflight: a browser asks what a page may do.
fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    const ANSWERED: [(HeaderName, HeaderValue); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, TAKEN),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, ANSWERED).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_maybe_a_port() {
        for (text, read) in [
            ("https://tickets.example", "https://tickets.example"),
            ("HTTPS://Tickets.Example:443", "https://tickets.example"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().0, read, "{text}");
        }
        for text in
            ["*", "null", "", "tickets.example", "https://", "https://a/", "https://u@a", "ftp://a", "https://a b"]
        {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
