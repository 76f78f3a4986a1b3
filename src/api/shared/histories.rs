//! Pages of a user's points, reservations and payments, from SQL.

use axum::http::Uri;
use domain::{Reservation, UserId};
use projections::sql;

use super::paging::{self, PageAsked};
use super::problem::{Outcome, Problem};
use super::query::{self, View};
use super::wire::{MovementShown, PaymentShown};
use crate::projector::Snapshot;

/// A page of the movements of a user's points.
///
/// # Errors
/// The snapshot cannot be read.
pub async fn points(mut snapshot: Snapshot, user_id: UserId, page: &PageAsked, uri: &Uri) -> Outcome {
    let found =
        sql::point_history::page(&mut snapshot.transaction, user_id, page.order, page.after, page.lines()).await;
    let found = found.map_err(query::unreadable(snapshot.position))?;
    let lines = found.into_iter().map(|movement| (movement.position.get(), MovementShown::from(movement))).collect();
    Ok(paging::at(snapshot.position, page.respond(uri, lines)))
}

/// A page of a user's reservations, as they stand in `view`.
///
/// # Errors
/// The snapshot cannot be read.
pub async fn reservations(
    mut snapshot: Snapshot,
    user_id: UserId,
    page: &PageAsked,
    uri: &Uri,
    view: &View,
) -> Outcome {
    let found = sql::reservations::page(&mut snapshot.transaction, user_id, page.after, page.lines()).await;
    let found = found.map_err(query::unreadable(snapshot.position))?;
    let line = |found: &Reservation| Ok((found.hold.reservation_id.get(), view.reservation(found)?));
    let lines = found.iter().map(line).collect::<Result<_, Problem>>()?;
    Ok(paging::at(snapshot.position, page.respond(uri, lines)))
}

/// A page of a user's payments.
///
/// # Errors
/// The snapshot cannot be read.
pub async fn payments(mut snapshot: Snapshot, user_id: UserId, page: &PageAsked, uri: &Uri) -> Outcome {
    let found = sql::payments::page(&mut snapshot.transaction, user_id, page.after, page.lines()).await;
    let found = found.map_err(query::unreadable(snapshot.position))?;
    let lines = found.into_iter().map(|payment| (payment.payment_id.get(), PaymentShown::from(payment))).collect();
    Ok(paging::at(snapshot.position, page.respond(uri, lines)))
}
