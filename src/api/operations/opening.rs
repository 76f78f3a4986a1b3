//! The routes of openings: announce, move, withdraw, and the value of the beacon. Each answers the room.

use domain::{Action, Beacon, Hash, MoveOpening, Nonce, ReceiveBeacon, ScheduleOpening, WithdrawOpening, draw};

use super::access::CHANGES;
use super::command::{BodyKind, CommandRequest};
use super::contract::schema::{Member, body, may, needs, pattern, text_up_to, time};
use super::contract::shapes::ROOM;
use super::guarded::{Admitted, GuardedRoutes};
use super::members::Members;
use super::problem::Outcome;
use super::room::change;
use super::{DELETE, MAX_REASON_CHARACTERS, PATCH, POST, chance, contract, kinds, log, reason};

/// Adds the routes, each with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    const PATH: &str = "/api/operations/opening";
    let beacon = || [may("beaconSource", text_up_to(MAX_SOURCE_CHARACTERS)), may("beaconAt", time())];
    let with = |members: Vec<Member>| body(members.into_iter().chain(beacon()).chain([reason()]));
    let announced = || with(vec![needs("prequeueFrom", time()), needs("opensAt", time())]);
    let moved = || with(vec![needs("opensAt", time())]);
    let value = || body([needs("value", pattern("^[0-9a-fA-F]{64}$")), reason()]);
    routes
        .route(
            CHANGES,
            POST,
            PATH,
            announce,
            contract::command("Announces an opening.")
                .takes(announced())
                .answers_a(ROOM)
                .may(&[&kinds::OPENING_EXISTS]),
        )
        .route(
            CHANGES,
            PATCH,
            PATH,
            put_off,
            contract::command("Moves an opening to a later time, before its pre-queue closes.")
                .takes(moved())
                .answers_a(ROOM)
                .may(&[&kinds::OPENING_NOT_FOUND, &kinds::OPENING_BEGUN]),
        )
        .route(
            CHANGES,
            DELETE,
            PATH,
            withdraw,
            contract::command("Withdraws an opening, before its pre-queue begins.")
                .needed_parameter(
                    "reason",
                    text_up_to(MAX_REASON_CHARACTERS),
                    "The reason for the change. It stays in the log for ever.",
                )
                .answers_a(ROOM)
                .may(&[&kinds::OPENING_NOT_FOUND, &kinds::OPENING_BEGUN]),
        )
        .route(
            CHANGES,
            POST,
            "/api/operations/opening/beacon",
            receive_beacon,
            contract::command("Enters the beacon's value, after it has appeared.")
                .takes(value())
                .answers_a(ROOM)
                .may(&[&kinds::OPENING_NOT_FOUND, &kinds::BEACON_NOT_DUE, &kinds::BEACON_KNOWN]),
        )
}

/// The longest name of a beacon, in characters.
const MAX_SOURCE_CHARACTERS: usize = 200;

/// `POST /api/operations/opening`.
pub async fn announce(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let mut members = asked.members()?;
    let (prequeue_from, opens_at) = (members.time("prequeueFrom"), members.time("opensAt"));
    let beacon = beacon(&mut members);
    let reason = members.reason();
    let wanted = || Some((prequeue_from?, opens_at?, beacon?, reason?));
    let (prequeue_from, opens_at, beacon, reason) = members.complete(wanted())?;
    let nonce = Nonce::new(chance::bytes()?);
    let commitment = draw::commitment(&api.key.draw_seed(&log::id(&api).await?, &nonce));
    let schedule = ScheduleOpening { prequeue_from, opens_at, beacon, nonce, commitment, reason };
    change(&api, &operator, &asked, Action::ScheduleOpening(schedule)).await
}

/// `PATCH /api/operations/opening`: to a later time, before its close.
pub async fn put_off(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let mut members = asked.members()?;
    let opens_at = members.time("opensAt");
    let beacon = beacon(&mut members);
    let reason = members.reason();
    let moved = || Some(MoveOpening { opens_at: opens_at?, beacon: beacon?, reason: reason? });
    let moved = members.complete(moved())?;
    change(&api, &operator, &asked, Action::MoveOpening(moved)).await
}

/// `DELETE /api/operations/opening?reason=`: before its pre-queue.
pub async fn withdraw(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Optional).await?;
    let mut parameters = asked.parameters();
    let reason = parameters.shown_text("reason", MAX_REASON_CHARACTERS);
    parameters.allow_only(&["reason"]);
    let reason = parameters.complete_with(reason)?;
    change(&api, &operator, &asked, Action::WithdrawOpening(WithdrawOpening { reason })).await
}

/// `POST /api/operations/opening/beacon`: the beacon's value, after it has appeared.
pub async fn receive_beacon(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let mut members = asked.members()?;
    let value: Option<Hash> = members.parsed("value", "must be 64 hexadecimal digits");
    let reason = members.reason();
    let beacon = || Some(ReceiveBeacon { value: value?, reason: reason? });
    let beacon = members.complete(beacon())?;
    change(&api, &operator, &asked, Action::ReceiveBeacon(beacon)).await
}

/// Reads the beacon's source and time: both or neither. `None` if one is wrong.
fn beacon(members: &mut Members<'_>) -> Option<Option<Beacon>> {
    if !members.has("beaconSource") && !members.has("beaconAt") {
        return Some(None);
    }
    let (source, at) = (members.shown_text("beaconSource", MAX_SOURCE_CHARACTERS), members.time("beaconAt"));
    Some(Some(Beacon { source: source?.into(), at: at? }))
}
