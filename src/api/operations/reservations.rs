//! One reservation, as those end it for its buyer who run the sale.

use domain::{Action, Answer, CancelForBuyer};

use super::access::CHANGES;
use super::command::{self, Body, CommandRequest};
use super::contract::schema::body;
use super::contract::shapes::RESERVATION;
use super::guarded::{Admitted, GuardedRoutes};
use super::problem::{Outcome, Problem};
use super::wire::ReservationShown;
use super::{MAX_REASON_CHARACTERS, POST, contract, json, kinds, reason};

/// The routes, and what each says.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let cancels = contract::command("Cancels a hold, or refunds a payment, for its buyer.")
        .takes(body([reason()]))
        .answers_a(RESERVATION)
        .may(&[&kinds::RESERVATION_NOT_FOUND, &kinds::HOLD_EXPIRED]);
    routes.route(CHANGES, POST, "/api/operations/reservations/{reservationId}/cancel", cancel, cancels)
}

/// `POST /api/operations/reservations/{reservationId}/cancel`: cancels a hold, or refunds a payment.
pub async fn cancel(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, Body::Json).await?;
    let reservation_id = asked.path.id("reservationId")?;
    let mut members = asked.members()?;
    let reason = members.text("reason", MAX_REASON_CHARACTERS);
    let cancel = members.complete(reason.map(|reason| CancelForBuyer { reservation_id, reason }))?;
    let action = Action::CancelForBuyer(cancel);
    let (told, answer) = command::decided(&api, operator.credential(), &asked, action).await?;
    let Answer::Reservation(reservation) = answer else {
        return Err(Problem::internal("a cancellation was answered with something else"));
    };
    let (read_models, now) = (api.engine.read_models(), api.engine.now());
    let shown = ReservationShown::of(&reservation, reservation.status, &read_models, now);
    let shown = shown.ok_or_else(|| Problem::internal("a reserved seat is in no list"))?;
    Ok(told.told(json::answer(&shown)))
}
