//! What every response has, whatever it answers: the request's id, a rendered problem, `Cache-Control`, and one line in
//! the log. Tokens, bodies and raw URIs are never logged: a client may have put a credential anywhere in them.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::body;
use super::problem::Problem;
use super::request_id::{RequestId, X_REQUEST_ID};
use crate::{lines, metrics};

/// The outermost layer of every route.
pub async fn respond(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = RequestId::of(request.headers());
    request.extensions_mut().insert(request_id.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answered = async {
        let mut response = next.run(body::read_on(request)).await;
        let problem = response.extensions_mut().remove::<Problem>();
        let code = problem.as_ref().map(Problem::code);
        if let Some(problem) = problem {
            problem.render(&request_id, &mut response);
        }
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, request_id.header_value());
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        let route = route.as_ref().map_or("none", MatchedPath::as_str);
        log(&method, route, response.status(), code, started.elapsed());
        response
    };
    lines::of_request(request_id.shared(), answered).await
}

fn log(method: &Method, route: &str, status: StatusCode, code: Option<&str>, took: Duration) {
    let (status_number, millis) = (status.as_u16(), took.as_millis());
    metrics::count_request(method_name(method), route, status, took);
    // What is shed at the door is no news: told at each request, it would cost more than the request.
    let shed = matches!(code, Some("overloaded" | "room-full" | "read-model-behind" | "log-unavailable"));
    if status == StatusCode::SERVICE_UNAVAILABLE && !shed {
        tracing::warn!(%method, route, status = status_number, code, millis, "answered");
    } else if status.is_server_error() && !shed {
        tracing::error!(%method, route, status = status_number, code, millis, "answered");
    } else {
        tracing::debug!(%method, route, status = status_number, code, millis, "answered");
    }
}

/// Methods by name; what clients make up is one, so that they cannot make up more to count.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 5] = ["GET", "HEAD", "POST", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

/// What a panic is answered with: its message is for the log only.
pub fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("of no text");
    Problem::internal(&format!("a handler panicked: {text}")).into_response()
}
