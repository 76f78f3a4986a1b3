//! The routes of operators. Their contract is the section "Operators" of docs/api.md. The same routes are served on the
//! socket in the data folder and on the operators' listener.

mod access;
mod catalog;
mod guarded;
mod log;
mod moments;
mod opening;
mod projections;
mod reservations;
mod room;
mod sales;
mod schedules;
mod seats;
mod user_changes;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::MethodFilter;
use domain::limits::MAX_REASON_CHARACTERS;

use super::shared::{
    api, chance, charge, command, contract, docs, health, histories, json, kinds, members, metrics, pages, paging,
    parameters, path, problem, problem_pages, query, routes, streams, wire,
};
pub use access::{Door, Peer};
use api::Api;
use contract::schema::{Member, needs, text_up_to};
use guarded::GuardedRoutes;
pub use guarded::OperatorState;
use problem::Outcome;

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const PATCH: MethodFilter = MethodFilter::PATCH;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// Makes the router of the operators' routes.
pub fn router(state: OperatorState) -> Router {
    let routes = GuardedRoutes::new("Reprise: running a sale")
        .with(room::routes)
        .with(opening::routes)
        .with(catalog::routes)
        .with(schedules::routes)
        .with(reservations::routes)
        .with(users::routes)
        .with(user_changes::routes)
        .with(sales::routes)
        .with(seats::routes)
        .with(log::routes)
        .with(projections::routes);
    let document = routes.document();
    routes
        .open_route(GET, "/", page, pages::operators_said())
        .open_route(GET, pages::FILES, pages::file, pages::file_said())
        .open_route(GET, "/docs", docs::page, docs::said())
        .open_route(GET, docs::FILES, docs::file, docs::file_said())
        .open_route(GET, problem_pages::PATH, problem_pages::page, problem_pages::said())
        .open_route(GET, "/healthz", health::health, health::said())
        .open_route(GET, "/readyz", health::readiness, health::readiness_said())
        .open_route(GET, "/metrics", metrics::metrics, metrics::said())
        .open_route(
            GET,
            "/openapi.json",
            move |_, request| Arc::clone(&document).answer(request),
            contract::document::said(),
        )
        .complete(state)
}

/// `GET /`: the page of operators.
async fn page(api: Arc<Api>, request: Request) -> Outcome {
    Ok(api.pages.operators(request.headers()))
}

/// The member with the reason of a change, which stands in the log for ever.
fn reason() -> Member {
    needs("reason", text_up_to(MAX_REASON_CHARACTERS))
}
