//! The read models in SQL: their state, rebuild and repair.

use projections::sql::Part;

use super::access::{CHANGES, READS};
use super::command::{BodyKind, CommandRequest};
use super::contract::schema::{any_of, body, id, list as list_of, may, named};
use super::contract::shapes::{PROJECTION, REPAIRED};
use super::guarded::{Admitted, GuardedRoutes};
use super::parameters::Parameters;
use super::path::PathIds;
use super::problem::{FieldError, Outcome, Problem};
use super::{GET, POST, contract, json, kinds, paging};
use crate::projector::{Projector, RepairError, Standing};

/// Adds the routes, each with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    // These are not commands of the log: they have no idempotency keys and no `outcome-unknown`.
    let said = |says| contract::file(says, "application/json").at_a_position().may(&[&kinds::READ_MODEL_BEHIND]);
    let standings = || list_of(named(PROJECTION));
    routes
        .route(
            READS,
            GET,
            "/api/operations/projections",
            list,
            contract::query("Shows the state and the position of each read model in SQL.").answers(standings()),
        )
        .route(
            CHANGES,
            POST,
            "/api/operations/projections/{name}/rebuild",
            rebuild,
            said("Rebuilds a read model, or `all`. The answer comes when the new one serves.")
                .answers(any_of([named(PROJECTION), standings()]))
                .may(&[&kinds::PROJECTION_NOT_FOUND]),
        )
        .route(
            CHANGES,
            POST,
            "/api/operations/projections/{name}/repair",
            repair,
            said("Compares the rows of one user or one schedule with the log, and corrects them.")
                .takes(body([may("userId", id()), may("scheduleId", id())]))
                .answers_a(REPAIRED)
                .may(&[&kinds::PROJECTION_NOT_FOUND]),
        )
}

/// `GET /api/operations/projections`.
pub async fn list(Admitted { api, request, .. }: Admitted) -> Outcome {
    let mut parameters = Parameters::of(request.uri());
    let min_position = parameters.min_position();
    parameters.complete()?;
    let position = api.engine.read_models_at(min_position).await?.state.head.position;
    Ok(paging::at(position, json::answer(&standings(&api.projector).await?)))
}

/// `POST /api/operations/projections/{name}/rebuild`: it answers when the new table serves.
pub async fn rebuild(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let (mut parts, _) = request.into_parts();
    let path = PathIds::of(&mut parts).await;
    let name = path.text("name");
    let rebuilding = api.projector.rebuild(name).ok_or_else(not_found)?;
    tracing::info!("{} asked for the projection {name} to be rebuilt", operator.name.as_str());
    let built = rebuilding.done().await.map_err(|reason| {
        tracing::warn!("the projection {name} was not rebuilt: {reason}");
        let detail = format!("The projection was not rebuilt, and the old one serves as before: {reason}.");
        Problem::new(&kinds::READ_MODEL_BEHIND, detail)
    })?;
    let standings = standings(&api.projector).await?;
    match standings.iter().find(|standing| standing.projection == name) {
        Some(one) => Ok(paging::at(built, json::answer(one))),
        None => Ok(paging::at(built, json::answer(&standings))),
    }
}

/// `POST /api/operations/projections/{name}/repair`: corrects the rows of one user or one schedule.
pub async fn repair(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let name = asked.path.text("name");
    let mut members = asked.members()?;
    let is_of_a_user = members.has("userId") || !members.has("scheduleId");
    let member = if is_of_a_user { "userId" } else { "scheduleId" };
    let part = if is_of_a_user { members.id(member).map(Part::User) } else { members.id(member).map(Part::Schedule) };
    let part = members.complete(part)?;
    tracing::info!("{} asked for rows of the projection {name} to be repaired: {part:?}", operator.name.as_str());
    let repaired = api.projector.repair(name, part).await.map_err(|error| match error {
        RepairError::Unknown => not_found(),
        RepairError::NamesNone(_) => {
            let owner = if is_of_a_user { "user" } else { "schedule" };
            let message = format!("cannot be used here: no row of this projection belongs to one {owner}").into();
            Problem::invalid_request(&[FieldError { field: member.to_owned(), message }])
        }
        RepairError::Unfit(_)
        | RepairError::NoDatabase
        | RepairError::Database(_)
        | RepairError::NoRoom(_)
        | RepairError::Log(_)
        | RepairError::Undecodable { .. }
        | RepairError::Poison(_) => {
            tracing::warn!("rows of the projection {name} were not repaired: {error}");
            Problem::new(&kinds::READ_MODEL_BEHIND, format!("Nothing was repaired: {error}."))
        }
    })?;
    Ok(paging::at(repaired.position, json::answer(&repaired)))
}

fn not_found() -> Problem {
    Problem::new(&kinds::PROJECTION_NOT_FOUND, "There is no projection of this name.")
}

async fn standings(projector: &Projector) -> Result<Vec<Standing>, Problem> {
    projector.standings().await.map_err(|error| {
        tracing::warn!("the read models cannot be read: {error}");
        Problem::new(&kinds::READ_MODEL_BEHIND, "The read models cannot be read at the moment. Try again later.")
    })
}
