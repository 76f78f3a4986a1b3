//! The routes of the people who run the sale: what stands in OPERATIONS.md. One set of them, behind two doors: the socket in
//! the data folder, and the operators' listener.

mod access;
mod catalog;
mod guarded;
mod log;
mod opening;
mod projections;
mod room;
mod sales;
mod seats;
mod users;

use axum::Router;
use axum::routing::MethodFilter;

use super::shared::{
    api, command, health, histories, json, kinds, members, metrics, pages, paging, parameters, path, problem, query,
    routes, wire,
};
use access::{CHANGES, READS};
pub use access::{Door, Peer};
use guarded::GuardedRoutes;
pub use guarded::House;

/// The longest reason for a change, in characters.
const MAX_REASON_CHARACTERS: usize = 200;

/// Every route behind a door.
pub fn router(house: House) -> Router {
    const GET: MethodFilter = MethodFilter::GET;
    const POST: MethodFilter = MethodFilter::POST;
    const PUT: MethodFilter = MethodFilter::PUT;
    const PATCH: MethodFilter = MethodFilter::PATCH;
    const DELETE: MethodFilter = MethodFilter::DELETE;
    GuardedRoutes::new()
        .route(READS, GET, "/api/operations/room", room::show)
        .route(CHANGES, PUT, "/api/operations/room", room::set)
        .route(CHANGES, POST, "/api/operations/pause", room::pause)
        .route(CHANGES, POST, "/api/operations/resume", room::resume)
        .route(CHANGES, POST, "/api/operations/opening", opening::announce)
        .route(CHANGES, PATCH, "/api/operations/opening", opening::put_off)
        .route(CHANGES, DELETE, "/api/operations/opening", opening::withdraw)
        .route(CHANGES, POST, "/api/operations/opening/beacon", opening::receive_beacon)
        .route(CHANGES, POST, "/api/operations/catalog", catalog::import)
        .route(READS, GET, "/api/operations/users/{userId}", users::one)
        .route(READS, GET, "/api/operations/users/{userId}/points/history", users::points)
        .route(READS, GET, "/api/operations/users/{userId}/reservations", users::reservations)
        .route(READS, GET, "/api/operations/users/{userId}/payments", users::payments)
        .route(READS, GET, "/api/operations/sales", sales::all)
        .route(READS, GET, "/api/operations/seats", seats::list)
        .route(READS, GET, "/api/operations/why", seats::why)
        .route(READS, GET, "/api/operations/events", log::events)
        .route(READS, GET, "/api/operations/events/stream", log::stream)
        .route(READS, GET, "/api/operations/head", log::head)
        .route(READS, GET, "/api/operations/projections", projections::list)
        .route(CHANGES, POST, "/api/operations/projections/{name}/rebuild", projections::rebuild)
        .open_route(GET, "/", pages::operators)
        .open_route(GET, pages::FILES, pages::file)
        .open_route(GET, "/healthz", health::health)
        .open_route(GET, "/readyz", health::readiness)
        .open_route(GET, "/metrics", metrics::metrics)
        .complete(house)
}
