//! What this machine can do at all: the same server stack, with handlers that parse the same body and answer at once.

use axum::extract::{Json, Path};
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use axum::{Router, response::IntoResponse};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A time as it is answered.
const A_TIME: &str = "2026-12-24T10:30:00.000Z";

#[derive(Deserialize)]
struct Charge {
    amount: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Charged {
    user_id: u64,
    charged_amount: u64,
    current_balance: u64,
    charged_at: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reserve {
    concert_id: u64,
    schedule_id: u64,
    user_id: u64,
    seat_id: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Seat {
    seat_id: u64,
    seat_name: &'static str,
    zone_name: &'static str,
    price: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reserved {
    reservation_id: u64,
    user_id: u64,
    concert_id: u64,
    schedule_id: u64,
    seat_id: u64,
    seat_name: &'static str,
    price: u64,
    seats: [Seat; 1],
    total_price: u64,
    reservation_status: &'static str,
    reservation_time: &'static str,
    expires_at: &'static str,
    expires_in_seconds: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pay {
    reservation_id: u64,
    user_id: u64,
    payment_amount: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Paid {
    payment_id: u64,
    reservation_id: u64,
    user_id: u64,
    payment_amount: u64,
    payment_time: &'static str,
    current_balance: u64,
}

/// The routes that are measured, at their own paths, so that requests are the same to the byte. A list of no bytes is one
/// that the client has already.
pub fn router(balance_bytes: usize, list_bytes: usize) -> Router {
    let (balance, list) = (Bytes::from(vec![b'x'; balance_bytes]), Bytes::from(vec![b'x'; list_bytes]));
    let fixed =
        |bytes: Bytes| get(move || std::future::ready(([(header::CONTENT_TYPE, "application/json")], bytes.clone())));
    let list = if list.is_empty() { get(async || StatusCode::NOT_MODIFIED) } else { fixed(list) };
    Router::new()
        .route("/api/users/{userId}/points/charge", post(charge))
        .route("/api/concerts/reservation", post(reserve))
        .route("/api/payments", post(pay))
        .route("/api/users/{userId}/points/balance", fixed(balance))
        .route("/api/concerts/{concertId}/schedules/{scheduleId}/seats", list)
}

async fn charge(Path(user_id): Path<u64>, Json(Charge { amount }): Json<Charge>) -> impl IntoResponse {
    Json(Charged { user_id, charged_amount: amount, current_balance: amount, charged_at: A_TIME })
}

async fn reserve(Json(asked): Json<Reserve>) -> impl IntoResponse {
    let Reserve { concert_id, schedule_id, user_id, seat_id } = asked;
    let (seat_name, price) = ("VIP-1", 1);
    Json(Reserved {
        reservation_id: seat_id,
        user_id,
        concert_id,
        schedule_id,
        seat_id,
        seat_name,
        price,
        seats: [Seat { seat_id, seat_name, zone_name: "VIP", price }],
        total_price: price,
        reservation_status: "HELD",
        reservation_time: A_TIME,
        expires_at: A_TIME,
        expires_in_seconds: 300,
    })
}

async fn pay(Json(Pay { reservation_id, user_id, payment_amount }): Json<Pay>) -> impl IntoResponse {
    Json(Paid {
        payment_id: reservation_id,
        reservation_id,
        user_id,
        payment_amount,
        payment_time: A_TIME,
        current_balance: payment_amount,
    })
}
