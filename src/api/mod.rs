//! HTTP: commands, queries, who asks, problems. It reads requests, asks the engine or the read models, and shows their
//! answers; no rule of the business is here, and no statement about what is allowed but in what shape it must be asked.
//!
//! A command goes through [`command`], a query through [`query`]; what is no success becomes a response in [`problem`];
//! what all responses have in common is put on in [`respond`].

mod auth;
mod body;
mod command;
mod concerts;
mod conditional;
mod histories;
mod idempotency;
mod json;
mod kinds;
mod members;
mod operations;
mod paging;
mod parameters;
mod path;
mod points;
mod problem;
mod query;
mod request_id;
mod reservations;
mod respond;
mod serve;
#[cfg(test)]
mod tests;
mod tokens;
pub(crate) mod wire;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{get, post};
use domain::{Rejection, Token, UserId};
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use crate::engine::Engine;
use crate::key::ServerKey;
use crate::projector::Projector;
use problem::Problem;
pub use serve::serve;

/// What a handler comes to.
type Outcome = Result<Response, Problem>;

/// What the routes rest on.
pub struct Api {
    engine: Engine,
    key: ServerKey,
    projector: Projector,
}

impl Api {
    /// An interface to `engine`, whose tokens `key` derives, and to the read models that `projector` keeps in SQL.
    pub fn new(engine: Engine, key: ServerKey, projector: Projector) -> Self {
        Self { engine, key, projector }
    }

    /// Every route.
    pub fn router(self) -> Router {
        let routes = Router::new()
            .route("/api/tokens", post(tokens::issue))
            .route("/api/tokens/me", get(tokens::mine).delete(tokens::leave))
            .route("/api/queue", get(tokens::queue))
            .route("/api/users/{userId}/points/charge", post(points::charge))
            .route("/api/users/{userId}/points/balance", get(points::balance))
            .route("/api/users/{userId}/points/history", get(histories::points))
            .route("/api/users/{userId}/reservations", get(histories::reservations))
            .route("/api/users/{userId}/payments", get(histories::payments))
            .route("/api/concerts", get(concerts::list))
            .route("/api/concerts/reservation", post(reservations::reserve))
            .route("/api/concerts/{concertId}", get(concerts::one))
            .route("/api/concerts/{concertId}/dates", get(concerts::dates))
            .route("/api/concerts/{concertId}/schedules/{scheduleId}/seats", get(concerts::seats))
            .route("/api/reservations/{id}", get(reservations::one).delete(reservations::cancel))
            .route("/api/payments", post(reservations::pay))
            .route("/healthz", get(operations::health))
            .route("/readyz", get(operations::readiness))
            .route("/metrics", get(operations::metrics))
            .fallback(no_such_route)
            .method_not_allowed_fallback(no_such_method);
        with_layers(routes).with_state(Arc::new(self))
    }

    /// The text of a token, which only the server's key can tell.
    fn token_text(&self, token: &Token) -> Result<Uuid, Problem> {
        self.key.token_of(token).ok_or_else(|| {
            Problem::internal(&format!("token {} has no seed and is none of the fixed ones", token.token_id))
        })
    }
}

/// The routes for those who run the house. Nobody shows a token here: who reaches the listener may ask.
pub fn operations(projector: Projector) -> Router {
    let routes = Router::new()
        .route("/api/operations/sales", get(operations::sales))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method);
    with_layers(routes).with_state(projector)
}

/// Puts on what all responses have in common. A panic is answered too, so it is caught within.
fn with_layers<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes.layer(CatchPanicLayer::custom(respond::panicked)).layer(from_fn(respond::respond))
}

/// That the token's user is `user_id`.
fn own(token: &Token, user_id: UserId) -> Result<(), Rejection> {
    if token.user_id == user_id { Ok(()) } else { Err(Rejection::NotYours) }
}

async fn no_such_route() -> Problem {
    Problem::new(&kinds::ROUTE_NOT_FOUND, "The server has no such route.")
}

async fn no_such_method() -> Problem {
    Problem::new(&kinds::METHOD_NOT_ALLOWED, "The methods of this route are in Allow.")
}
