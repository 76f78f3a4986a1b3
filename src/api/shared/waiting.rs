//! The answers before the log is open: the process lives, and the reason why it takes no commands yet.

use axum::Router;
use axum::extract::Request;
use axum::routing::get;

use super::problem::Problem;
use super::{json, kinds, respond};

/// Makes the routes of a server that waits for its log. The error of the log's server is only in the program's lines.
pub fn while_waiting() -> Router {
    let lives = |request: Request| {
        let ok = async { Ok(json::answer(&serde_json::json!({ "status": "ok" }))) };
        respond::respond("/healthz", request, |_| Box::pin(ok))
    };
    let waits = |request: Request| {
        let problem = Problem::new(&kinds::LOG_UNAVAILABLE, "The server has just started, and waits for its log.");
        respond::respond("none", request, |_| Box::pin(std::future::ready(Err(problem))))
    };
    Router::new().route("/healthz", get(lives)).fallback(waits)
}
