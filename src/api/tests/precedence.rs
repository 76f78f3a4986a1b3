//! Which of several faults is told, and the faults of the door.

use axum::routing::MethodFilter;

use super::*;
use crate::api::shared::contract::file;
use crate::api::shared::routes::{Routes, Threshold};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const CHARGE: &str = "/api/users/1/points/charge";

/// Path, token, headers and body of a charge, and the code that it gets.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

/// A charge as it must be, but for what is given here.
async fn charge_with(server: &Server, path: &str, token: &str, headers: &[(&str, &str)], body: &str) -> String {
    let answered = server.ask(request(Method::POST, path, token, headers, Body::from(body.to_owned()))).await;
    answered.problem().to_owned()
}

#[tokio::test]
async fn faults_are_told_in_the_contract_s_order() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    let (json, key) = (("content-type", "application/json"), ("idempotency-key", "two words"));
    let large = "x".repeat(16 * 1024 + 1);
    let bad_path = "/api/users/x/points/charge";
    let other = "/api/users/2/points/charge";
    let cases: [Case<'_>; 12] = [
        ("/api/nothing/here", "", &[], &large, "route-not-found"),
        (bad_path, "", &[key], &large, "token-missing"),
        (bad_path, "no token", &[key], &large, "token-malformed"),
        (bad_path, UNKNOWN, &[key], &large, "token-unknown"),
        (bad_path, &token, &[key], &large, "unsupported-media-type"),
        (bad_path, &token, &[key, json], &large, "body-too-large"),
        (bad_path, &token, &[key, json], "", "malformed-header"),
        (bad_path, &token, &[json], "[1]", "malformed-path"),
        (other, &token, &[json], "{", "malformed-body"),
        (other, &token, &[json], "[1]", "invalid-request"),
        (other, &token, &[json], "{\"amount\":0}", "invalid-request"),
        (other, &token, &[json], "{\"amount\":1}", "not-yours"),
    ];
    for (path, token, headers, body, code) in cases {
        assert_eq!(charge_with(&server, path, token, headers, body).await, code, "{path} {token:?} {headers:?}");
    }
}

#[tokio::test]
async fn an_expired_token_goes_before_what_else_is_wrong() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    server.pass_seconds(600);
    assert_eq!(charge_with(&server, CHARGE, &token, &[], "").await, "token-expired");
    assert_eq!(server.charge(&token, ANN, 1).await.problem(), "token-expired");
    assert_eq!(server.get("/api/reservations/x", &token).await.problem(), "token-expired");
    assert_eq!(server.get("/api/tokens/me", &token).await.problem(), "token-expired");
}

#[tokio::test]
async fn a_query_s_faults_are_told_in_the_contract_s_order() {
    let server = Server::start_projecting(1).await;
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    let cases = [
        ("/api/concerts/x/schedules/1/seats?status=x", "", "token-missing"),
        ("/api/concerts/x/schedules/1/seats?status=x", UNKNOWN, "token-unknown"),
        ("/api/concerts/x/schedules/1/seats?status=x", &bob, "malformed-path"),
        ("/api/concerts/9/schedules/1/seats?status=x", &bob, "invalid-request"),
        ("/api/concerts/9/schedules/1/seats?minPosition=x", &bob, "invalid-request"),
        ("/api/concerts/9/schedules/1/seats", &bob, "not-admitted"),
        ("/api/concerts/9/schedules/1/seats", &ann, "concert-not-found"),
        ("/api/concerts/1/schedules/9/seats", &ann, "schedule-not-found"),
        ("/api/users/9/points/balance", &ann, "not-yours"),
        ("/api/users/%31%ff/points/balance", &ann, "malformed-path"),
        ("/api/reservations/9", &ann, "reservation-not-found"),
        ("/api/concerts/9", "", "concert-not-found"),
        ("/api/concerts/9/dates", "", "concert-not-found"),
        ("/api/concerts/0", "", "malformed-path"),
        ("/api/concerts/1/", "", "route-not-found"),
        ("/nowhere", "", "route-not-found"),
    ];
    for (path, token, code) in cases {
        assert_eq!(server.get(path, token).await.problem(), code, "{path}");
    }
}

#[tokio::test]
async fn every_wrong_member_is_named() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    let body = json!({ "concertId": "1", "scheduleId": 1.5, "userid": 1, "seatId": 0 });
    let answered = server.post("/api/concerts/reservation", &token, &body).await;
    assert_eq!(answered.problem(), "invalid-request");
    let errors = answered.body["errors"].as_array().unwrap();
    let fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["concertId", "scheduleId", "userId", "seatId", "userid"]);
    assert!(errors.iter().all(|error| error["message"].is_string()));
}

#[tokio::test]
async fn a_route_without_the_method_tells_which_it_has() {
    let server = Server::start(10).await;
    let put = server.ask(request(Method::PUT, "/api/tokens/me", "", &[], Body::empty())).await;
    assert_eq!(put.problem(), "method-not-allowed");
    let mut allowed: Vec<_> = put.header("allow").unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD"]);
    let get = server.get("/api/payments", "").await;
    assert_eq!((get.problem(), get.header("allow")), ("method-not-allowed", Some("POST")));
}

#[tokio::test]
async fn the_request_s_id_is_the_client_s_unless_that_is_the_token() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    for (id, kept) in [("load-test.7", true), (token.as_str(), false), ("not sane", false)] {
        let headers = [("x-request-id", id)];
        let answered = server.ask(request(Method::GET, "/api/tokens/me", &token, &headers, Body::empty())).await;
        assert_eq!(answered.header("x-request-id") == Some(id), kept, "{id}");
    }
}

impl Threshold for () {
    fn cross(&self, _: &Request<Body>) -> Result<(), crate::api::shared::problem::Problem> {
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_is_our_fault_and_tells_nothing() {
    async fn fails(_: (), _: Request<Body>) -> crate::api::shared::problem::Outcome {
        panic!("the secret");
    }
    let router = Routes::new("").route(MethodFilter::GET, "/", fails, file("", "text/plain")).complete(());
    let answered = Server { router, ..Server::start(1).await }.get("/", "").await;
    assert_eq!((answered.status, answered.problem()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    assert!(!answered.body.to_string().contains("secret"));
}
