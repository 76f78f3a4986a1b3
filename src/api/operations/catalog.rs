//! Imports a catalogue while the sale goes on: it answers the plan, or carries out the whole import.

use axum::response::Response;
use domain::{Action, ImportCatalogue, ImportEnd, Position, Record, RecordedEvent};
use serde::Serialize;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::access::{CHANGES, Operator};
use super::api::Api;
use super::command::{BodyKind, CommandRequest, Told, decided};
use super::contract::schema::{any_of, named, text_up_to, word};
use super::contract::shapes::{IMPORTED, PLAN};
use super::guarded::{Admitted, GuardedRoutes};
use super::log::unreadable;
use super::problem::{Outcome, Problem};
use super::{MAX_REASON_CHARACTERS, POST, contract, json, kinds};
use crate::catalog::{self, Added, CSV, JSON, Options, Order, Plan, PlanShown};
use crate::engine::Reply;
use crate::logging;

/// Adds the route with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let flag = || word(["true", "false"]);
    let import_said = contract::command("Imports a catalogue file of up to 64 MiB, completely or not at all.")
        .takes_a_file(&[JSON, CSV])
        .parameter(
            "reason",
            text_up_to(MAX_REASON_CHARACTERS),
            "The reason for the change. It stays in the log for ever.",
        )
        .parameter("dryRun", flag(), "Only answers what would be imported.")
        .parameter("new", flag(), "Imports as new what looks like a correction of a published concert or schedule.")
        .answers(any_of([named(IMPORTED), named(PLAN)]))
        .may(&[&kinds::CATALOG_CONFLICT]);
    routes.route(CHANGES, POST, "/api/operations/catalog", import, import_said)
}

/// Only one file is read, planned and carried out at a time, since that needs many times its size in memory.
static TURN: Mutex<()> = Mutex::const_new(());
/// Records that are read at once to find what an import has added.
const CHUNK: u64 = 1_000;

/// The answer of an import.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Imported {
    /// Null if no schedule became visible by it.
    import_id: Option<Uuid>,
    added: Added,
}

/// `POST /api/operations/catalog`.
pub async fn import(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let turn = TURN.lock().await;
    let asked = CommandRequest::read(request, BodyKind::Catalog).await?;
    let mut parameters = asked.parameters();
    let is_dry_run = parameters.flag("dryRun");
    let options = Options { is_new: parameters.flag("new") };
    let reason = if parameters.has("reason") { parameters.shown_text("reason", MAX_REASON_CHARACTERS) } else { None };
    parameters.allow_only(&["dryRun", "new", "reason"]);
    parameters.complete()?;
    if is_dry_run {
        let (position, plan) = plan(&api, &asked, options).await?;
        return Ok(Told::of(position).told(json::answer(&PlanShown::of(&plan))));
    }
    if let Some(first) = first_answer(&api, &operator, &asked).await? {
        return Ok(first);
    }
    carry_out(&api, &operator, &asked, options, reason, turn).await
}

/// Makes the plan. Returns also the position of the catalogue with which the file was compared.
async fn plan(api: &Api, asked: &CommandRequest, options: Options) -> Result<(Position, Plan), Problem> {
    let seen = api.engine.read_models();
    let newer = api.engine.newer_read_models(seen.state.head.position).await;
    let newest = newer.map_err(|why| Problem::from(why).at(seen.state.head.position))?.unwrap_or(seen);
    let (position, bytes, now) = (newest.state.head.position, asked.body().clone(), api.engine.now_at(&newest));
    let planning = tokio::task::spawn_blocking(move || catalog::plan(&bytes, &newest.state.catalogue, options, now));
    let plan = planning.await.map_err(|error| Problem::internal(&format!("a plan failed: {error}")))?;
    Ok((position, plan.map_err(|error| Problem::from(error).at(position))?))
}

async fn carry_out(
    api: &Api,
    operator: &Operator,
    asked: &CommandRequest,
    options: Options,
    reason: Option<String>,
    turn: MutexGuard<'static, ()>,
) -> Outcome {
    let (seen, plan) = plan(api, asked, options).await?;
    let imported = Imported { import_id: plan.import_id(), added: plan.added() };
    let (by, idempotency, request_id) = (operator.credential(), asked.idempotency(), logging::request_id());
    let order = Order { by, reason, idempotency, request_id };
    let engine = api.engine.clone();
    // Spawned, because an import that has begun is finished even if the client closes its connection.
    let importing = tokio::spawn(async move {
        let _turn = turn;
        catalog::publish(&engine, plan, order).await
    });
    let done = importing.await.map_err(|error| Problem::internal(&format!("an import failed: {error}")))?;
    match done.map_err(|error| Problem::from(error).at(api.engine.read_models().state.head.position))? {
        None => Ok(Told::of(seen).told(json::answer(&imported))),
        Some(Reply { position, replayed: false, .. }) => Ok(Told::of(position).told(json::answer(&imported))),
        Some(Reply { position, .. }) => Ok(Told::again(position).told(json::answer(&told(api, position).await?))),
    }
}

/// Finds the first answer to a repeated request. For that it sends an import of nothing with the key, which writes
/// nothing.
async fn first_answer(api: &Api, by: &Operator, asked: &CommandRequest) -> Result<Option<Response>, Problem> {
    if asked.idempotency().is_none() {
        return Ok(None);
    }
    let end = ImportEnd { import_id: None, reason: None };
    let nothing = Action::ImportCatalogue(ImportCatalogue { parts: Vec::new(), end: Some(end) });
    let (found, _) = decided(api, by.credential(), asked, nothing).await?;
    if !found.replayed {
        return Ok(None);
    }
    let imported = told(api, found.position).await?;
    Ok(Some(found.told(json::answer(&imported))))
}

/// Finds what the import that ended at `position` has added. Its last event counts schedules and seats; the records
/// before it show the concerts.
async fn told(api: &Api, position: Position) -> Result<Imported, Problem> {
    let ends = records(api, position.get() - 1, position.get()).await?;
    let end = ends.first().and_then(|end| Some((end.event.catalog_imported()?, end.metadata.correlation_id)));
    let (end, import) = end.ok_or_else(|| Problem::internal("an import does not end with its own event"))?;
    let (mut concerts, mut reached) = (0, position.get());
    loop {
        let after = reached.saturating_sub(CHUNK);
        let mut of_it = records(api, after, reached).await?;
        of_it.retain(|record| record.metadata.correlation_id == import);
        concerts += of_it.iter().filter(|record| record.event.event_type() == "ConcertPublished").count();
        // The records of an import stand close together, so a chunk without any of them ends the search.
        if after == 0 || of_it.is_empty() {
            break;
        }
        reached = after;
    }
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let added = Added { concerts, schedules: count(end.schedules), seats: count(end.seats) };
    Ok(Imported { import_id: end.import_id, added })
}

/// Reads the records after `after` up to `until`.
async fn records(api: &Api, after: u64, until: u64) -> Result<Vec<RecordedEvent>, Problem> {
    let count = usize::try_from(until - after).unwrap_or(usize::MAX);
    let records = api.log.read(Position::new(after), count).await.map_err(|error| unreadable(&error))?;
    let decoded = records.iter().map(Record::decode).collect::<Result<_, _>>();
    decoded.map_err(|error| Problem::internal(&error.to_string()))
}
