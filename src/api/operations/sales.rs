//! The sales of every schedule.

use projections::sql::sales;
use tokio::time::Instant;

use super::access::READS;
use super::contract::schema::{list, named};
use super::contract::shapes::SCHEDULE_SALES;
use super::guarded::{Admitted, GuardedRoutes};
use super::parameters::Parameters;
use super::problem::Outcome;
use super::query::unreadable;
use super::{GET, contract, json, paging};
use crate::engine::MAX_WAIT;

/// Adds the route with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let sales = contract::query("Lists the sales of every schedule.").answers(list(named(SCHEDULE_SALES)));
    routes.route(READS, GET, "/api/operations/sales", all, sales)
}

/// `GET /api/operations/sales`: every schedule's sales.
pub async fn all(Admitted { api, request, .. }: Admitted) -> Outcome {
    let mut parameters = Parameters::of(request.uri());
    let min_position = parameters.min_position();
    parameters.complete()?;
    let mut snapshot = api.projector.snapshot(&sales::MODEL, min_position, Instant::now() + MAX_WAIT).await?;
    let shown = sales::all(&mut snapshot.transaction).await.map_err(unreadable(snapshot.position))?;
    Ok(paging::at(snapshot.position, json::answer(&shown)))
}
