//! Requests, whole.

use domain::UserId;
use uuid::Uuid;

use crate::sale::{self, Guest};

/// A request with a JSON body.
pub fn post(path: &str, token: &Uuid, body: &str) -> Vec<u8> {
    with_body("POST", path, &format!("Authorization: {token}\r\n"), body)
}

/// A request with a JSON body, and whatever else it says of itself.
pub fn with_body(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A request for what anyone may see.
pub fn anyone(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes()
}

/// Somebody joins.
pub fn join(user: UserId) -> Vec<u8> {
    with_body("POST", "/api/tokens", "", &format!(r#"{{"userId":{user}}}"#))
}

/// One's own place.
pub fn me(guest: &Guest) -> Vec<u8> {
    get("/api/tokens/me", &guest.token, None)
}

/// An admitted user arrives.
pub fn arrive(guest: &Guest) -> Vec<u8> {
    post("/api/tokens/me/arrival", &guest.token, "")
}

/// A request for what is there; with `known`, only if it has changed.
pub fn get(path: &str, token: &Uuid, known: Option<&str>) -> Vec<u8> {
    let condition = known.map_or(String::new(), |etag| format!("If-None-Match: {etag}\r\n"));
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: {token}\r\n{condition}\r\n").into_bytes()
}

/// One point comes in.
pub fn charge(guest: &Guest) -> Vec<u8> {
    charge_points(guest, 1)
}

/// Points come in.
pub fn charge_points(guest: &Guest, amount: u64) -> Vec<u8> {
    let path = format!("/api/users/{}/points/charge", guest.user_id);
    post(&path, &guest.token, &format!(r#"{{"amount":{amount}}}"#))
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
    reserve_which(schedule, guest, &format!(r#""seatId":{seat}"#))
}

/// These two seats are held.
pub fn reserve_both(schedule: u64, seats: [u64; 2], guest: &Guest) -> Vec<u8> {
    let [first, second] = seats;
    reserve_which(schedule, guest, &format!(r#""seatIds":[{first},{second}]"#))
}

/// So many seats are held, whichever are best.
pub fn reserve_best(schedule: u64, quantity: u64, guest: &Guest) -> Vec<u8> {
    reserve_which(schedule, guest, &format!(r#""quantity":{quantity}"#))
}

fn reserve_which(schedule: u64, guest: &Guest, seats: &str) -> Vec<u8> {
    let (concert, user) = (sale::concert_of(schedule), guest.user_id);
    let body = format!(r#"{{"concertId":{concert},"scheduleId":{schedule},"userId":{user},{seats}}}"#);
    post("/api/concerts/reservation", &guest.token, &body)
}

/// One seat that is held is paid.
pub fn pay(reservation: u64, guest: &Guest) -> Vec<u8> {
    pay_points(reservation, sale::PRICE, guest)
}

/// What is held is paid.
pub fn pay_points(reservation: u64, amount: u64, guest: &Guest) -> Vec<u8> {
    let user = guest.user_id;
    let body = format!(r#"{{"reservationId":{reservation},"userId":{user},"paymentAmount":{amount}}}"#);
    post("/api/payments", &guest.token, &body)
}
