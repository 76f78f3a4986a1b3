//! Requests, whole.

use uuid::Uuid;

use crate::sale::{self, Guest};

/// A request with a JSON body.
pub fn post(path: &str, token: &Uuid, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A request for what is there; with `known`, only if it has changed.
pub fn get(path: &str, token: &Uuid, known: Option<&str>) -> Vec<u8> {
    let condition = known.map_or(String::new(), |etag| format!("If-None-Match: {etag}\r\n"));
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: {token}\r\n{condition}\r\n").into_bytes()
}

/// One point comes in.
pub fn charge(guest: &Guest) -> Vec<u8> {
    post(&format!("/api/users/{}/points/charge", guest.user_id), &guest.token, r#"{"amount":1}"#)
}

/// What a wallet holds.
pub fn balance(guest: &Guest) -> Vec<u8> {
    get(&format!("/api/users/{}/points/balance", guest.user_id), &guest.token, None)
}

/// The seats of a schedule that can be had.
pub fn seats(schedule: u64, guest: &Guest, known: Option<&str>) -> Vec<u8> {
    let concert = sale::concert_of(schedule);
    get(&format!("/api/concerts/{concert}/schedules/{schedule}/seats"), &guest.token, known)
}

/// One seat is held.
pub fn reserve(schedule: u64, seat: u64, guest: &Guest) -> Vec<u8> {
    let (concert, user) = (sale::concert_of(schedule), guest.user_id);
    let body = format!(r#"{{"concertId":{concert},"scheduleId":{schedule},"userId":{user},"seatId":{seat}}}"#);
    post("/api/concerts/reservation", &guest.token, &body)
}

/// One seat that is held is paid.
pub fn pay(reservation: u64, guest: &Guest) -> Vec<u8> {
    let (user, amount) = (guest.user_id, sale::PRICE);
    let body = format!(r#"{{"reservationId":{reservation},"userId":{user},"paymentAmount":{amount}}}"#);
    post("/api/payments", &guest.token, &body)
}
