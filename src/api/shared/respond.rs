//! The common part of every response: the request's id, a rendered problem, `Cache-Control`, and one line in the log.
//! Tokens, bodies and raw URIs are never logged, since a client may have put a credential anywhere in them.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::problem::{Outcome, Problem};
use super::request_id::{RequestId, X_REQUEST_ID};
use super::{body, framing};
use crate::{logging, metrics};

/// The future of a handler. It does nothing before it is polled. All handlers have this type, so that the code around
/// them is compiled once.
pub type Answering = BoxFuture<'static, Outcome>;

/// Makes a response of the handler's result.
pub fn respond(
    route: &'static str,
    request: Request,
    handler: impl FnOnce(Request) -> Answering,
) -> impl Future<Output = Response> + Send {
    let arrived = Arrived {
        route,
        method: method_name(request.method()),
        at: Instant::now(),
        request_id: RequestId::of(request.headers()),
    };
    let answering = framing::check(&request).map(|()| handler(body::read_on(request)));
    arrived.answered_by(answering)
}

/// The data of a request that its response and its log line need.
struct Arrived {
    route: &'static str,
    method: &'static str,
    at: Instant,
    request_id: RequestId,
}

impl Arrived {
    async fn answered_by(self, answering: Result<Answering, Problem>) -> Response {
        let Self { route, method, at, request_id } = self;
        let answered = async {
            let outcome = match answering {
                Ok(answering) => {
                    let caught = AssertUnwindSafe(answering).catch_unwind().await;
                    caught.unwrap_or_else(|panic| Err(panicked(&*panic)))
                }
                Err(misframed) => Err(misframed),
            };
            let code = outcome.as_ref().err().map(Problem::code);
            let mut response = outcome.unwrap_or_else(|problem| problem.render(&request_id));
            let headers = response.headers_mut();
            headers.insert(X_REQUEST_ID, request_id.header_value());
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            log(method, route, response.status(), code, at.elapsed());
            response
        };
        logging::of_request(request_id.header_value(), answered).await
    }
}

fn log(method: &'static str, route: &'static str, status: StatusCode, code: Option<&str>, took: Duration) {
    let (status_number, millis) = (status.as_u16(), took.as_millis());
    metrics::count_request(method, route, status, took);
    // Requests refused because of overload are not logged one by one: the line would cost more than the request.
    let shed = matches!(code, Some("overloaded" | "room-full" | "read-model-behind" | "log-unavailable"));
    if status == StatusCode::SERVICE_UNAVAILABLE && !shed {
        tracing::warn!(method, route, status = status_number, code, millis, "answered");
    } else if status.is_server_error() && !shed && status != StatusCode::NOT_IMPLEMENTED {
        tracing::error!(method, route, status = status_number, code, millis, "answered");
    } else {
        tracing::debug!(method, route, status = status_number, code, millis, "answered");
    }
}

/// The name of a method in metrics. All unknown methods have one name, so that clients cannot add new ones.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

/// Makes the problem of a panic. The panic's message is only for the log.
fn panicked(panic: &(dyn Any + Send)) -> Problem {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a text");
    Problem::internal(&format!("a handler panicked: {text}"))
}
