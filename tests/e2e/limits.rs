//! How much one user and one address may ask, and whose pages may ask at all.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use reqwest::{Method, Response};
use serde_json::json;

use crate::server::{Answer, Server, TOKEN_1, TOKEN_2};

const CHARGE: &str = "/api/users/1/points/charge";

#[tokio::test]
async fn a_user_may_command_so_often_and_is_turned_away_before_anything_is_decided() {
    let server = Server::start(&["--demo", "--rate-limit-user", "1"]);
    let charge = async || server.post(CHARGE, TOKEN_1, json!({ "amount": 1 })).await;
    for _ in 0..5 {
        // What is refused before it could be decided is not counted.
        assert_eq!(server.post(CHARGE, TOKEN_1, json!({ "amount": 0 })).await.problem().0, 422);
    }
    charge().await.ok();
    charge().await.ok();
    let third = charge().await;
    assert_eq!(third.problem(), (429, "rate-limited"));
    let seconds: u64 = third.header("retry-after").parse().unwrap();
    assert_eq!(server.post(CHARGE, TOKEN_1, json!({ "amount": 0 })).await.problem().0, 422, "that goes first");
    server.post("/api/users/2/points/charge", TOKEN_2, json!({ "amount": 1 })).await.ok();
    let unknown = "00000000-0000-4000-8000-000000000000";
    for _ in 0..3 {
        let answer = server.post(CHARGE, unknown, json!({ "amount": 1 })).await;
        assert_eq!(answer.problem(), (401, "token-unknown"));
        server.get("/api/users/1/points/balance", TOKEN_1).await.ok();
    }
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    charge().await.ok();
    assert_eq!(server.count("PointsCharged").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_may_ask_so_often_whoever_it_says_that_it_is() {
    let more = ["--rate-limit-address", "2", "--trusted-proxies", "127.0.0.0/8,::1", "--operations", "127.0.0.1:0"];
    let server = Server::start(&[&["--demo"], &more[..]].concat());
    let from = async |address: &str, path: &str| {
        let asked = server.request(Method::GET, path, "").header("X-Forwarded-For", address);
        Answer::of(asked).await
    };
    for _ in 0..4 {
        from("198.51.100.7", "/api/queue").await.ok();
    }
    let limited = from("203.0.113.1, 198.51.100.7, 127.0.0.9", "/api/queue").await;
    assert_eq!(limited.problem(), (429, "rate-limited"));
    assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(from("198.51.100.7", "/api/tokens/me").await.problem().0, 429, "before 401");
    assert_eq!(from("198.51.100.7", "/api/nowhere").await.problem().0, 404, "after 404");
    from("198.51.100.8", "/api/queue").await.ok();
    for host in 1..=4 {
        from(&format!("2001:db8:0:7::{host}"), "/api/queue").await.ok();
    }
    assert_eq!(from("2001:db8:0:7:ffff::5", "/api/queue").await.problem().0, 429, "a customer has 64 bits");
    from("2001:db8:0:8::1", "/api/queue").await.ok();
    // One address, whichever listener it asks; the socket has none.
    let operations = server.ask_operations("/api/operations/room").header("X-Forwarded-For", "198.51.100.7");
    assert_eq!(Answer::of(operations).await.problem().0, 429);
    for _ in 0..8 {
        let mut socket = UnixStream::connect(server.folder().join("operations.sock")).unwrap();
        let asked = "GET /api/operations/room HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n";
        socket.write_all(asked.as_bytes()).unwrap();
        let mut said = String::new();
        socket.read_to_string(&mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn pages_of_other_origins_may_ask_where_they_are_named() {
    let named = ["--cors-origin", "https://tickets.example", "--cors-origin", "http://localhost:5173"];
    let server = Server::start(&[&["--demo"], &named[..]].concat());
    let asked = async |method: Method, path: &str, origin: &str| {
        let asked = server.request(method, path, "").header("Origin", origin);
        asked.header("Access-Control-Request-Method", "POST").send().await.unwrap()
    };
    for origin in ["https://tickets.example", "http://localhost:5173"] {
        let preflight = asked(Method::OPTIONS, "/api/tokens", origin).await;
        assert_eq!(preflight.status(), 204);
        assert_eq!(header(&preflight, "access-control-allow-origin"), Some(origin));
        assert!(header(&preflight, "access-control-allow-methods").unwrap().contains("DELETE"));
        assert!(header(&preflight, "access-control-allow-headers").unwrap().contains("Idempotency-Key"));
        assert_eq!(header(&preflight, "x-content-type-options"), Some("nosniff"));
        for path in ["/api/queue", "/api/tokens/me", "/api/nowhere"] {
            let answer = asked(Method::GET, path, origin).await;
            assert_eq!(header(&answer, "access-control-allow-origin"), Some(origin), "{path}");
            assert_eq!(header(&answer, "vary").map(|vary| vary.contains("Origin")), Some(true), "{path}");
            let exposed = header(&answer, "access-control-expose-headers").unwrap();
            for name in ["Log-Position", "ETag", "Link", "Retry-After", "X-Request-Id", "Idempotent-Replayed"] {
                assert!(exposed.contains(name), "{exposed}");
            }
        }
    }
    for origin in ["https://evil.example", "null", "https://tickets.example:8443", "http://tickets.example"] {
        let preflight = asked(Method::OPTIONS, "/api/tokens", origin).await;
        assert_eq!((preflight.status().as_u16(), header(&preflight, "access-control-allow-origin")), (405, None));
        let answer = asked(Method::GET, "/api/queue", origin).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (200, None));
    }
    let plain = Server::start(&["--demo"]);
    let answer = plain.request(Method::GET, "/api/queue", "").header("Origin", "https://tickets.example").send().await;
    let answer = answer.unwrap();
    assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control")), "{answer:?}");
}
