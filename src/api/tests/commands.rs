//! Commands, from the request to what is answered.

use super::*;
use crate::log::memory::Fault;

fn keys(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_token_is_issued_once_as_long_as_its_user_is_in_the_room() {
    let server = Server::start(1).await;
    let first = server.post("/api/tokens", "", &json!({ "userId": ANN })).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("log-position"), Some("6"));
    assert_eq!((&first.body["status"], &first.body["ahead"]), (&json!("ACTIVE"), &json!(0)));
    assert_eq!(first.body["createdAt"], "2027-01-15T08:00:00.000Z");
    assert_eq!(
        (&first.body["expiresAt"], &first.body["expiresInSeconds"]),
        (&json!("2027-01-15T08:10:00.000Z"), &json!(600))
    );
    let expected = [
        "ahead",
        "arriveBy",
        "arriveInSeconds",
        "createdAt",
        "entrant",
        "estimatedWaitSeconds",
        "expiresAt",
        "expiresInSeconds",
        "queueNumber",
        "status",
        "token",
        "tokenId",
        "userId",
    ];
    assert_eq!(keys(&first.body), expected);
    server.pass_seconds(100);
    let again = server.post("/api/tokens", "", &json!({ "userId": ANN })).await;
    assert_eq!((&again.body["token"], &again.body["expiresInSeconds"]), (&first.body["token"], &json!(500)));
    let waiting = server.post("/api/tokens", "", &json!({ "userId": BOB })).await;
    assert_eq!((&waiting.body["status"], &waiting.body["queueNumber"]), (&json!("WAITING"), &json!(2)));
}

#[tokio::test]
async fn seats_are_reserved_and_paid() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    let bearer = format!("Bearer {}", token.to_ascii_uppercase());
    let charged = server.charge(&bearer, ANN, 1_000).await;
    assert_eq!(keys(&charged.body), ["chargedAmount", "chargedAt", "currentBalance", "userId"]);
    assert_eq!(charged.body["currentBalance"], 1_000);

    let held = server.reserve(&token, ANN, &[3, 2]).await;
    assert_eq!(held.status, StatusCode::OK, "{held:?}");
    assert_eq!((&held.body["seatId"], &held.body["totalPrice"]), (&json!(3), &json!(2 * PRICE)));
    assert_eq!((&held.body["reservationStatus"], &held.body["expiresInSeconds"]), (&json!("HELD"), &json!(300)));
    assert_eq!(keys(&held.body["seats"][1]), ["price", "seatId", "seatName", "zoneName"]);
    let taken = server.reserve(&server.token(BOB).await, BOB, &[1, 2, 3]).await;
    assert_eq!((taken.problem(), &taken.body["seatIds"]), ("seat-taken", &json!([2, 3])));
    assert!(taken.headers.contains_key("log-position"));

    let pay = |amount: u64| json!({ "reservationId": 1, "userId": ANN, "paymentAmount": amount });
    let mismatch = server.post("/api/payments", &token, &pay(0)).await;
    assert_eq!((mismatch.problem(), &mismatch.body["required"]), ("amount-mismatch", &json!(2 * PRICE)));
    let paid = server.post("/api/payments", &token, &pay(2 * PRICE)).await;
    let expected = ["currentBalance", "paymentAmount", "paymentId", "paymentTime", "reservationId", "userId"];
    assert_eq!(keys(&paid.body), expected);
    assert_eq!(paid.body["currentBalance"], 1_000 - 2 * PRICE);
    let refunded = server.delete("/api/reservations/1", &token).await;
    assert_eq!(refunded.body["reservationStatus"], "REFUNDED");
    let unpayable = server.post("/api/payments", &token, &pay(2 * PRICE)).await;
    assert_eq!(unpayable.problem(), "reservation-not-payable");
    assert_eq!(unpayable.body["reservationStatus"], "REFUNDED");
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    let path = "/api/users/1/points/charge";
    let charge = |body: &str| request(Method::POST, path, &token, &headers, Body::from(body.to_owned()));
    let first = server.ask(charge("{\"amount\":5}")).await;
    server.pass_seconds(1);
    let again = server.ask(charge("{\"amount\":5}")).await;
    assert_eq!((&again.body, again.header("log-position")), (&first.body, first.header("log-position")));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), (None, Some("true")));
    let other = server.ask(charge("{\"amount\": 5}")).await;
    assert_eq!((other.status.as_u16(), other.problem()), (422, "idempotency-key-reused"));
}

#[tokio::test]
async fn what_is_deleted_with_a_body_is_another_request_than_without() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    let leave = |headers: &[(&str, &str)], body: &str| {
        request(Method::DELETE, "/api/tokens/me", &token, headers, Body::from(body.to_owned()))
    };
    let key = ("idempotency-key", "k-1");
    let json = ("content-type", "application/json");
    assert_eq!(server.ask(leave(&[key], "{}")).await.problem(), "unsupported-media-type");
    assert_eq!(server.ask(leave(&[json], &" ".repeat(16 * 1024 + 1))).await.problem(), "body-too-large");
    assert_eq!(server.ask(leave(&[key], "")).await.status, StatusCode::OK);
    assert_eq!(server.ask(leave(&[key, json], "{}")).await.problem(), "idempotency-key-reused");
    assert_eq!(server.ask(leave(&[key], "")).await.header("idempotent-replayed"), Some("true"));
}

#[tokio::test]
async fn leaving_is_answered_the_same_again() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    let left = server.delete("/api/tokens/me", &token).await;
    assert_eq!((&left.body["status"], &left.body["token"]), (&json!("FINISHED"), &json!(token)));
    assert_eq!(server.delete("/api/tokens/me", &token).await.body, left.body);
    assert_eq!(server.reserve(&token, ANN, &[1]).await.problem(), "not-admitted");
}

#[tokio::test]
async fn a_log_that_takes_nothing_is_a_503_with_a_time_to_come_back() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    server.log.fail(Fault::Unavailable);
    let refused = server.charge(&token, ANN, 5).await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (503, "log-unavailable"));
    assert!(["1", "2", "3"].contains(&refused.header("retry-after").unwrap()));
    assert_eq!(refused.header("log-position"), server.get("/api/queue", "").await.header("log-position"));
    let ready = server.get("/readyz", "").await;
    assert_eq!((ready.status.as_u16(), ready.problem()), (503, "log-unavailable"));
    assert_eq!(server.charge(&token, ANN, 5).await.body["currentBalance"], 5);
    assert_eq!(server.get("/readyz", "").await.body, json!({ "status": "ready" }));
}
