//! One user, as those see them who run the sale.

use axum::extract::Request;
use domain::{Position, ReservationStatus, Timestamp, Token, UserId};
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
use super::parameters::{MAX_PAGE, Parameters};
use super::path::PathIds;
use super::problem::{Outcome, Problem};
use super::query::{self, SqlQuery};
use super::wire::{ReservationShown, TokenShown};
use super::{GET, contract, histories, json, kinds, paging};
use crate::projector::Snapshot;

/// The routes, and what each says.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let of_user = |says| contract::query(says).may(&[&kinds::USER_NOT_FOUND]);
    routes
        .route(READS, GET, "/api/operations/users/{userId}", one, of_user("Shows a user.").answers_a(USER))
        .route(
            READS,
            GET,
            "/api/operations/users/{userId}/points/history",
            points,
            of_user("Lists what moved a user's points.").answers_a_page_of(MOVEMENT).in_either_order(),
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
struct UserShown<'a> {
    user_id: UserId,
    balance: u64,
    token: Option<Value>,
    reservations: Vec<ReservationShown<'a>>,
}

/// A token without its text, which is its holder's alone.
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
    let asked = query::sql_by_anyone(&api, request, |path, _| path.id::<UserId>("userId")).await?;
    let (user_id, view) = (asked.what, &asked.view);
    let mut snapshot = asked.snapshot(&api.projector, &sql::reservations::MODEL).await?;
    let (position, most) = (snapshot.position, MAX_PAGE);
    let found = sql::reservations::page(&mut snapshot.transaction, user_id, None, most).await;
    let found = found.map_err(query::unreadable(position))?;
    if found.is_empty() && !is_known(&view.read_models, user_id) {
        return Err(not_found(user_id, position));
    }
    let is_live = |status| matches!(status, ReservationStatus::Held | ReservationStatus::Paid);
    let live = found.iter().filter(|reservation| is_live(reservation.status_at(view.sale_time())));
    let shown = UserShown {
        user_id,
        balance: view.read_models.balances.balance(user_id).get(),
        token: view
            .read_models
            .room
            .room()
            .latest_of(user_id)
            .map(|token| token_seen(token, &view.read_models, view.now)),
        reservations: live.map(|reservation| view.reservation(reservation)).collect::<Result<_, _>>()?,
    };
    Ok(paging::at(position, json::answer(&shown)))
}

/// Whether the user has a wallet or a token.
fn is_known(read_models: &ReadModels, user_id: UserId) -> bool {
    read_models.balances.has(user_id) || read_models.room.room().latest_of(user_id).is_some()
}

fn not_found(user_id: UserId, position: Position) -> Problem {
    Problem::new(&kinds::USER_NOT_FOUND, format!("There is no user {user_id}.")).at(position)
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

/// Reads which page of a user's is asked for, and finds its rows. There must be such a user.
async fn page(
    api: &Api,
    request: Request,
    model: &SqlModel,
    page: impl FnOnce(&mut Parameters) -> PageAsked,
) -> Result<(SqlQuery<(UserId, PageAsked)>, Snapshot), Problem> {
    let parse = |path: &PathIds, parameters: &mut Parameters| Ok((path.id("userId")?, page(parameters)));
    let asked = query::sql_by_anyone(api, request, parse).await?;
    let user_id = asked.what.0;
    if !is_known(&asked.view.read_models, user_id) {
        let mut reserved = asked.snapshot(&api.projector, &sql::reservations::MODEL).await?;
        let any = sql::reservations::page(&mut reserved.transaction, user_id, None, 1).await;
        if any.map_err(query::unreadable(reserved.position))?.is_empty() {
            return Err(not_found(user_id, reserved.position));
        }
    }
    let snapshot = asked.snapshot(&api.projector, model).await?;
    Ok((asked, snapshot))
}
