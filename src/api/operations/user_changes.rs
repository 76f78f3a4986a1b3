//! Changes of a user by operators and cashiers: points, the token, and registration.

use domain::limits::MAX_ADJUSTMENT;
use domain::{Action, AdjustPoints, Answer, ExpelUser, Hash, MAX_SAFE_INTEGER, Position, RegisterUser, UserId};

use super::access::{CHANGES, Operator};
use super::api::Api;
use super::command::{self, BodyKind, CommandRequest, Told};
use super::contract::schema::{body, id, may, needs, signed_up_to, text_up_to};
use super::contract::shapes::{CHARGE, USER};
use super::guarded::{Admitted, GuardedRoutes};
use super::log::unreadable;
use super::parameters::Parameters;
use super::path::PathIds;
use super::problem::{FieldError, Outcome, Problem};
use super::users::seen;
use super::{GET, POST, charge, contract, json, kinds, moments, query, reason};

/// The longest `sub` that a JWT can have.
const MAX_SUBJECT_CHARACTERS: usize = 8_192;

/// Adds the routes, each with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let of_user = |says| contract::command(says).may(&[&kinds::USER_NOT_FOUND]);
    let name = || text_up_to(MAX_SUBJECT_CHARACTERS);
    let adjusted = body([needs("amount", signed_up_to(MAX_ADJUSTMENT)), reason(), may("corrects", id())]);
    routes
        .route(
            charge::CHARGES,
            GET,
            "/api/operations/users",
            find,
            contract::query("Finds a user by their subject (`sub`) at the identity provider.")
                .needed_parameter("sub", name(), "The value of `sub` in the user's JWT.")
                .answers_a(USER)
                .may(&[&kinds::USER_NOT_FOUND]),
        )
        .route(
            charge::CHARGES,
            POST,
            "/api/operations/users",
            register,
            contract::command(
                "Registers a user by their subject (`sub`) at the identity provider, before a first visit.",
            )
            .takes(body([needs("sub", name())]))
            .answers_a(USER),
        )
        .route(
            charge::CHARGES,
            POST,
            "/api/operations/users/{userId}/charges",
            charged,
            of_user("Charges a user's wallet: adds points that were paid for.")
                .takes(charge::taken())
                .answers_a(CHARGE)
                .may(&[&kinds::BALANCE_LIMIT_REACHED]),
        )
        .route(
            CHANGES,
            POST,
            "/api/operations/users/{userId}/adjustments",
            adjust,
            of_user("Corrects a user's wallet.")
                .takes(adjusted)
                .answers_a(USER)
                .may(&[&kinds::INSUFFICIENT_POINTS, &kinds::BALANCE_LIMIT_REACHED]),
        )
        .route(
            CHANGES,
            POST,
            "/api/operations/users/{userId}/expulsion",
            expel,
            of_user("Ends a user's token.").takes(body([reason()])).answers_a(USER),
        )
}

/// `POST /api/operations/users/{userId}/adjustments`: corrects a balance.
pub async fn adjust(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let user_id = asked.path.id("userId")?;
    let mut members = asked.members()?;
    let amount = members.movement("amount", MAX_ADJUSTMENT);
    let reason = members.reason();
    let corrects = members.optional("corrects", |members, field| members.integer(field, 1..=MAX_SAFE_INTEGER));
    let adjust =
        || Some(AdjustPoints { user_id, amount: amount?, reason: reason?, corrects: corrects?.map(Position::new) });
    let adjust = members.complete(adjust())?;
    if let Some(position) = adjust.corrects {
        must_have_moved(&api, position, user_id).await?;
    }
    decide(&api, &operator, &asked, user_id, Action::AdjustPoints(adjust)).await
}

/// Fails unless the event at `position` moved points of the user.
async fn must_have_moved(api: &Api, position: Position, user_id: UserId) -> Result<(), Problem> {
    let record = api.log.record(position).await.map_err(|error| unreadable(&error))?;
    let event = record.and_then(|record| record.decode().ok()).map(|recorded| recorded.event);
    if event.is_some_and(|event| event.moves_points_of(user_id)) {
        return Ok(());
    }
    let message = "must be the position of a movement of this user's points".into();
    Err(Problem::invalid_request(&[FieldError { field: "corrects".to_owned(), message }]))
}

/// `POST /api/operations/users/{userId}/charges`: money came in.
pub async fn charged(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    command::decide(&api, operator.credential(), &asked, charge::asked(&asked)?).await
}

/// `POST /api/operations/users/{userId}/expulsion`: ends the user's token.
pub async fn expel(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let user_id = asked.path.id("userId")?;
    let mut members = asked.members()?;
    let reason = members.reason();
    let expel = members.complete(reason.map(|reason| ExpelUser { user_id, reason }))?;
    decide(&api, &operator, &asked, user_id, Action::ExpelUser(expel)).await
}

/// Lets the engine decide, and answers the user as they are then.
async fn decide(api: &Api, operator: &Operator, asked: &CommandRequest, user_id: UserId, action: Action) -> Outcome {
    let (told, _) = command::decided(api, operator.credential(), asked, action).await?;
    told_of(api, &told, user_id).await
}

/// Answers the user as they are after a change.
async fn told_of(api: &Api, told: &Told, user_id: UserId) -> Outcome {
    let shown = moments::after(api, told, move |read_models, now| {
        Ok::<_, Problem>(json::answer(&seen(user_id, read_models, now)?))
    });
    Ok(told.told(shown.await??))
}

/// `GET /api/operations/users?sub=`: the user of an identity provider's subject.
pub async fn find(Admitted { api, request, .. }: Admitted) -> Outcome {
    let sub = |_: &PathIds, parameters: &mut Parameters| {
        let sub = parameters.text("sub", MAX_SUBJECT_CHARACTERS);
        Ok(sub.and_then(|sub| subject(&api, &sub)))
    };
    query::by_anyone(&api, request, sub, |view, subject| {
        let unknown = || Problem::new(&kinds::USER_NOT_FOUND, "No user of this server has this `sub`.");
        let user_id =
            subject.and_then(|subject| view.read_models.state.users.of_subject(&subject)).ok_or_else(unknown)?;
        Ok(json::answer(&seen(user_id, &view.read_models, view.now)?))
    })
    .await
}

/// `POST /api/operations/users`: the user of an identity provider's subject, who is registered if they are new.
pub async fn register(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let mut members = asked.members()?;
    let sub = members.text("sub", MAX_SUBJECT_CHARACTERS);
    let subject = sub.map(|sub| subject(&api, &sub));
    if subject == Some(None) {
        members.refuse("sub", "cannot be used on this server: its users have ids, and no `sub`");
    }
    let register = members.complete(subject.flatten().map(|subject| RegisterUser { subject }))?;
    let action = Action::RegisterUser(register);
    let (told, answer) = command::decided(&api, operator.credential(), &asked, action).await?;
    let Answer::User(user_id) = answer else {
        return Err(Problem::internal("a registration was answered with something else"));
    };
    told_of(&api, &told, user_id).await
}

/// The form of a `sub` in the log. `None` if users have ids of their own.
fn subject(api: &Api, sub: &str) -> Option<Hash> {
    let identity = api.identity.as_ref().filter(|identity| !identity.has_user_ids())?;
    Some(api.key.subject(identity.first_issuer(), sub))
}
