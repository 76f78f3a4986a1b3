//! The routes of those who buy: what stands in API.md.

mod concerts;
mod histories;
mod points;
mod records;
mod reservations;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::routing::MethodFilter;
use domain::{Rejection, Token, UserId};

use super::shared::{
    api, command, health, histories as history_pages, json, kinds, members, metrics, pages, paging, parameters, path,
    problem, query, routes, wire,
};
use api::Api;
use problem::Outcome;
use routes::Routes;

/// Every route of the public listener; what the server counts of itself is among them where operators have no listener.
pub fn router(api: Arc<Api>, has_metrics: bool) -> Router {
    const GET: MethodFilter = MethodFilter::GET;
    const POST: MethodFilter = MethodFilter::POST;
    const DELETE: MethodFilter = MethodFilter::DELETE;
    let routes = Routes::new();
    let routes = if has_metrics { routes.route(GET, "/metrics", metrics::metrics) } else { routes };
    routes
        .route(POST, "/api/tokens", tokens::issue)
        .route(GET, "/api/tokens/me", tokens::mine)
        .route(DELETE, "/api/tokens/me", tokens::leave)
        .route(POST, "/api/tokens/me/arrival", tokens::arrive)
        .route(GET, "/api/queue", tokens::queue)
        .route(POST, "/api/users/{userId}/points/charge", points::charge)
        .route(GET, "/api/users/{userId}/points/balance", points::balance)
        .route(GET, "/api/users/{userId}/points/history", histories::points)
        .route(GET, "/api/users/{userId}/records/{position}", records::one)
        .route(GET, "/api/users/{userId}/reservations", histories::reservations)
        .route(GET, "/api/users/{userId}/payments", histories::payments)
        .route(GET, "/api/concerts", concerts::list)
        .route(POST, "/api/concerts/reservation", reservations::reserve)
        .route(GET, "/api/concerts/{concertId}", concerts::one)
        .route(GET, "/api/concerts/{concertId}/dates", concerts::dates)
        .route(GET, "/api/concerts/{concertId}/schedules/{scheduleId}/seats", concerts::seats)
        .route(GET, "/api/concerts/{concertId}/schedules/{scheduleId}/map", concerts::map)
        .route(GET, "/api/reservations/{id}", reservations::one)
        .route(DELETE, "/api/reservations/{id}", reservations::cancel)
        .route(POST, "/api/reservations/{id}/extension", reservations::extend)
        .route(POST, "/api/payments", reservations::pay)
        .route(GET, "/", pages::buyer)
        .route(GET, pages::FILES, pages::file)
        .route(GET, "/healthz", health::health)
        .route(GET, "/readyz", health::readiness)
        .complete(api)
}

/// That the token's user is `user_id`.
fn own(token: &Token, user_id: UserId) -> Result<(), Rejection> {
    if token.user_id == user_id { Ok(()) } else { Err(Rejection::NotYours) }
}
