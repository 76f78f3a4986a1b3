//! Wallets: charging, and what one holds.

use std::sync::Arc;

use axum::extract::Request;
use domain::limits::MAX_CHARGE;
use domain::{Action, ChargePoints, Points, UserId};

use super::command::{self, Body};
use super::wire::BalanceShown;
use super::{Api, Outcome, json, own, query};

/// `POST /api/users/{userId}/points/charge`.
pub async fn charge(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, Body::Json, |asked| {
        let user_id = asked.path.id("userId")?;
        let mut members = asked.members()?;
        let amount = members.integer("amount", 1..=MAX_CHARGE.get());
        let amount = members.complete(amount.map(Points::new))?;
        Ok(Action::ChargePoints(ChargePoints { user_id, amount }))
    })
    .await
}

/// `GET /api/users/{userId}/points/balance`.
pub async fn balance(api: Arc<Api>, request: Request) -> Outcome {
    let user = |path: &super::path::PathIds, _: &mut _| path.id::<UserId>("userId");
    query::by_holder(&api, request, user, |view, token, user_id| {
        own(token, user_id)?;
        Ok(json::answer(&BalanceShown { user_id, balance: view.read_models.balances.balance(user_id) }))
    })
    .await
}
