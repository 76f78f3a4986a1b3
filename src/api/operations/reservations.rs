//! Cancelling a reservation by an operator, for its buyer.

use domain::{Action, CancelForBuyer};

use super::access::CHANGES;
use super::command::{self, BodyKind, CommandRequest};
use super::contract::schema::body;
use super::contract::shapes::RESERVATION;
use super::guarded::{Admitted, GuardedRoutes};
use super::problem::Outcome;
use super::{POST, contract, kinds, reason};

/// Adds the routes, each with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let cancels = contract::command("Cancels a hold, or refunds a payment, for its buyer.")
        .takes(body([reason()]))
        .answers_a(RESERVATION)
        .may(&[&kinds::RESERVATION_NOT_FOUND, &kinds::HOLD_EXPIRED]);
    routes.route(CHANGES, POST, "/api/operations/reservations/{reservationId}/cancel", cancel, cancels)
}

/// `POST /api/operations/reservations/{reservationId}/cancel`: cancels a hold, or refunds a payment.
pub async fn cancel(Admitted { api, operator, request, .. }: Admitted) -> Outcome {
    let asked = CommandRequest::read(request, BodyKind::Json).await?;
    let reservation_id = asked.path.id("reservationId")?;
    let mut members = asked.members()?;
    let reason = members.reason();
    let cancel = members.complete(reason.map(|reason| CancelForBuyer { reservation_id, reason }))?;
    command::decide(&api, operator.credential(), &asked, Action::CancelForBuyer(cancel)).await
}
