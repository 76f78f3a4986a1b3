//! One schedule, for operators: its state, and changes of its times and prices, and its call-off.

use domain::limits::MAX_SEAT_PRICE;
use domain::{Action, CancelSchedule, ChangePrice, ChangeSchedule, ConcertId, NewStart, Points, ScheduleId, Timestamp};
use projections::{CancelledView, ReadModels, SeatList, ZoneShown, serialize_rfc3339};
use serde::Serialize;

use super::access::{CHANGES, Operator, READS};
use super::api::Api;
use super::command::{self, BodyKind, CommandRequest};
use super::contract::schema::{body, integer, may, needs, text_up_to, time};
use super::contract::shapes::SCHEDULE;
use super::guarded::{Admitted, GuardedRoutes};
use super::members::{MAX_ZONE_NAME_CHARACTERS, Members};
use super::path::PathIds;
use super::problem::{Outcome, Problem};
use super::{GET, PATCH, POST, contract, json, kinds, moments, query, reason};
use crate::catalog::venue_clock;

/// Adds the routes, each with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let retimed = body([may("saleOpensAt", time()), may("saleClosesAt", time()), may("startsAt", time()), reason()]);
    let priced = body([
        needs("zoneName", text_up_to(MAX_ZONE_NAME_CHARACTERS)),
        needs("price", integer(0..=MAX_SEAT_PRICE.get())),
        reason(),
    ]);
    let changes = |says| contract::command(says).answers_a(SCHEDULE).may(&[&kinds::SCHEDULE_NOT_FOUND]);
    let shows = contract::query("Shows a schedule.").answers_a(SCHEDULE).may(&[&kinds::SCHEDULE_NOT_FOUND]);
    routes
        .route(READS, GET, "/api/operations/schedules/{scheduleId}", one, shows)
        .route(
            CHANGES,
            PATCH,
            "/api/operations/schedules/{scheduleId}",
            retime,
            changes("Changes when the sale opens or closes, or when the show starts.")
                .takes(retimed)
                .may(&[&kinds::SCHEDULE_CANCELLED, &kinds::SCHEDULE_OVER]),
        )
        .route(
            CHANGES,
            PATCH,
            "/api/operations/schedules/{scheduleId}/prices",
            reprice,
            changes("Changes the price of the free seats of a zone.")
                .takes(priced)
                .may(&[&kinds::ZONE_NOT_FOUND, &kinds::SCHEDULE_CANCELLED]),
        )
        .route(
            CHANGES,
            POST,
            "/api/operations/schedules/{scheduleId}/cancel",
            call_off,
            changes("Calls the show off.").takes(body([reason()])).may(&[&kinds::SCHEDULE_OVER]),
        )
}

/// A schedule.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScheduleShown<'a> {
    schedule_id: ScheduleId,
    concert_id: ConcertId,
    /// The date and time at the venue.
    concert_date: &'a str,
    concert_time: &'a str,
    time_zone: &'a str,
    #[serde(serialize_with = "serialize_rfc3339")]
    starts_at: Timestamp,
    #[serde(serialize_with = "serialize_rfc3339")]
    sale_opens_at: Timestamp,
    #[serde(serialize_with = "serialize_rfc3339")]
    sale_closes_at: Timestamp,
    seats_per_user: u8,
    zones: Vec<ZoneShown<'a>>,
    /// Null if the show was not called off.
    cancelled: Option<CancelledShown<'a>>,
}

/// The call-off of a show, with the number of holds and payments that are not given back yet.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelledShown<'a> {
    #[serde(serialize_with = "serialize_rfc3339")]
    at: Timestamp,
    reason: &'a str,
    holds_left: usize,
    payments_left: usize,
    refunded: u64,
}

impl<'a> CancelledShown<'a> {
    fn of(cancelled: &'a CancelledView, seats: SeatList<'_>) -> Self {
        let (holds_left, payments_left) = seats.holds_and_payments();
        let CancelledView { at, reason, refunded } = cancelled;
        Self { at: *at, reason, holds_left, payments_left, refunded: *refunded }
    }
}

/// Makes the problem of an unknown schedule.
pub fn not_found(schedule_id: ScheduleId) -> Problem {
    Problem::new(&kinds::SCHEDULE_NOT_FOUND, format!("There is no schedule {schedule_id}."))
}

/// Answers the schedule as it is in `read_models`.
fn shown(read_models: &ReadModels, schedule_id: ScheduleId) -> Outcome {
    let (schedule, seats) = read_models.schedule(schedule_id).ok_or_else(|| not_found(schedule_id))?;
    Ok(json::answer(&ScheduleShown {
        schedule_id,
        concert_id: schedule.concert_id,
        concert_date: &schedule.local_date,
        concert_time: &schedule.local_time,
        time_zone: &schedule.time_zone,
        starts_at: schedule.starts_at,
        sale_opens_at: schedule.sale_opens_at,
        sale_closes_at: schedule.sale_closes_at,
        seats_per_user: schedule.seats_per_user,
        zones: seats.zones(),
        cancelled: schedule.cancelled.as_ref().map(|cancelled| CancelledShown::of(cancelled, seats)),
    }))
}

/// `GET /api/operations/schedules/{scheduleId}`.
pub async fn one(Admitted { api, request, .. }: Admitted) -> Outcome {
    let schedule = |path: &PathIds, _: &mut _| path.id::<ScheduleId>("scheduleId");
    query::by_anyone(&api, request, schedule, |view, schedule_id| shown(&view.read_models, schedule_id)).await
}

/// `PATCH /api/operations/schedules/{scheduleId}`: changes the times of the sale, the show, or both.
pub async fn retime(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    const TIMES: [&str; 3] = ["saleOpensAt", "saleClosesAt", "startsAt"];
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let schedule_id = asked.path.id("scheduleId")?;
    let mut members = asked.members()?;
    if !TIMES.iter().any(|time| members.has(time)) {
        members.refuse(TIMES[0], "is missing: `saleOpensAt`, `saleClosesAt` or `startsAt` is needed");
    }
    let [opens_at, closes_at, starts_at] = TIMES.map(|time| members.optional(time, Members::time));
    let reason = members.reason();
    let made = || Some((opens_at?, closes_at?, starts_at?, reason?));
    let (sale_opens_at, sale_closes_at, starts_at, reason) = members.complete(made())?;
    let start = match starts_at {
        Some(starts_at) => Some(at_the_venue(&api, schedule_id, starts_at).await?),
        None => None,
    };
    let change = ChangeSchedule { schedule_id, sale_opens_at, sale_closes_at, start, reason };
    decide(&api, &operator, &asked, schedule_id, Action::ChangeSchedule(change)).await
}

/// Adds the venue's date and time to a start. An unknown schedule may be known to another node, so the read models are
/// renewed first.
async fn at_the_venue(api: &Api, schedule_id: ScheduleId, starts_at: Timestamp) -> Result<NewStart, Problem> {
    let mut read_models = api.engine.read_models();
    if read_models.schedule(schedule_id).is_none() {
        let newer = api.engine.newer_read_models(read_models.state.head.position).await;
        read_models =
            newer.map_err(|why| Problem::from(why).at(read_models.state.head.position))?.unwrap_or(read_models);
    }
    let position = read_models.state.head.position;
    let schedule = read_models.schedule(schedule_id).ok_or_else(|| not_found(schedule_id).at(position))?.0;
    let (local_date, local_time) = venue_clock(&schedule.time_zone, starts_at)
        .ok_or_else(|| Problem::internal("a schedule's time zone is not known any more"))?;
    Ok(NewStart { starts_at, local_date, local_time })
}

/// `PATCH /api/operations/schedules/{scheduleId}/prices`: changes the price of a zone's free seats.
pub async fn reprice(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let schedule_id = asked.path.id("scheduleId")?;
    let mut members = asked.members()?;
    let zone = members.zone_name("zoneName");
    let price = members.integer("price", 0..=MAX_SEAT_PRICE.get()).map(Points::new);
    let reason = members.reason();
    let change = || Some(ChangePrice { schedule_id, zone: zone?, price: price?, reason: reason? });
    let change = members.complete(change())?;
    decide(&api, &operator, &asked, schedule_id, Action::ChangePrice(change)).await
}

/// `POST /api/operations/schedules/{scheduleId}/cancel`: calls the show off.
pub async fn call_off(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let schedule_id = asked.path.id("scheduleId")?;
    let mut members = asked.members()?;
    let reason = members.reason();
    let cancel = members.complete(reason.map(|reason| CancelSchedule { schedule_id, reason }))?;
    decide(&api, &operator, &asked, schedule_id, Action::CancelSchedule(cancel)).await
}

/// Lets the engine decide, and answers the schedule as it is then.
async fn decide(
    api: &Api,
    operator: &Operator,
    asked: &CommandRequest,
    schedule_id: ScheduleId,
    action: Action,
) -> Outcome {
    let (told, _) = command::decided(api, operator.credential(), asked, action).await?;
    let shown = moments::after(api, &told, move |read_models, _| shown(read_models, schedule_id)).await?;
    Ok(told.told(shown?))
}
