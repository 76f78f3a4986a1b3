//! The waiting room, for operators.

use std::ops::RangeInclusive;

use domain::{Action, ConfigureRoom, MAX_SAFE_INTEGER, PauseSale, ResumeSale, Timestamp};
use projections::{DrawShown, OpeningShown, ReadModels, rfc3339};
use serde::Serialize;

use super::access::{CHANGES, Operator, READS};
use super::api::Api;
use super::command::{self, BodyKind, CommandRequest};
use super::contract::schema::{body, integer, may, needs, nullable, text_up_to, time};
use super::contract::shapes::ROOM;
use super::guarded::{Admitted, GuardedRoutes};
use super::members::Members;
use super::problem::Outcome;
use super::{GET, MAX_REASON_CHARACTERS, POST, PUT, contract, json, moments, query, reason};

/// Adds the routes, each with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let all = || {
        body([
            needs("capacity", integer(0..=MAX_SAFE_INTEGER)),
            needs("admissionsPerSecond", nullable(integer(1..=u64::from(u32::MAX)))),
            needs("arrivalSeconds", nullable(integer(ARRIVAL_SECONDS))),
            needs("reason", nullable(text_up_to(MAX_REASON_CHARACTERS))),
        ])
    };
    routes
        .route(READS, GET, "/api/operations/room", show, contract::query("Shows the room.").answers_a(ROOM))
        .route(
            CHANGES,
            PUT,
            "/api/operations/room",
            set,
            contract::command("Sets the capacity, the pace of admissions and the time to arrive, all three at once.")
                .takes(all())
                .answers_a(ROOM),
        )
        .route(
            CHANGES,
            POST,
            "/api/operations/pause",
            pause,
            contract::command("Pauses the sale.").takes(body([reason(), may("resumesAt", time())])).answers_a(ROOM),
        )
        .route(
            CHANGES,
            POST,
            "/api/operations/resume",
            resume,
            contract::command("Resumes the sale.").takes(body([reason()])).answers_a(ROOM),
        )
}

/// The allowed times of arrival, in seconds.
const ARRIVAL_SECONDS: RangeInclusive<u64> = 10..=600;

/// The room.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RoomShown<'a> {
    state: &'static str,
    capacity: u64,
    admissions_per_second: Option<u32>,
    /// Null if nobody has to arrive.
    arrival_seconds: Option<u32>,
    waiting: usize,
    active: u64,
    serving_number: u64,
    /// The number of entrants, in a pre-queue.
    entrants: Option<u64>,
    /// Null if no opening is announced, or after its draw.
    opening: Option<OpeningShown<'a>>,
    /// Null before the first close of entry.
    draw: Option<DrawShown<'a>>,
    pause: Option<PauseShown>,
}

/// A pause of the sale.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PauseShown {
    reason: String,
    /// The time when it ends automatically.
    resumes_at: Option<String>,
}

impl<'a> RoomShown<'a> {
    fn of(read_models: &'a ReadModels, now: Timestamp) -> Self {
        let (room, view) = (&read_models.state.room, read_models.room());
        let pause = view.pause(now);
        Self {
            state: view.state(now),
            capacity: room.capacity(),
            admissions_per_second: room.admissions_per_second(),
            arrival_seconds: room.arrival_seconds(),
            waiting: room.waiting(),
            active: room.active(),
            serving_number: room.serving_number(),
            entrants: view.entrants(now),
            opening: room.openings().announced().map(OpeningShown::of),
            draw: view.draw(),
            pause: pause.map(|pause| PauseShown {
                reason: pause.reason.to_string(),
                resumes_at: pause.resumes_at.map(rfc3339),
            }),
        }
    }
}

/// `GET /api/operations/room`.
pub async fn show(Admitted { api, request, .. }: Admitted) -> Outcome {
    let nothing = |_: &_, _: &mut _| Ok(());
    query::by_anyone(&api, request, nothing, |view, ()| Ok(json::answer(&RoomShown::of(&view.read_models, view.now))))
        .await
}

/// `PUT /api/operations/room`: sets all of it at once.
pub async fn set(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let mut members = asked.members()?;
    let capacity = members.integer("capacity", 0..=MAX_SAFE_INTEGER);
    let pace = members.nullable("admissionsPerSecond", 1..=u64::from(u32::MAX));
    let arrival = members.nullable("arrivalSeconds", ARRIVAL_SECONDS);
    let reason = members.reason_or_null();
    let configure = || {
        let small = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
        let (admissions_per_second, arrival_seconds) = (small(pace?), small(arrival?));
        Some(ConfigureRoom { capacity: capacity?, admissions_per_second, arrival_seconds, reason: reason? })
    };
    let configure = members.complete(configure())?;
    change(&api, &operator, &asked, Action::ConfigureRoom(configure)).await
}

/// `POST /api/operations/pause`.
pub async fn pause(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let mut members = asked.members()?;
    let reason = members.reason();
    let resumes_at = members.optional("resumesAt", Members::time);
    let pause = || Some(PauseSale { reason: reason?, resumes_at: resumes_at? });
    let pause = members.complete(pause())?;
    change(&api, &operator, &asked, Action::PauseSale(pause)).await
}

/// `POST /api/operations/resume`.
pub async fn resume(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let mut members = asked.members()?;
    let reason = members.reason();
    let resume = members.complete(reason.map(|reason| ResumeSale { reason }))?;
    change(&api, &operator, &asked, Action::ResumeSale(resume)).await
}

/// Lets the engine decide, and answers the room as it is then.
pub async fn change(api: &Api, operator: &Operator, asked: &CommandRequest, action: Action) -> Outcome {
    let (told, _) = command::decided(api, operator.credential(), asked, action).await?;
    let shown = moments::after(api, &told, |read_models, now| json::answer(&RoomShown::of(read_models, now)));
    Ok(told.told(shown.await?))
}
