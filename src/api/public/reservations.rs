//! Reserving, paying, cancelling, and the user's own reservations.

use std::sync::Arc;

use axum::extract::Request;
use domain::limits::MAX_SEATS_PER_RESERVATION;
use domain::{
    Action, CancelReservation, ExtendHold, HoldByQuantity, HoldSeats, MAX_SAFE_INTEGER, PayReservation, Points,
    Position, Rejection, Reservation, ReservationId, SeatId, Together, Token, Wanted,
};
use projections::sql;

use super::command::{self, BodyKind};
use super::contract::schema::{Member, Shape, body, distinct_ids, id, integer, may, needs, one_of, text_up_to, word};
use super::contract::shapes::{PAYMENT, RESERVATION};
use super::members::{MAX_ZONE_NAME_CHARACTERS, Members};
use super::problem::Problem;
use super::query::View;
use super::{Api, DELETE, GET, Outcome, POST, PublicRoutes, contract, json, kinds, own, paging, query};

/// Adds the routes, each with its description.
pub fn routes(routes: PublicRoutes) -> PublicRoutes {
    routes
        .route(
            POST,
            "/api/concerts/reservation",
            reserve,
            contract::command("Holds seats: all that are asked for, or none.")
                .of_admitted()
                .takes(wanted_seats())
                .answers_a(RESERVATION)
                .may(&[
                    &kinds::NOT_YOURS,
                    &kinds::CONCERT_NOT_FOUND,
                    &kinds::SCHEDULE_NOT_FOUND,
                    &kinds::SEAT_NOT_FOUND,
                    &kinds::ZONE_NOT_FOUND,
                    &kinds::SCHEDULE_CANCELLED,
                    &kinds::NOT_ON_SALE,
                    &kinds::SALE_PAUSED,
                    &kinds::SEAT_LIMIT_REACHED,
                    &kinds::SEAT_TAKEN,
                    &kinds::NO_SEATS_LEFT,
                    &kinds::NOT_TOGETHER,
                ]),
        )
        .route(
            GET,
            "/api/reservations/{id}",
            one,
            contract::query("Shows a reservation of the token's user.")
                .of_owner()
                .answers_a(RESERVATION)
                .may(&[&kinds::RESERVATION_NOT_FOUND]),
        )
        .route(
            DELETE,
            "/api/reservations/{id}",
            cancel,
            contract::command("Cancels a hold, or refunds a payment.")
                .of_owner()
                .answers_a(RESERVATION)
                .parameter("only", word(["hold"]), "Only a hold is cancelled. A payment is not refunded.")
                .may(&[
                    &kinds::RESERVATION_NOT_FOUND,
                    &kinds::RESERVATION_NOT_HELD,
                    &kinds::HOLD_EXPIRED,
                    &kinds::NOT_ON_SALE,
                ]),
        )
        .route(
            POST,
            "/api/reservations/{id}/extension",
            extend,
            contract::command("Extends a hold, at most once.").of_owner().answers_a(RESERVATION).may(&[
                &kinds::RESERVATION_NOT_FOUND,
                &kinds::HOLD_EXPIRED,
                &kinds::NOT_EXTENDABLE,
            ]),
        )
        .route(
            POST,
            "/api/payments",
            pay,
            contract::command("Pays a hold in full.")
                .of_owner()
                .takes(body([
                    needs("reservationId", id()),
                    needs("userId", id()),
                    needs("paymentAmount", integer(0..=MAX_SAFE_INTEGER)),
                ]))
                .answers_a(PAYMENT)
                .may(&[
                    &kinds::RESERVATION_NOT_FOUND,
                    &kinds::RESERVATION_NOT_PAYABLE,
                    &kinds::SCHEDULE_CANCELLED,
                    &kinds::AMOUNT_MISMATCH,
                    &kinds::INSUFFICIENT_POINTS,
                    &kinds::HOLD_EXPIRED,
                ]),
        )
}

/// The three shapes of the body: one seat, several seats, or a number of seats.
fn wanted_seats() -> Shape {
    let so_many = vec![
        needs("quantity", integer(1..=MAX_SEATS_PER_RESERVATION as u64)),
        may("zoneName", text_up_to(MAX_ZONE_NAME_CHARACTERS)),
        may("maxPrice", integer(0..=MAX_SAFE_INTEGER)),
        may("together", word(["PREFERRED", "REQUIRED"])),
    ];
    let of = |seats: Vec<Member>| {
        body([needs("concertId", id()), needs("scheduleId", id()), needs("userId", id())].into_iter().chain(seats))
    };
    one_of([
        of(vec![needs("seatId", id())]),
        of(vec![needs("seatIds", distinct_ids(MAX_SEATS_PER_RESERVATION))]),
        of(so_many),
    ])
}

/// `POST /api/concerts/reservation`: all of the seats, or none.
pub async fn reserve(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, BodyKind::Json, |asked| {
        let mut members = asked.members()?;
        let (concert_id, schedule_id) = (members.id("concertId"), members.id("scheduleId"));
        let (user_id, seats) = (members.id("userId"), seats(&mut members));
        let hold = || {
            let (user_id, concert_id, schedule_id) = (user_id?, concert_id?, schedule_id?);
            Some(match seats? {
                Seats::These(seat_ids) => Action::HoldSeats(HoldSeats { user_id, concert_id, schedule_id, seat_ids }),
                Seats::Some(wanted) => {
                    Action::HoldByQuantity(HoldByQuantity { user_id, concert_id, schedule_id, wanted })
                }
            })
        };
        members.complete(hold())
    })
    .await
}

/// The seats that a request asks for.
#[derive(Debug, PartialEq)]
enum Seats {
    These(Vec<SeatId>),
    Some(Wanted),
}

/// Members that are allowed only with `quantity`.
const WITH_QUANTITY: [&str; 3] = ["zoneName", "maxPrice", "together"];

/// Reads `seatId` or `seatIds`, or else `quantity`.
fn seats(members: &mut Members<'_>) -> Option<Seats> {
    if members.has("quantity") {
        let refused = refuse(members, &["seatId", "seatIds"], "must not be given together with quantity");
        return wanted(members).filter(|_| !refused).map(Seats::Some);
    }
    let refused = refuse(members, &WITH_QUANTITY, "can be given only together with quantity");
    seat_ids(members).filter(|_| !refused).map(Seats::These)
}

/// Refuses those of these members that are there. Returns true if any is there.
fn refuse(members: &mut Members<'_>, fields: &[&str], message: &'static str) -> bool {
    let given: Vec<&&str> = fields.iter().filter(|field| members.has(field)).collect();
    given.iter().for_each(|field| members.refuse(field, message));
    !given.is_empty()
}

fn wanted(members: &mut Members<'_>) -> Option<Wanted> {
    let quantity = members.integer("quantity", 1..=MAX_SEATS_PER_RESERVATION as u64);
    let zone = members.optional("zoneName", Members::zone_name);
    let max_price = members.optional("maxPrice", |members, field| members.integer(field, 0..=MAX_SAFE_INTEGER));
    let words = [("PREFERRED", Together::Preferred), ("REQUIRED", Together::Required)];
    let together = members.optional("together", |members, field| members.word(field, words));
    Some(Wanted {
        quantity: quantity? as usize,
        zone: zone?,
        max_price: max_price?.map(Points::new),
        together: together?.unwrap_or(Together::Preferred),
    })
}

/// Reads `seatId` or `seatIds`. Both together are a fault.
fn seat_ids(members: &mut Members<'_>) -> Option<Vec<SeatId>> {
    match (members.has("seatId"), members.has("seatIds")) {
        (true | false, false) => members.id("seatId").map(|seat_id| vec![seat_id]),
        (false, true) => members.distinct_ids("seatIds", MAX_SEATS_PER_RESERVATION),
        (true, true) => {
            members.refuse("seatId", "must not be given together with seatIds");
            members.refuse("seatIds", "must not be given together with seatId");
            None
        }
    }
}

/// `GET /api/reservations/{id}`: one of the user's own reservations, as it is now. A reservation that was closed long
/// ago is only in SQL. A refusal is decided at the log's head, and names this position.
pub async fn one(api: Arc<Api>, request: Request) -> Outcome {
    let (mut asked, token) = query::sql_by_holder(&api, request, |path, _| path.id::<ReservationId>("id")).await?;
    let reservation_id = asked.what;
    let found = asked.view.read_models.state.reservation(reservation_id, asked.view.now);
    if found.is_none_or(|reservation| own(&token, reservation.hold.user_id).is_err()) {
        api.renew(&mut asked.view).await?;
    }
    if let Some(reservation) = asked.view.read_models.state.reservation(reservation_id, asked.view.now) {
        return show(&asked.view, &token, reservation, asked.view.read_models.state.head.position);
    }
    asked.not_before_the_view();
    let mut snapshot = asked.snapshot(&api.projector, &sql::reservations::MODEL).await?;
    let found = sql::reservations::one(&mut snapshot.transaction, reservation_id)
        .await
        .map_err(query::unreadable(snapshot.position))?;
    let not_found = || Problem::from(Rejection::ReservationNotFound { reservation_id }).at(snapshot.position);
    show(&asked.view, &token, &found.ok_or_else(not_found)?, snapshot.position)
}

fn show(view: &View, token: &Token, reservation: &Reservation, position: Position) -> Outcome {
    own(token, reservation.hold.user_id).map_err(|rejection| Problem::from(rejection).at(position))?;
    Ok(paging::at(position, json::answer(&view.reservation(reservation)?)))
}

/// `DELETE /api/reservations/{id}`: cancels a hold, or refunds a payment. With `only=hold` it never refunds.
pub async fn cancel(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, BodyKind::Optional, |asked| {
        let reservation_id = asked.path.id("id")?;
        let mut parameters = asked.parameters();
        let only_hold = parameters.only_hold();
        parameters.allow_only(&["only"]);
        parameters.complete()?;
        Ok(Action::CancelReservation(CancelReservation { reservation_id, only_hold }))
    })
    .await
}

/// `POST /api/reservations/{id}/extension`: extends a hold, once.
pub async fn extend(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, BodyKind::Optional, |asked| {
        let reservation_id = asked.path.id("id")?;
        Ok(Action::ExtendHold(ExtendHold { reservation_id }))
    })
    .await
}

/// `POST /api/payments`: pays a hold in full.
pub async fn pay(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, BodyKind::Json, |asked| {
        let mut members = asked.members()?;
        let (reservation_id, user_id) = (members.id("reservationId"), members.id("userId"));
        let amount = members.integer("paymentAmount", 0..=MAX_SAFE_INTEGER).map(Points::new);
        let pay = || Some(PayReservation { reservation_id: reservation_id?, user_id: user_id?, amount: amount? });
        members.complete(pay()).map(Action::PayReservation)
    })
    .await
}

#[cfg(test)]
mod tests;
