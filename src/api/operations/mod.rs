//! The routes of the people who run the sale: what stands in OPERATIONS.md.

mod sales;

use std::sync::Arc;

use axum::Router;
use axum::routing::MethodFilter;

use super::shared::{api, json, pages, paging, parameters, problem, query, routes};
use api::Api;
use routes::Routes;

/// Every route of the operators' listener. Nobody shows a token here: who reaches the listener may ask.
pub fn router(api: Arc<Api>) -> Router {
    const GET: MethodFilter = MethodFilter::GET;
    Routes::new()
        .route(GET, "/api/operations/sales", sales::all)
        .route(GET, "/", pages::operators)
        .route(GET, pages::FILES, pages::file)
        .complete(api)
}
