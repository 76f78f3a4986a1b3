//! Reserving, paying, cancelling, and one's own reservations.

use std::sync::Arc;

use axum::extract::Request;
use domain::limits::MAX_SEATS_PER_RESERVATION;
use domain::{
    Action, CancelReservation, ExtendHold, HoldSeats, MAX_SAFE_INTEGER, PayReservation, Points, Position, Rejection,
    Reservation, ReservationId, SeatId, Token,
};
use projections::sql;

use super::command::{self, Body};
use super::members::Members;
use super::problem::Problem;
use super::query::View;
use super::{Api, Outcome, json, own, paging, query};

/// `POST /api/concerts/reservation`: all of the seats, or none.
pub async fn reserve(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, Body::Json, |asked| {
        let mut members = asked.members()?;
        let (concert_id, schedule_id) = (members.id("concertId"), members.id("scheduleId"));
        let (user_id, seat_ids) = (members.id("userId"), seat_ids(&mut members));
        let hold = || {
            Some(HoldSeats {
                user_id: user_id?,
                concert_id: concert_id?,
                schedule_id: schedule_id?,
                seat_ids: seat_ids?,
            })
        };
        members.complete(hold()).map(Action::HoldSeats)
    })
    .await
}

/// `seatId` or `seatIds`, and not both.
fn seat_ids(members: &mut Members<'_>) -> Option<Vec<SeatId>> {
    match (members.has("seatId"), members.has("seatIds")) {
        (true | false, false) => members.id("seatId").map(|seat_id| vec![seat_id]),
        (false, true) => members.distinct_ids("seatIds", MAX_SEATS_PER_RESERVATION),
        (true, true) => {
            members.refuse("seatId", "must not be given beside seatIds");
            members.refuse("seatIds", "must not be given beside seatId");
            None
        }
    }
}

/// `GET /api/reservations/{id}`: one of one's own, as it stands now. One that was closed long ago is in SQL only.
pub async fn one(api: Arc<Api>, request: Request) -> Outcome {
    let (mut asked, token) = query::sql_by_holder(&api, request, |path, _| path.id::<ReservationId>("id")).await?;
    let reservation_id = asked.what;
    if asked.view.read_models.reservations.get(reservation_id).is_none() {
        api.renew(&mut asked.view).await?;
    }
    if let Some(reservation) = asked.view.read_models.reservations.get(reservation_id) {
        return show(&asked.view, &token, reservation, asked.view.read_models.head.position);
    }
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

/// `DELETE /api/reservations/{id}`: cancels a hold, or takes a sale back; with `only=hold` never that.
pub async fn cancel(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, Body::Optional, |asked| {
        let reservation_id = asked.path.id("id")?;
        let mut parameters = asked.parameters();
        let only_hold = parameters.only_hold();
        parameters.complete()?;
        Ok(Action::CancelReservation(CancelReservation { reservation_id, only_hold }))
    })
    .await
}

/// `POST /api/reservations/{id}/extension`: makes a hold longer, once.
pub async fn extend(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, Body::Optional, |asked| {
        let reservation_id = asked.path.id("id")?;
        Ok(Action::ExtendHold(ExtendHold { reservation_id }))
    })
    .await
}

/// `POST /api/payments`: pays a hold in full.
pub async fn pay(api: Arc<Api>, request: Request) -> Outcome {
    command::by_holder(&api, request, Body::Json, |asked| {
        let mut members = asked.members()?;
        let (reservation_id, user_id) = (members.id("reservationId"), members.id("userId"));
        let amount = members.integer("paymentAmount", 0..=MAX_SAFE_INTEGER).map(Points::new);
        let pay = || Some(PayReservation { reservation_id: reservation_id?, user_id: user_id?, amount: amount? });
        members.complete(pay()).map(Action::PayReservation)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<u64>, Problem> {
        let mut members = Members::of(body.as_bytes())?;
        let seat_ids = seat_ids(&mut members);
        members.complete(seat_ids).map(|seat_ids| seat_ids.into_iter().map(SeatId::get).collect())
    }

    #[test]
    fn one_seat_or_up_to_four_are_reserved() {
        assert_eq!(read(r#"{"seatId":7}"#), Ok(vec![7]));
        assert_eq!(read(r#"{"seatIds":[7]}"#), Ok(vec![7]));
        assert_eq!(read(r#"{"seatIds":[4,3,2,1]}"#), Ok(vec![4, 3, 2, 1]));
    }

    #[test]
    fn neither_both_and_five_are_refused() {
        for body in ["{}", r#"{"seatId":1,"seatIds":[1]}"#, r#"{"seatIds":[1,2,3,4,5]}"#, r#"{"seatId":[1]}"#] {
            assert_eq!(read(body).unwrap_err().code(), "invalid-request", "{body}");
        }
    }
}
