//! The waiting room: joining, the user's own token, leaving, and the public view of the room.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use domain::{Action, Arrive, Credential, IssueToken, LeaveRoom, Rejection, Seed, UserId};

use super::command::{self, BodyKind};
use super::contract;
use super::contract::schema::{body, id, may};
use super::contract::shapes::{QUEUE, TOKEN};
use super::problem::Problem;
use super::wire::TokenShown;
use super::{Api, DELETE, GET, Outcome, POST, PublicRoutes, chance, json, kinds, query};
use crate::identity::{Buyer, Identity};
use crate::key::token_hash;

/// Adds the routes, each with its description.
pub fn routes(routes: PublicRoutes) -> PublicRoutes {
    routes
        .route(
            POST,
            "/api/tokens",
            issue,
            contract::command("Joins the line. A user who joins again has the same place.")
                .of_identified()
                .may_take(body([may("userId", id())]))
                .answers_a(TOKEN)
                .may(&[&kinds::ROOM_FULL]),
        )
        .route(
            GET,
            "/api/tokens/me",
            mine,
            contract::query("Shows the token that was sent, as it is now.").of_holder().answers_a(TOKEN),
        )
        .route(
            DELETE,
            "/api/tokens/me",
            leave,
            contract::command("Leaves the line, or gives up the slot. Holds stay.").of_holder().answers_a(TOKEN),
        )
        .route(
            POST,
            "/api/tokens/me/arrival",
            arrive,
            contract::command("Says that the admitted user has arrived.").of_admitted().answers_a(TOKEN),
        )
        .route(
            GET,
            "/api/queue",
            queue,
            contract::query("Shows the state of the waiting room and its line.").answers_a(QUEUE).conditional(),
        )
}

/// The queue may be cached for a second, so that a million waiting clients cost one answer a second.
const QUEUE_CACHE: &str = "public, max-age=1";

/// `POST /api/tokens`: the user's token. A user who is in the room or in line gets the token that they have.
pub async fn issue(api: Arc<Api>, request: Request) -> Outcome {
    let identified = match &api.identity {
        None => None,
        Some(identity) => Some(buyer(identity, &api, request.headers()).await?),
    };
    let takes = if identified.is_some() { BodyKind::Optional } else { BodyKind::Json };
    command::by_whom_the_edge_knows(&api, request, takes, |asked| {
        let mut members = asked.members()?;
        // The identity provider has named the user, and the body may repeat it.
        let says_it_again = identified.is_none() || members.has("userId");
        let asked_for = if says_it_again { members.id("userId").map(Some) } else { Some(None) };
        let user_id: Option<UserId> = members.complete(asked_for)?;
        let by = identified.or(user_id.map(Credential::User)).ok_or(Rejection::NotYours)?;
        let seed = Seed::new(chance::bytes()?);
        let token_hash = token_hash(&api.key.token(&seed));
        Ok((by, Action::IssueToken(IssueToken { user_id, seed, token_hash })))
    })
    .await
}

/// Reads the user from the JWT.
async fn buyer(identity: &Identity, api: &Api, headers: &HeaderMap) -> Result<Credential, Problem> {
    let identified = identity.verify(headers, api.engine.now()).await?;
    Ok(match identified.buyer()? {
        Buyer::User(user_id) => Credential::User(user_id),
        Buyer::Subject { issuer, subject } => Credential::Subject(api.key.subject(&issuer, &subject)),
    })
}

/// `GET /api/tokens/me`: the sender's token, as it is now.
pub async fn mine(api: Arc<Api>, request: Request) -> Outcome {
    let nothing = |_: &_, _: &mut _| Ok(());
    query::by_holder(&api, request, nothing, |view, token, ()| {
        let text = api.token_text(token)?;
        Ok(json::answer(&TokenShown::of(token, text, &view.read_models, view.now)))
    })
    .await
}

/// `DELETE /api/tokens/me`: gives up the place or the slot.
pub async fn leave(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, BodyKind::Optional, |_| Ok(Action::LeaveRoom(LeaveRoom))).await
}

/// `POST /api/tokens/me/arrival`: an admitted user has arrived.
pub async fn arrive(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, BodyKind::Optional, |_| Ok(Action::Arrive(Arrive))).await
}

/// `GET /api/queue`: the room.
pub async fn queue(api: Arc<Api>, request: Request) -> Outcome {
    let nothing = |_: &_, _: &mut _| Ok(());
    query::by_anyone(&api, request, nothing, |view, ()| {
        Ok(view.conditional(QUEUE_CACHE, view.read_models.room().queue(view.now)))
    })
    .await
}
