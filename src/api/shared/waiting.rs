//! What is answered before there is a log: that the process lives, and why it takes nothing yet.

use axum::Router;
use axum::extract::Request;
use axum::routing::get;

use super::problem::Problem;
use super::{json, kinds, respond};

/// Routes of a server that waits for its log. What the log's server said is told in the program's lines, and not to everyone.
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
