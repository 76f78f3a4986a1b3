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

use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use domain::{Rejection, Token, UserId};
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
        const GET: MethodFilter = MethodFilter::GET;
        const POST: MethodFilter = MethodFilter::POST;
        const DELETE: MethodFilter = MethodFilter::DELETE;
        Routes::new()
            .route(POST, "/api/tokens", tokens::issue)
            .route(GET, "/api/tokens/me", tokens::mine)
            .route(DELETE, "/api/tokens/me", tokens::leave)
            .route(GET, "/api/queue", tokens::queue)
            .route(POST, "/api/users/{userId}/points/charge", points::charge)
            .route(GET, "/api/users/{userId}/points/balance", points::balance)
            .route(GET, "/api/users/{userId}/points/history", histories::points)
            .route(GET, "/api/users/{userId}/reservations", histories::reservations)
            .route(GET, "/api/users/{userId}/payments", histories::payments)
            .route(GET, "/api/concerts", concerts::list)
            .route(POST, "/api/concerts/reservation", reservations::reserve)
            .route(GET, "/api/concerts/{concertId}", concerts::one)
            .route(GET, "/api/concerts/{concertId}/dates", concerts::dates)
            .route(GET, "/api/concerts/{concertId}/schedules/{scheduleId}/seats", concerts::seats)
            .route(GET, "/api/reservations/{id}", reservations::one)
            .route(DELETE, "/api/reservations/{id}", reservations::cancel)
            .route(POST, "/api/payments", reservations::pay)
            .route(GET, "/healthz", operations::health)
            .route(GET, "/readyz", operations::readiness)
            .route(GET, "/metrics", operations::metrics)
            .complete(Arc::new(self))
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
    Routes::new().route(MethodFilter::GET, "/api/operations/sales", operations::sales).complete(projector)
}

/// Routes whose handlers come to an [`Outcome`], which [`respond`] makes a response of. It stands around each handler and
/// not as a layer around them all: a layer costs every request some boxes, and does not know the route.
struct Routes<S>(Router<S>);

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    fn new() -> Self {
        Self(Router::new())
    }

    fn route<Answering>(
        self,
        method: MethodFilter,
        path: &'static str,
        handler: impl Fn(S, Request) -> Answering + Copy + Send + Sync + 'static,
    ) -> Self
    where
        Answering: Future<Output = Outcome> + Send,
    {
        Self(self.0.route(
            path,
            on(method, move |State(state): State<S>, request: Request| {
                respond::respond(path, request, move |request| handler(state, request))
            }),
        ))
    }

    /// The router, which has an answer to all else, too.
    fn complete(self, state: S) -> Router {
        let otherwise = |kind, detail| {
            move |request| respond::respond("none", request, move |_| ready(Err(Problem::new(kind, detail))))
        };
        self.0
            .fallback(otherwise(&kinds::ROUTE_NOT_FOUND, "The server has no such route."))
            .method_not_allowed_fallback(otherwise(
                &kinds::METHOD_NOT_ALLOWED,
                "The methods of this route are in Allow.",
            ))
            .with_state(state)
    }
}

/// That the token's user is `user_id`.
fn own(token: &Token, user_id: UserId) -> Result<(), Rejection> {
    if token.user_id == user_id { Ok(()) } else { Err(Rejection::NotYours) }
}
