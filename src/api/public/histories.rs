//! The histories of the user's own points, reservations and payments.

use std::sync::Arc;

use axum::extract::Request;
use domain::{Position, Token, UserId};
use projections::sql;

use super::contract::shapes::{MOVEMENT, PAYMENT, RESERVATION};
use super::paging::PageAsked;
use super::path::PathIds;
use super::problem::{Outcome, Problem};
use super::{Api, GET, PublicRoutes, contract, history_pages, own, query};

/// Adds the routes, each with its description.
pub fn routes(routes: PublicRoutes) -> PublicRoutes {
    let moved = contract::query("Lists the movements of the user's points.");
    routes
        .route(
            GET,
            "/api/users/{userId}/points/history",
            points,
            moved.of_owner().answers_a_page_of(MOVEMENT).in_either_order(),
        )
        .route(
            GET,
            "/api/users/{userId}/reservations",
            reservations,
            contract::query("Lists the user's reservations.").of_owner().answers_a_page_of(RESERVATION),
        )
        .route(
            GET,
            "/api/users/{userId}/payments",
            payments,
            contract::query("Lists the user's payments.").of_owner().answers_a_page_of(PAYMENT),
        )
}

/// `GET /api/users/{userId}/points/history`.
pub async fn points(api: Arc<Api>, request: Request) -> Outcome {
    let uri = request.uri().clone();
    let parse = |path: &PathIds, parameters: &mut _| Ok((path.id("userId")?, PageAsked::of_either_order(parameters)));
    let (asked, token) = query::sql_by_holder(&api, request, parse).await?;
    let snapshot = asked.snapshot(&api.projector, &sql::point_history::MODEL).await?;
    let (user_id, page) = &asked.what;
    owned(&token, *user_id, snapshot.position)?;
    history_pages::points(snapshot, *user_id, page, &uri).await
}

/// `GET /api/users/{userId}/reservations`.
pub async fn reservations(api: Arc<Api>, request: Request) -> Outcome {
    let uri = request.uri().clone();
    let parse = |path: &PathIds, parameters: &mut _| Ok((path.id("userId")?, PageAsked::of(parameters)));
    let (asked, token) = query::sql_by_holder(&api, request, parse).await?;
    let snapshot = asked.snapshot(&api.projector, &sql::reservations::MODEL).await?;
    let (user_id, page) = &asked.what;
    owned(&token, *user_id, snapshot.position)?;
    history_pages::reservations(snapshot, *user_id, page, &uri, &asked.view).await
}

/// `GET /api/users/{userId}/payments`.
pub async fn payments(api: Arc<Api>, request: Request) -> Outcome {
    let uri = request.uri().clone();
    let parse = |path: &PathIds, parameters: &mut _| Ok((path.id("userId")?, PageAsked::of(parameters)));
    let (asked, token) = query::sql_by_holder(&api, request, parse).await?;
    let snapshot = asked.snapshot(&api.projector, &sql::payments::MODEL).await?;
    let (user_id, page) = &asked.what;
    owned(&token, *user_id, snapshot.position)?;
    history_pages::payments(snapshot, *user_id, page, &uri).await
}

/// Fails if the page is another user's.
fn owned(token: &Token, user_id: UserId, position: Position) -> Result<(), Problem> {
    own(token, user_id).map_err(|rejection| Problem::from(rejection).at(position))
}
