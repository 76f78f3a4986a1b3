//! The routes of buyers. Their contract is docs/api.md, from "Waiting room" to "Health".

mod concerts;
mod histories;
mod points;
mod records;
mod reservations;
mod streams;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::MethodFilter;
use domain::{Rejection, Token, UserId};

use super::shared::{
    api, chance, charge, command, contract, docs, health, histories as history_pages, json, kinds, members, metrics,
    pages, paging, parameters, path, problem, problem_pages, query, routes, wire,
};
use api::Api;
use problem::{Outcome, Problem};
use routes::{Routes, Threshold};

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// The routes of buyers.
type PublicRoutes = Routes<Arc<Api>>;

/// Makes the router of the public listener. It has the metrics only if operators have no listener.
pub fn router(api: Arc<Api>, has_metrics: bool) -> Router {
    let routes = Routes::new("Reprise: buying")
        .with(tokens::routes)
        .with(streams::routes)
        .with(concerts::routes)
        .with(reservations::routes)
        .with(points::routes)
        .with(records::routes)
        .with(histories::routes);
    let routes = if has_metrics { routes.route(GET, "/metrics", metrics::metrics, metrics::said()) } else { routes };
    let document = routes.document();
    routes
        .route(GET, "/", page, pages::buyer_said())
        .route(GET, pages::FILES, pages::file, pages::file_said())
        .route(GET, "/docs", docs::page, docs::said())
        .route(GET, docs::FILES, docs::file, docs::file_said())
        .route(GET, problem_pages::PATH, problem_pages::page, problem_pages::said())
        .route(GET, "/healthz", health::health, health::said())
        .route(GET, "/readyz", health::readiness, health::readiness_said())
        .route(
            GET,
            "/openapi.json",
            move |_, request| Arc::clone(&document).answer(request),
            contract::document::said(),
        )
        .complete(api)
}

/// `GET /`: the page of buyers.
async fn page(api: Arc<Api>, request: Request) -> Outcome {
    api.pages.buyer(request.headers())
}

impl Threshold for Arc<Api> {
    fn cross(&self, request: &Request) -> Result<(), Problem> {
        self.limits.count_request(request)
    }
}

/// Fails if the token's user is not `user_id`.
fn own(token: &Token, user_id: UserId) -> Result<(), Rejection> {
    if token.user_id == user_id { Ok(()) } else { Err(Rejection::NotYours) }
}
