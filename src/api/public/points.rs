//! Wallets: charges and balances.

use std::sync::Arc;

use axum::extract::Request;
use domain::{Credential, OperatorName, UserId};

use super::command::{self, BodyKind};
use super::contract::shapes::{BALANCE, CHARGE};
use super::wire::BalanceShown;
use super::{Api, GET, Outcome, POST, PublicRoutes, charge, contract, json, kinds, own, query};
use crate::identity::Charging;

/// Adds the routes, each with its description.
pub fn routes(routes: PublicRoutes) -> PublicRoutes {
    routes
        .route(
            POST,
            "/api/users/{userId}/points/charge",
            charged,
            contract::command(
                "Adds points to the user's wallet. Under `--charge cashier` a role is needed, for any user's wallet.",
            )
            .of_owner()
            .or_of_staff(charge::CHARGES)
            .takes(charge::taken())
            .answers_a(CHARGE)
            .may(&[&kinds::BALANCE_LIMIT_REACHED, &kinds::USER_NOT_FOUND]),
        )
        .route(
            GET,
            "/api/users/{userId}/points/balance",
            balance,
            contract::query("Shows the balance of the user's wallet.").of_owner().answers_a(BALANCE),
        )
}

/// `POST /api/users/{userId}/points/charge`.
pub async fn charged(api: Arc<Api>, request: Request) -> Outcome {
    match (&api.identity, api.charging) {
        (Some(identity), Charging::Cashier) => {
            let identified = identity.verify(request.headers(), api.engine.now()).await?;
            let cashier = Credential::Operator(OperatorName::of_subject(identified.staff(charge::CHARGES)?));
            command::by_whom_the_edge_knows(&api, request, BodyKind::Json, |asked| Ok((cashier, charge::asked(asked)?)))
                .await
        }
        (None, _) | (Some(_), Charging::Own) => command::by_holder(&api, request, BodyKind::Json, charge::asked).await,
    }
}

/// `GET /api/users/{userId}/points/balance`.
pub async fn balance(api: Arc<Api>, request: Request) -> Outcome {
    let user = |path: &super::path::PathIds, _: &mut _| path.id::<UserId>("userId");
    query::by_holder(&api, request, user, |view, token, user_id| {
        own(token, user_id)?;
        Ok(json::answer(&BalanceShown { user_id, balance: view.read_models.state.wallets.balance(user_id) }))
    })
    .await
}
