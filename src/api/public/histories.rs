//! What has happened to one's points, reservations and payments: pages, served from SQL.

use std::sync::Arc;

use axum::extract::Request;
use domain::{Position, Reservation, UserId};
use projections::sql;

use super::paging::{self, PageAsked};
use super::problem::Problem;
use super::query::{self, SqlQuery};
use super::reservations::shown;
use super::wire::{MovementShown, PaymentShown};
use super::{Api, Outcome, own};

/// `GET /api/users/{userId}/points/history`.
pub async fn points(api: Arc<Api>, request: Request) -> Outcome {
    let uri = request.uri().clone();
    let parse = |path: &super::path::PathIds, parameters: &mut _| {
        Ok((path.id::<UserId>("userId")?, PageAsked::of_either_order(parameters)))
    };
    let asked = query::for_sql(&api, request, parse).await?;
    let mut snapshot = asked.snapshot(&api.projector, &sql::point_history::MODEL).await?;
    let (user_id, page) = owned(&asked, snapshot.position)?;
    let (order, after, lines) = (page.order, page.after, page.lines());
    let found = sql::point_history::page(&mut snapshot.transaction, user_id, order, after, lines).await;
    let found = found.map_err(query::unreadable(snapshot.position))?;
    let lines = found.into_iter().map(|movement| (movement.position.get(), MovementShown::from(movement))).collect();
    Ok(paging::at(snapshot.position, page.respond(&uri, lines)))
}

/// `GET /api/users/{userId}/reservations`.
pub async fn reservations(api: Arc<Api>, request: Request) -> Outcome {
    let uri = request.uri().clone();
    let asked =
        query::for_sql(&api, request, |path, parameters| Ok((path.id("userId")?, PageAsked::of(parameters)))).await?;
    let mut snapshot = asked.snapshot(&api.projector, &sql::reservations::MODEL).await?;
    let (user_id, page) = owned(&asked, snapshot.position)?;
    let found = sql::reservations::page(&mut snapshot.transaction, user_id, page.after, page.lines()).await;
    let found = found.map_err(query::unreadable(snapshot.position))?;
    let line = |found: &Reservation| Ok((found.hold.reservation_id.get(), shown(&asked.view, found)?));
    let lines = found.iter().map(line).collect::<Result<_, Problem>>()?;
    Ok(paging::at(snapshot.position, page.respond(&uri, lines)))
}

/// `GET /api/users/{userId}/payments`.
pub async fn payments(api: Arc<Api>, request: Request) -> Outcome {
    let uri = request.uri().clone();
    let asked =
        query::for_sql(&api, request, |path, parameters| Ok((path.id("userId")?, PageAsked::of(parameters)))).await?;
    let mut snapshot = asked.snapshot(&api.projector, &sql::payments::MODEL).await?;
    let (user_id, page) = owned(&asked, snapshot.position)?;
    let found = sql::payments::page(&mut snapshot.transaction, user_id, page.after, page.lines()).await;
    let found = found.map_err(query::unreadable(snapshot.position))?;
    let lines = found.into_iter().map(|payment| (payment.payment_id.get(), PaymentShown::from(payment))).collect();
    Ok(paging::at(snapshot.position, page.respond(&uri, lines)))
}

/// Whose page is asked for, where it is theirs who ask.
fn owned(asked: &SqlQuery<(UserId, PageAsked)>, position: Position) -> Result<(UserId, &PageAsked), Problem> {
    let (user_id, page) = &asked.what;
    own(&asked.token, *user_id).map_err(|rejection| Problem::from(rejection).at(position))?;
    Ok((*user_id, page))
}
