//! The routes of the people who run the sale: what stands in OPERATIONS.md.

mod sales;

use std::sync::Arc;

use axum::Router;
use axum::routing::MethodFilter;

use super::shared::{api, json, paging, parameters, problem, query, routes};
use api::Api;
use routes::Routes;

/// Every route of the operators' listener. Nobody shows a token here: who reaches the listener may ask.
pub fn router(api: Arc<Api>) -> Router {
    Routes::new().route(MethodFilter::GET, "/api/operations/sales", sales::all).complete(api)
}
