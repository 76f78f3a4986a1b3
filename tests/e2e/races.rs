//! Many at once: one wins, nothing happens twice.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Answer, Server};

fn hold(user: u64, seat: u64) -> Value {
    json!({ "concertId": 1, "scheduleId": 296, "userId": user, "seatId": seat })
}

/// All of these at once.
async fn at_once(asked: Vec<reqwest::RequestBuilder>) -> Vec<Answer> {
    let sent: Vec<_> = asked.into_iter().map(|request| tokio::spawn(Answer::of(request))).collect();
    let mut answers = Vec::new();
    for answer in sent {
        answers.push(answer.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_users_on_one_seat_are_one_winner_and_forty_nine_are_told_which_seat() {
    let server = Arc::new(Server::demo());
    let mut asked = Vec::new();
    for user in 101..=150 {
        let token = server.token(user).await;
        let request = server.request(Method::POST, "/api/concerts/reservation", &token);
        asked.push(request.json(&hold(user, 33)));
    }
    let (won, lost): (Vec<_>, Vec<_>) = at_once(asked).await.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 49));
    for refused in lost {
        assert_eq!(refused.problem(), (409, "seat-taken"));
        assert_eq!(refused.body["seatIds"], json!([33]));
        assert!(!refused.header("log-position").is_empty());
    }
    assert_eq!(server.count("SeatsHeld").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_times_the_same_reservation_by_its_holder_is_one_hold() {
    let server = Server::demo();
    let token = server.token(42).await;
    let asked = (0..50).map(|_| server.request(Method::POST, "/api/concerts/reservation", &token).json(&hold(42, 33)));
    let answers = at_once(asked.collect()).await;
    let id = answers[0].ok()["reservationId"].clone();
    assert!(answers.iter().all(|answer| answer.ok()["reservationId"] == id));
    assert_eq!(server.count("SeatsHeld").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_requests_with_one_idempotency_key_are_one_event_and_one_answer() {
    let server = Server::demo();
    let token = server.token(42).await;
    let charge = |amount: u64, key: &str| {
        let request = server.request(Method::POST, "/api/users/42/points/charge", &token);
        request.header("Idempotency-Key", key).json(&json!({ "amount": amount }))
    };
    let answers = at_once((0..32).map(|_| charge(700, "order-1")).collect()).await;
    assert!(answers.iter().all(|answer| answer.ok() == answers[0].ok()));
    let position = answers[0].header("log-position");
    assert!(answers.iter().all(|answer| answer.header("log-position") == position));
    let replayed = answers.iter().filter(|answer| answer.headers.contains_key("idempotent-replayed")).count();
    assert_eq!((replayed, server.count("PointsCharged").await), (31, 1));
    assert_eq!(Answer::of(charge(701, "order-1")).await.problem(), (422, "idempotency-key-reused"));
    assert_eq!(Answer::of(charge(1, "order-2")).await.ok()["currentBalance"], 701);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_its_first_answer_again_under_its_key() {
    let server = Server::demo();
    let keyed = |method: Method, path: &str, token: &str| {
        server.request(method, path, token).header("Idempotency-Key", "k-1").try_clone().unwrap()
    };
    let twice = async |request: &dyn Fn() -> reqwest::RequestBuilder| {
        let (first, again) = (Answer::of(request()).await, Answer::of(request()).await);
        assert_eq!(first.ok(), again.ok());
        assert!(!first.headers.contains_key("idempotent-replayed"));
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(first.header("log-position"), again.header("log-position"));
        first.body
    };
    let key = |name: &'static str| move |request: reqwest::RequestBuilder| request.header("Idempotency-Key", name);
    let _ = keyed;
    let token =
        twice(&|| key("t")(server.request(Method::POST, "/api/tokens", "")).json(&json!({ "userId": 9 }))).await;
    let token = token["token"].as_str().unwrap().to_owned();
    let charge =
        || server.request(Method::POST, "/api/users/9/points/charge", &token).json(&json!({ "amount": 200_000 }));
    twice(&|| key("c")(charge())).await;
    let reserve = || server.request(Method::POST, "/api/concerts/reservation", &token).json(&hold(9, 33));
    let held = twice(&|| key("h")(reserve())).await;
    let pay = json!({ "reservationId": held["reservationId"], "userId": 9, "paymentAmount": held["totalPrice"] });
    twice(&|| key("p")(server.request(Method::POST, "/api/payments", &token)).json(&pay)).await;
    let path = format!("/api/reservations/{}", held["reservationId"]);
    twice(&|| key("r")(server.request(Method::DELETE, &path, &token))).await;
    let fresh = server.token(9).await;
    twice(&|| key("l")(server.request(Method::DELETE, "/api/tokens/me", &fresh))).await;
    // The hold's first answer is still that it was held, though it is refunded since.
    let again = Answer::of(key("h")(reserve())).await;
    assert_eq!(again.ok()["reservationStatus"], "HELD");
}

/// A server that does not get to accept for a moment, as when everyone comes at once: nobody's connection is forgotten, for
/// then its client would try again only after a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_at_once_find_room_before_the_first_is_accepted() {
    const CROWD: usize = 1_000;
    /// Far longer than a connection takes that finds room, and far shorter than a thousand that each try again.
    const PATIENCE: Duration = Duration::from_secs(60);
    let server = Server::demo();
    let address = server.address().parse().unwrap();
    server.signal("STOP");
    let connecting = tokio::task::spawn_blocking(move || {
        (0..CROWD).map(|_| TcpStream::connect_timeout(&address, PATIENCE)).collect::<Result<Vec<_>, _>>()
    });
    let crowd = tokio::time::timeout(PATIENCE, connecting).await;
    server.signal("CONT");
    assert_eq!(crowd.unwrap().unwrap().unwrap().len(), CROWD);
    server.get("/api/queue", "").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_changes_that_come_at_once_are_each_answered_as_they_were_made_and_so_are_their_repeats() {
    let server = Server::start(&["--demo", "--operations", "127.0.0.1:0"]);
    let token = server.token(42).await;
    server.post("/api/users/42/points/charge", &token, json!({ "amount": 700 })).await.ok();
    let adjust = |number: u64| {
        let request = server.request_operations(Method::POST, "/api/operations/users/42/adjustments");
        request.header("Idempotency-Key", number.to_string()).json(&json!({ "amount": 1, "reason": "a voucher" }))
    };
    let balance = |answer: &Answer| answer.ok()["balance"].as_u64().unwrap();
    let first = at_once((0..12).map(adjust).collect()).await;
    let mut balances: Vec<u64> = first.iter().map(balance).collect();
    balances.sort_unstable();
    assert_eq!(balances, (701..=712).collect::<Vec<u64>>());
    for (first, number) in first.iter().zip(0..) {
        let again = Answer::of(adjust(number)).await;
        assert_eq!(again.header("Idempotent-Replayed"), "true");
        assert_eq!((balance(&again), again.header("Log-Position")), (balance(first), first.header("Log-Position")));
    }
}
