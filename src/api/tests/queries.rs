//! Queries, from the request to what is answered.

use super::*;

const SEATS_PATH: &str = "/api/concerts/1/schedules/1/seats";

#[tokio::test]
async fn one_s_own_token_and_balance_are_shown() {
    let server = Server::start(1).await;
    let (_, bob) = (server.token(ANN).await, server.token(BOB).await);
    let mine = server.get("/api/tokens/me", &bob).await;
    assert_eq!((&mine.body["token"], &mine.body["status"]), (&json!(bob), &json!("WAITING")));
    assert_eq!(mine.header("log-position"), Some("7"));
    assert_eq!(mine.header("cache-control"), Some("no-store"));
    server.charge(&bob, BOB, 7).await;
    let balance = server.get("/api/users/2/points/balance", &bob).await;
    assert_eq!(balance.body, json!({ "userId": 2, "balance": 7 }));
}

#[tokio::test]
async fn a_reservation_is_shown_to_its_owner_as_of_now() {
    let server = Server::start(10).await;
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    let held = server.reserve(&ann, ANN, &[1]).await;
    assert_eq!(server.get("/api/reservations/1", &ann).await.body, held.body);
    assert_eq!(server.get("/api/reservations/1", &bob).await.problem(), "not-yours");
    server.pass_seconds(limits::HOLD_SECONDS);
    let expired = server.get("/api/reservations/1", &ann).await;
    assert_eq!(expired.body["reservationStatus"], "EXPIRED");
    assert_eq!((expired.body.get("expiresAt"), expired.body.get("expiresInSeconds")), (None, None));
}

#[tokio::test]
async fn seats_are_listed_for_who_is_admitted() {
    let server = Server::start(1).await;
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    server.reserve(&ann, ANN, &[1]).await;
    let available = server.get(SEATS_PATH, &ann).await;
    assert_eq!(available.body.as_array().unwrap().len() as u64, SEATS - 1);
    assert_eq!(available.header("cache-control"), Some("private, no-cache"));
    let all = server.get("/api/concerts/1/schedules/1/seats?status=all", &ann).await;
    assert_eq!(all.body[0]["status"], "HELD");
    let refused = server.get(SEATS_PATH, &bob).await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (403, "not-admitted"));
    assert_eq!(refused.body["queueNumber"], 2);
    assert_eq!(refused.body["servingNumber"], 1);
    assert_eq!(refused.body["ahead"], 0);
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let server = Server::start(10).await;
    let ann = server.token(ANN).await;
    let cached = [("/api/queue", "public, max-age=1"), (SEATS_PATH, "private, no-cache")];
    let concerts = ["/api/concerts", "/api/concerts/1", "/api/concerts/1/dates"].map(|path| (path, "public, no-cache"));
    for (path, cache_control) in cached.into_iter().chain(concerts) {
        let first = server.get(path, &ann).await;
        assert_eq!((first.status, first.header("cache-control")), (StatusCode::OK, Some(cache_control)), "{path}");
        let etag = first.header("etag").unwrap();
        let headers = [("if-none-match", etag)];
        let again = server.ask(request(Method::GET, path, &ann, &headers, Body::empty())).await;
        assert_eq!((again.status, &again.body), (StatusCode::NOT_MODIFIED, &Value::Null));
        assert_eq!((again.header("etag"), again.header("cache-control")), (Some(etag), Some(cache_control)));
        assert!(again.headers.contains_key("log-position") && again.headers.contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn a_head_has_a_get_s_headers() {
    let server = Server::start(10).await;
    for path in ["/api/concerts", "/api/concerts/9", "/healthz"] {
        let got = server.get(path, "").await;
        let head = server.ask(request(Method::HEAD, path, "", &[], Body::empty())).await;
        assert_eq!((head.status, &head.body), (got.status, &Value::Null));
        for name in ["content-type", "content-length", "etag", "log-position"] {
            assert_eq!(head.header(name), got.header(name), "{name} of {path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_position_that_is_not_reached_is_waited_for_in_vain() {
    let server = Server::start(10).await;
    let reached = server.get("/api/concerts?minPosition=5", "").await;
    assert_eq!((reached.status, reached.header("log-position")), (StatusCode::OK, Some("5")));
    let behind = server.get("/api/concerts?minPosition=6", "").await;
    assert_eq!((behind.status.as_u16(), behind.problem()), (503, "read-model-behind"));
    assert_eq!(behind.header("log-position"), Some("5"));
    assert!(behind.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn the_process_tells_that_it_lives() {
    assert_eq!(Server::start(1).await.get("/healthz", "").await.body, json!({ "status": "ok" }));
}
