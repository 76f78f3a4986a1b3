//! Seats, for operators: their status at any moment, and the story of one seat.

use axum::extract::Request;
use domain::{Position, ScheduleId, SeatId};
use projections::{ReadModels, SeatList};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::access::READS;
use super::contract::schema::{id, text, word};
use super::contract::shapes::{SEATS_AT, STORY};
use super::guarded::{Admitted, GuardedRoutes};
use super::log::unreadable;
use super::moments::{folded, turn};
use super::parameters::Parameters;
use super::problem::{Outcome, Problem};
use super::schedules::not_found;
use super::{GET, contract, json, kinds, paging};
use crate::past::{AsOf, Moment, SeatStory};

/// Adds the routes, each with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let of_schedule = |says| {
        contract::query(says)
            .needed_parameter("scheduleId", id(), "The schedule's id.")
            .may(&[&kinds::SCHEDULE_NOT_FOUND, &kinds::OVERLOADED])
    };
    routes
        .route(
            READS,
            GET,
            "/api/operations/seats",
            list,
            of_schedule("Lists the seats of a schedule, as they are now or as they were at an earlier moment.")
                .parameter("status", word(STATUSES), "Lists only the seats that have this status. `all`: every seat.")
                .parameter("asOf", text(), "The moment: a position, or a time (RFC 3339).")
                .answers_a(SEATS_AT),
        )
        .route(
            READS,
            GET,
            "/api/operations/why",
            why,
            of_schedule("Shows the history of a seat: who held it, when, and why it is free or taken.")
                .needed_parameter("seatId", id(), "The seat's id.")
                .answers_a(STORY)
                .may(&[&kinds::SEAT_NOT_FOUND]),
        )
}

/// The values of `status`: all seats, or those with one status.
const STATUSES: [&str; 5] = ["all", "AVAILABLE", "HELD", "SOLD", "CANCELLED"];

/// Seats as of one moment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SeatsShown<'a> {
    #[serde(flatten)]
    moment: Moment,
    concert_id: u64,
    schedule_id: ScheduleId,
    seats: &'a RawValue,
}

struct Asked {
    schedule_id: ScheduleId,
    status: Option<&'static str>,
    as_of: Option<AsOf>,
    min_position: Position,
}

/// `GET /api/operations/seats`.
pub async fn list(Admitted { api, request, .. }: Admitted) -> Outcome {
    let asked = asked(&request)?;
    let newest = api.engine.read_models_at(asked.min_position).await?;
    match asked.as_of {
        None => show(&newest, &asked),
        Some(as_of) => folded(&api, as_of, move |then| show(then, &asked)).await?,
    }
}

fn asked(request: &Request) -> Result<Asked, Problem> {
    let mut parameters = Parameters::of(request.uri());
    let min_position = parameters.min_position();
    let schedule_id = parameters.id("scheduleId");
    let status = parameters.word("status", &STATUSES);
    let as_of = parameters.read("asOf", "must be a position or a time (RFC 3339)", |text| text.parse().ok());
    let schedule_id = parameters.complete_with(schedule_id)?;
    Ok(Asked { schedule_id, status: status.filter(|status| *status != "all"), as_of, min_position })
}

fn show(read_models: &ReadModels, asked: &Asked) -> Outcome {
    let position = read_models.state.head.position;
    let schedule_id = asked.schedule_id;
    let list = read_models.seats_of(schedule_id).ok_or_else(|| not_found(schedule_id).at(position))?;
    let seats = seats(list, asked.status)?;
    let concert_id = list.concert_id().get();
    let shown = SeatsShown { moment: Moment::of(read_models), concert_id, schedule_id, seats: &seats };
    Ok(paging::at(position, json::answer(&shown)))
}

fn seats(list: SeatList<'_>, status: Option<&str>) -> Result<Box<RawValue>, Problem> {
    let unfit = |error: serde_json::Error| Problem::internal(&format!("a seat list is no JSON: {error}"));
    let all = list.all().body;
    let Some(status) = status else { return serde_json::from_slice(&all).map_err(unfit) };
    let mut seats: Vec<Value> = serde_json::from_slice(&all).map_err(unfit)?;
    seats.retain(|seat| seat["status"] == status);
    serde_json::value::to_raw_value(&seats).map_err(unfit)
}

/// `GET /api/operations/why`: who held a seat, when, and why it is free or taken.
pub async fn why(Admitted { api, request, .. }: Admitted) -> Outcome {
    let mut parameters = Parameters::of(request.uri());
    let min_position = parameters.min_position();
    let (schedule_id, seat_id) = (parameters.id::<ScheduleId>("scheduleId"), parameters.id::<SeatId>("seatId"));
    let (schedule_id, seat_id) = parameters.complete_with(schedule_id.zip(seat_id))?;
    let read_models = api.engine.read_models_at(min_position).await?;
    let position = read_models.state.head.position;
    if read_models.seats_of(schedule_id).is_none() {
        return Err(not_found(schedule_id).at(position));
    }
    let _turn = turn()?;
    let story = SeatStory::of(&api.log, schedule_id.get(), seat_id.get(), |_| {}).await;
    let story = story.map_err(|error| unreadable(&error))?;
    if story.steps.is_empty() {
        return Err(Problem::new(&kinds::SEAT_NOT_FOUND, format!("The schedule has no seat {seat_id}.")).at(position));
    }
    Ok(paging::at(story.moment.position, json::answer(&story)))
}
