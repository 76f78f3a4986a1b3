//! One user, for operators.

use axum::extract::Request;
use domain::{Rejection, ReservationStatus, Timestamp, Token, UserId};
use projections::ReadModels;
use projections::sql::{self, SqlModel};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::access::READS;
use super::api::Api;
use super::contract::shapes::{MOVEMENT, PAYMENT, RESERVATION, USER};
use super::guarded::{Admitted, GuardedRoutes};
use super::paging::PageAsked;
use super::parameters::Parameters;
use super::path::PathIds;
use super::problem::{Outcome, Problem};
use super::query::{self, SqlQuery};
use super::wire::{ReservationShown, TokenShown};
use super::{GET, contract, histories, json, kinds, paging};
use crate::projector::Snapshot;

/// Adds the routes, each with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let of_user = |says| contract::query(says).may(&[&kinds::USER_NOT_FOUND]);
    routes
        .route(READS, GET, "/api/operations/users/{userId}", one, of_user("Shows a user.").answers_a(USER))
        .route(
            READS,
            GET,
            "/api/operations/users/{userId}/points/history",
            points,
            of_user("Lists the movements of a user's points.").answers_a_page_of(MOVEMENT).in_either_order(),
        )
        .route(
            READS,
            GET,
            "/api/operations/users/{userId}/reservations",
            reservations,
            of_user("Lists a user's reservations.").answers_a_page_of(RESERVATION),
        )
        .route(
            READS,
            GET,
            "/api/operations/users/{userId}/payments",
            payments,
            of_user("Lists a user's payments.").answers_a_page_of(PAYMENT),
        )
}

/// A user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserShown<'a> {
    user_id: UserId,
    balance: u64,
    token: Option<Value>,
    reservations: Vec<ReservationShown<'a>>,
}

/// Shows the user as they are in `read_models` at `now`, with their live reservations, the newest first.
///
/// # Errors
/// The catalogue does not have a reserved seat; this cannot happen.
pub fn seen(user_id: UserId, read_models: &ReadModels, now: Timestamp) -> Result<UserShown<'_>, Problem> {
    let room = &read_models.state.room;
    let sale_now = room.sale_time(now);
    let with_status = read_models.state.reservations_of(user_id, now).map(|found| (found, found.status_at(sale_now)));
    let is_live = |status| matches!(status, ReservationStatus::Held | ReservationStatus::Paid);
    let live = with_status.filter(|(_, status)| is_live(*status));
    let shown = live.map(|(found, status)| ReservationShown::of(found, status, read_models, now));
    let reservations =
        shown.collect::<Option<_>>().ok_or_else(|| Problem::internal("a reserved seat is in no list"))?;
    Ok(UserShown {
        user_id,
        balance: read_models.state.wallets.balance(user_id).get(),
        token: room.latest_of(user_id).map(|token| token_seen(token, read_models, now)),
        reservations,
    })
}

/// Shows a token without its text, which only its user may know.
fn token_seen(token: &Token, read_models: &ReadModels, now: Timestamp) -> Value {
    let shown = TokenShown::of(token, Uuid::nil(), read_models, now);
    let mut seen = serde_json::to_value(shown).expect("answers hold only what JSON can say");
    if let Value::Object(members) = &mut seen {
        members.remove("token");
    }
    seen
}

/// `GET /api/operations/users/{userId}`.
pub async fn one(Admitted { api, request, .. }: Admitted) -> Outcome {
    let mut asked = query::sql_by_anyone(&api, request, |path, _| path.id::<UserId>("userId")).await?;
    let user_id = asked.what;
    must_be_known(&api, &mut asked, user_id).await?;
    let view = &asked.view;
    Ok(paging::at(view.read_models.state.head.position, json::answer(&seen(user_id, &view.read_models, view.now)?)))
}

/// Fails if the user is not known: on this node, on another node, or in the table of reservations, which also has very
/// old ones.
async fn must_be_known<T>(api: &Api, asked: &mut SqlQuery<T>, user_id: UserId) -> Result<(), Problem> {
    if is_known(&asked.view.read_models, user_id) {
        return Ok(());
    }
    api.renew(&mut asked.view).await?;
    if is_known(&asked.view.read_models, user_id) {
        return Ok(());
    }
    let mut reserved = asked.snapshot(&api.projector, &sql::reservations::MODEL).await?;
    let any = sql::reservations::page(&mut reserved.transaction, user_id, None, 1).await;
    if any.map_err(query::unreadable(reserved.position))?.is_empty() {
        return Err(Problem::from(Rejection::UserNotFound { user_id }).at(reserved.position));
    }
    Ok(())
}

/// True if the user was registered, or has a wallet or a token.
fn is_known(read_models: &ReadModels, user_id: UserId) -> bool {
    read_models.state.knows(user_id)
}

/// `GET /api/operations/users/{userId}/points/history`.
pub async fn points(Admitted { api, request, .. }: Admitted) -> Outcome {
    let uri = request.uri().clone();
    let (asked, snapshot) = page(&api, request, &sql::point_history::MODEL, PageAsked::of_either_order).await?;
    let (user_id, page) = &asked.what;
    histories::points(snapshot, *user_id, page, &uri).await
}

/// `GET /api/operations/users/{userId}/reservations`.
pub async fn reservations(Admitted { api, request, .. }: Admitted) -> Outcome {
    let uri = request.uri().clone();
    let (asked, snapshot) = page(&api, request, &sql::reservations::MODEL, PageAsked::of).await?;
    let (user_id, page) = &asked.what;
    histories::reservations(snapshot, *user_id, page, &uri, &asked.view).await
}

/// `GET /api/operations/users/{userId}/payments`.
pub async fn payments(Admitted { api, request, .. }: Admitted) -> Outcome {
    let uri = request.uri().clone();
    let (asked, snapshot) = page(&api, request, &sql::payments::MODEL, PageAsked::of).await?;
    let (user_id, page) = &asked.what;
    histories::payments(snapshot, *user_id, page, &uri).await
}

/// Reads the request of a user's page, and opens its rows. The user must be known.
async fn page(
    api: &Api,
    request: Request,
    model: &SqlModel,
    page: impl FnOnce(&mut Parameters) -> PageAsked,
) -> Result<(SqlQuery<(UserId, PageAsked)>, Snapshot), Problem> {
    let parse = |path: &PathIds, parameters: &mut Parameters| Ok((path.id("userId")?, page(parameters)));
    let mut asked = query::sql_by_anyone(api, request, parse).await?;
    let user_id = asked.what.0;
    must_be_known(api, &mut asked, user_id).await?;
    let snapshot = asked.snapshot(&api.projector, model).await?;
    Ok((asked, snapshot))
}
