//! Bad input of every kind gets its problem, and leaves no event.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::server::{Answer, Server, TOKEN_1, TOKEN_2};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const CHARGE: &str = "/api/users/1/points/charge";
const RESERVE: &str = "/api/concerts/reservation";
const PAY: &str = "/api/payments";
const TOKENS: &str = "/api/tokens";

fn body(request: RequestBuilder, content_type: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    request.header("Content-Type", content_type).body(body)
}

async fn expect(request: RequestBuilder, status: u16, code: &str) -> Answer {
    let answer = Answer::of(request.try_clone().unwrap()).await;
    assert_eq!(answer.problem(), (status, code), "{request:?}: {}", answer.body);
    answer
}

#[tokio::test]
async fn every_malformed_body_has_its_problem_and_leaves_no_event() {
    let server = Server::demo();
    let before = server.event_types().await;
    let post = |path: &str| server.request(Method::POST, path, TOKEN_1);
    let json = "application/json";
    for malformed in ["", "{", "nonsense", "{\"amount\":1,}", "{\"amount\":01}", "{\"amount\":1} x"] {
        expect(body(post(CHARGE), json, malformed), 400, "malformed-body").await;
    }
    expect(body(post(CHARGE), json, vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}']), 400, "malformed-body").await;
    let charges = [
        "1",
        "null",
        "[]",
        "[1]",
        "\"1\"",
        "{}",
        "{\"amount\":null}",
        "{\"amount\":\"1\"}",
        "{\"amount\":true}",
        "{\"amount\":1.0}",
        "{\"amount\":1.5}",
        "{\"amount\":1e3}",
        "{\"amount\":0}",
        "{\"amount\":-1}",
        "{\"amount\":10000001}",
        "{\"amount\":99999999999999999999999999}",
        "{\"amount\":[1]}",
        "{\"amount\":{}}",
        "{\"amount\":1,\"currency\":\"KRW\"}",
        "{\"Amount\":1}",
        "{\"amount\":1,\"amount\":2}",
    ];
    for charge in charges {
        let answer = expect(body(post(CHARGE), json, charge), 422, "invalid-request").await;
        let errors = answer.body["errors"].as_array().unwrap_or_else(|| panic!("{charge}: {}", answer.body));
        assert!(
            !errors.is_empty() && errors.iter().all(|error| error["field"].is_string() && error["message"].is_string())
        );
    }
    let reservation = |changes: serde_json::Value| {
        let mut body = json!({ "concertId": 1, "scheduleId": 296, "userId": 1 });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    for changes in [
        json!({}),
        json!({ "seatId": 1, "seatIds": [1] }),
        json!({ "seatIds": [] }),
        json!({ "seatIds": [1, 1] }),
        json!({ "seatIds": [1, 2, 3, 4, 5] }),
        json!({ "seatIds": 1 }),
        json!({ "seatIds": ["1"] }),
        json!({ "seatId": 0 }),
        json!({ "seatId": 9_007_199_254_740_992_u64 }),
        json!({ "seatId": [1] }),
        json!({ "seatId": 1, "userId": "1" }),
        json!({ "seatId": 1, "seat": 2 }),
    ] {
        expect(post(RESERVE).json(&reservation(changes)), 422, "invalid-request").await;
    }
    let all =
        expect(post(RESERVE).json(&json!({ "concertId": "a", "userId": -1, "x": 1 })), 422, "invalid-request").await;
    let named: Vec<_> =
        all.body["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    for field in ["concertId", "scheduleId", "userId", "x"] {
        assert!(named.contains(&field), "{field} is not in {named:?}");
    }
    for users in [json!({}), json!({ "userId": 0 }), json!({ "userId": "1" }), json!({ "userId": 1, "name": "Ann" })] {
        expect(server.request(Method::POST, TOKENS, "").json(&users), 422, "invalid-request").await;
    }
    expect(post(PAY).json(&json!({ "reservationId": 1, "userId": 1, "paymentAmount": -1 })), 422, "invalid-request")
        .await;
    for kind in ["text/plain", "application/problem+json", "application/vnd.api+json", "application/jsonx", ""] {
        expect(body(post(CHARGE), kind, "{\"amount\":1}"), 415, "unsupported-media-type").await;
    }
    expect(post(CHARGE).body("{\"amount\":1}"), 415, "unsupported-media-type").await;
    assert_eq!(server.event_types().await, before);
    let exact = Answer::of(body(post(CHARGE), "application/json; charset=utf-8", "{\"amount\":1}")).await;
    exact.ok();
}

#[tokio::test]
async fn a_body_has_16_kib_at_most() {
    let server = Server::demo();
    let sized = |bytes: usize| {
        let text = format!("{{\"amount\":1{}}}", " ".repeat(bytes - "{\"amount\":1}".len()));
        body(server.request(Method::POST, CHARGE, TOKEN_1), "application/json", text)
    };
    Answer::of(sized(16 * 1024)).await.ok();
    expect(sized(16 * 1024 + 1), 413, "body-too-large").await;
    assert_eq!(server.count("PointsCharged").await, 1);
}

#[tokio::test]
async fn a_token_is_asked_for_before_anything_else_is_looked_at() {
    let server = Server::demo();
    let before = server.event_types().await;
    for (token, code) in [
        ("", "token-missing"),
        ("nonsense", "token-malformed"),
        ("Bearer", "token-malformed"),
        ("Bearer x y", "token-malformed"),
        ("Basic dXNlcjpwYXNz", "token-malformed"),
        (UNKNOWN, "token-unknown"),
    ] {
        let post = |path: &str| server.request(Method::POST, path, token);
        for request in [
            post(CHARGE).json(&json!({ "amount": 1 })),
            body(post(CHARGE), "text/plain", "x"),
            body(post(CHARGE), "application/json", "{"),
            body(post(CHARGE), "application/json", " ".repeat(20_000)),
            post(CHARGE).json(&json!({ "amount": 0 })),
            post("/api/users/x/points/charge").json(&json!({ "amount": 1 })),
            post(CHARGE).header("Idempotency-Key", "a b").json(&json!({ "amount": 1 })),
            server.request(Method::GET, "/api/tokens/me", token),
            server.request(Method::GET, "/api/users/x/points/balance", token),
            server.request(Method::GET, "/api/concerts/9/schedules/9/seats?status=none", token),
            server.request(Method::DELETE, "/api/reservations/x", token),
        ] {
            let answer = expect(request, 401, code).await;
            assert!(!answer.header("www-authenticate").is_empty());
        }
    }
    assert_eq!(server.event_types().await, before);
    for form in [TOKEN_1.to_owned(), format!("Bearer {TOKEN_1}"), format!("bearer {TOKEN_1}"), TOKEN_1.to_uppercase()] {
        server.get("/api/tokens/me", &form).await.ok();
    }
}

#[tokio::test]
async fn routes_methods_paths_and_parameters_have_their_problems() {
    let server = Server::demo();
    let get = |path: &str| server.request(Method::GET, path, TOKEN_1);
    for path in ["/nothing", "/api", "/api/nothing", "/api/tokens/you", "/api/concerts/1/"] {
        expect(get(path), 404, "route-not-found").await;
    }
    for (method, path) in
        [(Method::PUT, TOKENS), (Method::GET, PAY), (Method::DELETE, "/api/concerts"), (Method::POST, "/api/queue")]
    {
        let answer = expect(server.request(method, path, ""), 405, "method-not-allowed").await;
        assert!(!answer.header("allow").is_empty());
    }
    for id in ["x", "0", "-1", "1.5", "9007199254740992", "%00", "%FF", "1%20"] {
        expect(get(&format!("/api/concerts/{id}")), 400, "malformed-path").await;
        expect(get(&format!("/api/reservations/{id}")), 400, "malformed-path").await;
    }
    for query in ["minPosition=x", "minPosition=-1", "minPosition=1.5", "minPosition="] {
        expect(get(&format!("/api/concerts?{query}")), 422, "invalid-request").await;
    }
    expect(get("/api/concerts/1/schedules/1/seats?status=none"), 422, "invalid-request").await;
    for key in ["", "a b", "é"] {
        let keyed =
            server.request(Method::POST, CHARGE, TOKEN_1).header("Idempotency-Key", key).json(&json!({ "amount": 1 }));
        expect(keyed, 400, "malformed-header").await;
    }
    let longest =
        |bytes: usize| server.request(Method::POST, CHARGE, TOKEN_1).header("Idempotency-Key", "k".repeat(bytes));
    Answer::of(longest(255).json(&json!({ "amount": 1 }))).await.ok();
    expect(longest(256).json(&json!({ "amount": 1 })), 400, "malformed-header").await;
}

#[tokio::test]
async fn what_is_not_there_or_not_ones_own_has_its_problem() {
    let server = Server::demo();
    let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": 1, "seatId": 1 });
    let id = server.post(RESERVE, TOKEN_1, hold.clone()).await.ok()["reservationId"].as_u64().unwrap();
    let before = server.event_types().await;
    let get = |path: &str, token: &str| server.request(Method::GET, path, token);
    let post = |path: &str, token: &str| server.request(Method::POST, path, token);
    for (path, code) in [
        ("/api/concerts/9", "concert-not-found"),
        ("/api/concerts/9/dates", "concert-not-found"),
        ("/api/concerts/9/schedules/1/seats", "concert-not-found"),
        ("/api/concerts/1/schedules/301/seats", "schedule-not-found"),
        ("/api/concerts/1/schedules/9999/seats", "schedule-not-found"),
        ("/api/reservations/999", "reservation-not-found"),
    ] {
        expect(get(path, TOKEN_1), 404, code).await;
    }
    let asking = |changes: serde_json::Value| {
        let mut asked = hold.clone();
        asked.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        post(RESERVE, TOKEN_1).json(&asked)
    };
    expect(asking(json!({ "concertId": 9 })), 404, "concert-not-found").await;
    expect(asking(json!({ "scheduleId": 301 })), 404, "schedule-not-found").await;
    expect(asking(json!({ "seatId": 51 })), 404, "seat-not-found").await;
    expect(asking(json!({ "userId": 2 })), 403, "not-yours").await;
    let pay = |reservation: u64, amount: u64| {
        post(PAY, TOKEN_1).json(&json!({ "reservationId": reservation, "userId": 1, "paymentAmount": amount }))
    };
    expect(pay(999, 1), 404, "reservation-not-found").await;
    let mismatch = expect(pay(id, 1), 409, "amount-mismatch").await;
    assert_eq!(mismatch.body["required"], 200_000);
    let poor = expect(pay(id, 200_000), 409, "insufficient-points").await;
    assert_eq!((&poor.body["balance"], &poor.body["required"]), (&json!(0), &json!(200_000)));
    let theirs = json!({ "reservationId": id, "userId": 2, "paymentAmount": 200_000 });
    expect(post(PAY, TOKEN_2).json(&theirs), 403, "not-yours").await;
    expect(get(&format!("/api/reservations/{id}"), TOKEN_2), 403, "not-yours").await;
    expect(server.request(Method::DELETE, &format!("/api/reservations/{id}"), TOKEN_2), 403, "not-yours").await;
    expect(get("/api/users/2/points/balance", TOKEN_1), 403, "not-yours").await;
    expect(post("/api/users/2/points/charge", TOKEN_1).json(&json!({ "amount": 1 })), 403, "not-yours").await;
    let limit = json!({ "concertId": 1, "scheduleId": 1, "userId": 1, "seatIds": [2, 3, 4, 5] });
    assert_eq!(expect(post(RESERVE, TOKEN_1).json(&limit), 409, "seat-limit-reached").await.body["limit"], 4);
    assert_eq!(server.event_types().await, before);
}

#[tokio::test]
async fn a_request_id_is_taken_over_if_it_is_sane_and_is_on_every_answer() {
    let server = Server::demo();
    let sent = |id: &str| server.request(Method::GET, "/api/concerts", "").header("X-Request-Id", id);
    for id in ["abc-1._Z", &"x".repeat(128)] {
        assert_eq!(Answer::of(sent(id)).await.header("x-request-id"), id);
    }
    for id in ["a b", "a/b", "<script>", &"x".repeat(129)] {
        let made = Answer::of(sent(id)).await;
        assert!(made.header("x-request-id") != id && made.header("x-request-id").len() == 36);
    }
    assert_eq!(server.get("/nowhere", "").await.problem().0, 404);
}

/// Writes raw bytes and reads what comes back until the server closes, or two seconds of silence.
fn raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let _ = stream.write_all(bytes);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bytes_end_a_connection_and_nothing_else() {
    let server = Server::demo();
    let (head, auth) =
        ("POST /api/users/1/points/charge HTTP/1.1\r\nHost: x\r\n", format!("Authorization: {TOKEN_1}\r\n"));
    let hostile: Vec<(String, &str)> = vec![
        ("\0\0\0\0\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), "400"),
        (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000)), "4"),
        (format!("{head}X: {}\r\n\r\n", "a".repeat(1_000_000)), "4"),
        (format!("{head}{auth}Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{{"), "413"),
        (format!("{head}{auth}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{{}}"), "400"),
        (format!("{head}{auth}Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n"), "400"),
    ];
    for (bytes, status) in hostile {
        let said = raw(server.address(), bytes.as_bytes());
        assert!(said.is_empty() || said.starts_with(&format!("HTTP/1.1 {status}")), "{said}");
    }
    let mut chunks = format!("{head}{auth}Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n");
    for _ in 0..20 {
        chunks.push_str(&format!("400\r\n{}\r\n", " ".repeat(1024)));
    }
    assert!(raw(server.address(), chunks.as_bytes()).starts_with("HTTP/1.1 413"));
    server.get("/readyz", "").await.ok();
    assert_eq!(server.count("PointsCharged").await, 0);
    assert!(!server.output().contains("panicked"), "{}", server.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_after_its_refusal_does_not_end_the_connection() {
    let server = Server::demo();
    for head in ["POST /api/payments", "POST /api/nowhere", "POST /api/queue", "DELETE /api/tokens/me"] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        write!(stream, "{head} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n").unwrap();
        for part in ["{\"a\":", "1234", "}", "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"] {
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(part.as_bytes()).unwrap_or_else(|error| panic!("{head}: {error}"));
        }
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 4") && said.contains("HTTP/1.1 200"), "{head}: {said}");
    }
}
