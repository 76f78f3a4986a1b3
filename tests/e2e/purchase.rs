//! From a token to a paid seat, and what every step shows.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Answer, Server};

fn integer(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == "2026-12-24T10:30:00.000Z".len() && text.ends_with('Z') && text.as_bytes()[19] == b'.'
}

#[tokio::test]
async fn a_seat_is_sold_end_to_end() {
    let server = Server::demo();
    let token = server.post("/api/tokens", "", json!({ "userId": 42 })).await;
    assert_eq!(token.ok()["status"], "ACTIVE");
    assert!(is_time(&token.ok()["createdAt"]) && is_time(&token.ok()["expiresAt"]), "{}", token.body);
    assert_eq!((&token.ok()["ahead"], &token.ok()["estimatedWaitSeconds"]), (&json!(0), &json!(0)));
    assert!((599..=600).contains(&integer(&token.ok()["expiresInSeconds"])));
    let token = token.ok()["token"].as_str().unwrap().to_owned();

    let seats = server.get("/api/concerts/1/schedules/296/seats", &token).await;
    let first = seats.ok()[0].clone();
    assert_eq!(seats.ok().as_array().unwrap().len(), 50);
    assert_eq!(first, json!({ "seatId": 1, "seatName": "VIP-1", "price": 200_000, "zoneName": "VIP" }));

    let hold = json!({ "concertId": 1, "scheduleId": 296, "userId": 42, "seatId": 1 });
    let held = server.post("/api/concerts/reservation", &token, hold).await;
    let reservation = held.ok();
    assert_eq!(reservation["reservationStatus"], "HELD");
    assert_eq!((&reservation["seatName"], &reservation["totalPrice"]), (&json!("VIP-1"), &json!(200_000)));
    assert_eq!(
        reservation["seats"],
        json!([{ "seatId": 1, "seatName": "VIP-1", "zoneName": "VIP", "price": 200_000 }])
    );
    assert!((299..=300).contains(&integer(&reservation["expiresInSeconds"])));
    assert!(is_time(&reservation["reservationTime"]) && is_time(&reservation["expiresAt"]));
    let id = integer(&reservation["reservationId"]);

    let charge = json!({ "amount": 250_000 });
    let charged = server.post("/api/users/42/points/charge", &token, charge).await;
    assert_eq!((&charged.ok()["chargedAmount"], &charged.ok()["currentBalance"]), (&json!(250_000), &json!(250_000)));
    assert!(is_time(&charged.ok()["chargedAt"]));

    let pay = json!({ "reservationId": id, "userId": 42, "paymentAmount": 200_000 });
    let paid = server.post("/api/payments", &token, pay.clone()).await;
    assert_eq!((&paid.ok()["currentBalance"], &paid.ok()["paymentAmount"]), (&json!(50_000), &json!(200_000)));
    assert!(is_time(&paid.ok()["paymentTime"]));

    let again = server.post("/api/payments", &token, pay).await;
    assert_eq!(again.ok(), paid.ok());
    assert_eq!(
        server.get("/api/users/42/points/balance", &token).await.ok(),
        &json!({ "userId": 42, "balance": 50_000 })
    );
    assert_eq!(server.get("/api/tokens/me", &token).await.ok()["status"], "FINISHED");
    assert_eq!(server.get(&format!("/api/reservations/{id}"), &token).await.ok()["reservationStatus"], "PAID");
    let refused = server.get("/api/concerts/1/schedules/296/seats", &token).await;
    assert_eq!(refused.problem(), (403, "not-admitted"));
    let fresh = server.token(42).await;
    let left = server.get("/api/concerts/1/schedules/296/seats", &fresh).await;
    assert_eq!(left.ok().as_array().unwrap().len(), 49);
    let all = server.get("/api/concerts/1/schedules/296/seats?status=all", &fresh).await;
    assert_eq!((&all.ok()[0]["status"], &all.ok()[1]["status"]), (&json!("SOLD"), &json!("AVAILABLE")));
    assert_eq!(server.count("ReservationPaid").await, 1);
}

#[tokio::test]
async fn a_hold_is_given_up_and_a_sale_taken_back() {
    let server = Server::demo();
    let token = server.token(42).await;
    server.post("/api/users/42/points/charge", &token, json!({ "amount": 200_000 })).await.ok();
    let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": 42, "seatIds": [49, 50] });
    let held = server.post("/api/concerts/reservation", &token, hold.clone()).await;
    let path = format!("/api/reservations/{}", held.ok()["reservationId"]);
    let cancelled = server.delete(&path, &token).await;
    assert_eq!(cancelled.ok()["reservationStatus"], "CANCELLED");
    assert_eq!(server.delete(&path, &token).await.ok(), cancelled.ok());

    let held = server.post("/api/concerts/reservation", &token, hold).await;
    let (id, price) = (&held.ok()["reservationId"], &held.ok()["totalPrice"]);
    let pay = json!({ "reservationId": id, "userId": 42, "paymentAmount": price });
    server.post("/api/payments", &token, pay).await.ok();
    let path = format!("/api/reservations/{id}");
    let refunded = server.delete(&path, &token).await;
    assert_eq!(refunded.ok()["reservationStatus"], "REFUNDED");
    assert_eq!(server.delete(&path, &token).await.ok()["reservationStatus"], "REFUNDED");
    assert_eq!(server.get("/api/users/42/points/balance", &token).await.ok()["balance"], 200_000);
    assert_eq!(server.count("ReservationRefunded").await, 1);
}

#[tokio::test]
async fn concerts_dates_and_lists_are_conditional() {
    let server = Server::demo();
    let token = server.token(42).await;
    assert_eq!(server.get("/api/concerts", "").await.ok().as_array().unwrap().len(), 4);
    let dates = server.get("/api/concerts/1/dates", "").await;
    let first = &dates.ok()[0];
    assert_eq!(
        (&first["concertScheduleId"], &first["seatsTotal"], &first["seatsAvailable"]),
        (&json!(1), &json!(50), &json!(50))
    );
    assert_eq!((&first["timeZone"], &first["concertTime"]), (&json!("Asia/Seoul"), &json!("19:00")));
    assert_eq!(dates.ok().as_array().unwrap().len(), 300);
    for path in
        ["/api/concerts", "/api/concerts/1", "/api/concerts/1/dates", "/api/queue", "/api/concerts/1/schedules/1/seats"]
    {
        let full = server.get(path, &token).await;
        let etag = full.header("etag").to_owned();
        assert!(etag.starts_with('"'), "{path}: {etag} is not strong");
        let ask = || server.request(Method::GET, path, &token).header("If-None-Match", &etag);
        let same = Answer::of(ask()).await;
        assert_eq!(same.status, 304, "{path}");
        for name in ["etag", "cache-control", "log-position", "x-request-id"] {
            assert!(!same.header(name).is_empty(), "{path}: {name}");
        }
    }
    let ask = |etag: &str| {
        server.request(Method::GET, "/api/concerts/1/schedules/1/seats", &token).header("If-None-Match", etag)
    };
    let before = server.get("/api/concerts/1/schedules/1/seats", &token).await.header("etag").to_owned();
    let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": 42, "seatId": 7 });
    server.post("/api/concerts/reservation", &token, hold).await.ok();
    assert_eq!(Answer::of(ask(&before)).await.ok().as_array().unwrap().len(), 49);
}

#[tokio::test]
async fn a_client_reads_its_own_write_and_may_wait_for_a_position() {
    let server = Server::demo();
    let token = server.token(42).await;
    let charged = server.post("/api/users/42/points/charge", &token, json!({ "amount": 5 })).await;
    let position: u64 = charged.header("log-position").parse().unwrap();
    let path = |position: u64| format!("/api/users/42/points/balance?minPosition={position}");
    let balance = server.get(&path(position), &token).await;
    assert_eq!(balance.ok()["balance"], 5);
    assert!(balance.header("log-position").parse::<u64>().unwrap() >= position);
    let behind = server.get(&path(position + 1_000_000), &token).await;
    assert_eq!(behind.problem(), (503, "read-model-behind"));
    assert!(!behind.header("retry-after").is_empty());
}
