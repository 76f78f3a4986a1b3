//! Concerts, their dates, and their seats.

use std::sync::Arc;

use axum::extract::Request;
use domain::{ConcertId, Rejection, ScheduleId};

use super::contract::schema::{list as list_of, named, word};
use super::contract::shapes::{CONCERT, DATE, MAP, SEAT};
use super::path::PathIds;
use super::{Api, GET, Outcome, PublicRoutes, contract, kinds, query};

/// Adds the routes, each with its description.
pub fn routes(routes: PublicRoutes) -> PublicRoutes {
    let not_found = [&kinds::CONCERT_NOT_FOUND, &kinds::SCHEDULE_NOT_FOUND];
    routes
        .route(
            GET,
            "/api/concerts",
            list,
            contract::query("Lists every concert.").answers(list_of(named(CONCERT))).conditional(),
        )
        .route(
            GET,
            "/api/concerts/{concertId}",
            one,
            contract::query("Shows a concert.").answers_a(CONCERT).conditional().may(&not_found[..1]),
        )
        .route(
            GET,
            "/api/concerts/{concertId}/dates",
            dates,
            contract::query("Lists the schedules of a concert, with the number of free seats of each.")
                .answers(list_of(named(DATE)))
                .conditional()
                .may(&not_found[..1]),
        )
        .route(
            GET,
            "/api/concerts/{concertId}/schedules/{scheduleId}/seats",
            seats,
            contract::query("Lists the free seats of a schedule.")
                .of_admitted()
                .answers(list_of(named(SEAT)))
                .conditional()
                .parameter("status", word(["all"]), "All seats are listed, each with its status.")
                .may(&not_found),
        )
        .route(
            GET,
            "/api/concerts/{concertId}/schedules/{scheduleId}/map",
            map,
            contract::query("Shows the map of the seats: names and places, which never change.")
                .answers_a(MAP)
                .conditional()
                .may(&not_found),
        )
}

/// Anyone may keep the answer, but must ask before each use whether it is still the same.
const CONCERTS_CACHE: &str = "public, no-cache";
/// A map never changes, so it may be kept for a day.
const MAP_CACHE: &str = "public, max-age=86400, immutable";
/// Only admitted users may see seats, so shared caches must not keep them.
const SEATS_CACHE: &str = "private, no-cache";

/// `GET /api/concerts`.
pub async fn list(api: Arc<Api>, request: Request) -> Outcome {
    let nothing = |_: &_, _: &mut _| Ok(());
    query::by_anyone(&api, request, nothing, |view, ()| {
        Ok(view.conditional_list(CONCERTS_CACHE, view.read_models.concerts.list()))
    })
    .await
}

/// `GET /api/concerts/{concertId}`.
pub async fn one(api: Arc<Api>, request: Request) -> Outcome {
    let concert = |path: &PathIds, _: &mut _| path.id::<ConcertId>("concertId");
    query::by_anyone(&api, request, concert, |view, concert_id| {
        let shown = view.read_models.concerts.concert(concert_id);
        Ok(view.conditional_list(CONCERTS_CACHE, shown.ok_or(Rejection::ConcertNotFound { concert_id })?))
    })
    .await
}

/// `GET /api/concerts/{concertId}/dates`.
pub async fn dates(api: Arc<Api>, request: Request) -> Outcome {
    let concert = |path: &PathIds, _: &mut _| path.id::<ConcertId>("concertId");
    query::by_anyone(&api, request, concert, |view, concert_id| {
        let shown = view.read_models.concerts.dates(concert_id, &view.read_models.state);
        Ok(view.conditional_list(CONCERTS_CACHE, shown.ok_or(Rejection::ConcertNotFound { concert_id })?))
    })
    .await
}

/// `GET /api/concerts/{concertId}/schedules/{scheduleId}/map`: the parts of the seats that never change.
pub async fn map(api: Arc<Api>, request: Request) -> Outcome {
    let schedule =
        |path: &PathIds, _: &mut _| Ok((path.id::<ConcertId>("concertId")?, path.id::<ScheduleId>("scheduleId")?));
    query::by_anyone(&api, request, schedule, |view, (concert_id, schedule_id)| {
        let list = view.read_models.seats(concert_id, schedule_id)?;
        Ok(view.conditional_list(MAP_CACHE, list.map()))
    })
    .await
}

/// `GET /api/concerts/{concertId}/schedules/{scheduleId}/seats`: only for admitted users.
pub async fn seats(api: Arc<Api>, request: Request) -> Outcome {
    let parse = |path: &PathIds, parameters: &mut super::parameters::Parameters| {
        let (concert_id, schedule_id) = (path.id::<ConcertId>("concertId")?, path.id::<ScheduleId>("scheduleId")?);
        Ok((concert_id, schedule_id, parameters.all_seats()))
    };
    query::by_holder(&api, request, parse, |view, token, (concert_id, schedule_id, all)| {
        let room = &view.read_models.state.room;
        if !room.is_active(token, view.now) {
            return Err(room.not_admitted(token, view.now).into());
        }
        let list = view.read_models.seats(concert_id, schedule_id)?;
        Ok(view.conditional_list(SEATS_CACHE, if all { list.all() } else { list.available() }))
    })
    .await
}
