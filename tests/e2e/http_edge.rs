//! The edge of HTTP: hosts, heads, codings, clients that stop talking, and more of them than there is room for.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::server::{Answer, Server, TOKEN_1};

/// Writes these bytes, says that there are no more, and reads what comes back.
fn said(server: &Server, bytes: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let _ = stream.write_all(bytes.as_bytes());
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn charge(headers: &str, body: &str) -> String {
    let fixed = format!("Authorization: {TOKEN_1}\r\nContent-Type: application/json\r\n");
    format!("POST /api/users/1/points/charge HTTP/1.1\r\n{headers}{fixed}\r\n{body}")
}

#[test]
fn who_has_said_all_is_still_answered() {
    let server = Server::demo();
    for number in 1..=20 {
        let answer = said(&server, &charge("Host: x\r\nContent-Length: 12\r\n", "{\"amount\":1}"));
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains(&format!("\"currentBalance\":{number},")),
            "{answer}"
        );
    }
}

#[test]
fn a_request_names_one_host_and_a_body_has_no_coding_that_is_not_known() {
    let server = Server::demo();
    let body = "c\r\n{\"amount\":1}\r\n0\r\n\r\n";
    let length = "Content-Length: 12\r\n";
    for (request, status) in [
        ("GET /healthz HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n".to_owned(), "400"),
        ("GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), "400"),
        ("GET /healthz HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n".to_owned(), "200"),
        ("GET /healthz HTTP/1.0\r\n\r\n".to_owned(), "200"),
        (charge("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", body), "501"),
        (charge("Host: a\r\nTransfer-Encoding: chunked\r\n", body), "200"),
        (charge(&format!("Host: a\r\n{length}Content-Encoding: gzip\r\n"), "{\"amount\":1}"), "415"),
    ] {
        let answer = said(&server, &request);
        assert!(
            answer.starts_with(&format!("HTTP/1.{} {status}", 1)) || answer.starts_with(&format!("HTTP/1.0 {status}")),
            "{request}: {answer}"
        );
        assert!(answer.to_lowercase().contains("x-content-type-options: nosniff"), "{answer}");
    }
}

#[test]
fn a_head_has_64_kib_at_most() {
    let server = Server::demo();
    let sized = |bytes: usize| {
        let (before, after) = ("GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", "\r\nConnection: close\r\n\r\n");
        said(&server, &format!("{before}{}{after}", "a".repeat(bytes - before.len() - after.len())))
    };
    assert!(sized(64 * 1024).starts_with("HTTP/1.1 200"));
    assert!(sized(64 * 1024 + 1).starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn of_more_connections_than_there_is_room_for_those_that_idle_go() {
    let server = Server::start(&["--demo", "--max-connections", "8"]);
    let idle: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    for _ in 0..5 {
        // Over a connection of its own: one that is kept idles as well, and may go just when it is used again.
        let asked = server.request(Method::GET, "/healthz", "").header("Connection", "close");
        tokio::time::timeout(Duration::from_secs(5), Answer::of(asked)).await.unwrap().ok();
    }
    let mut first = &idle[0];
    first.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert!(matches!(first.read(&mut [0; 1]), Ok(0) | Err(_)), "the first of them was let go");
}

#[tokio::test]
async fn lists_are_sent_compressed_to_whoever_takes_that() {
    let server = Server::demo();
    let seats = "/api/concerts/1/schedules/296/seats?status=all";
    for (path, token) in
        [(seats, TOKEN_1), ("/api/concerts", ""), ("/api/concerts/1", ""), ("/api/concerts/1/dates", "")]
    {
        let plain = Answer::of(server.request(Method::GET, path, token)).await;
        plain.ok();
        assert_eq!(plain.header("vary"), "Accept-Encoding");
        let asked = || server.request(Method::GET, path, token).header("Accept-Encoding", "gzip");
        let zipped = asked().send().await.unwrap();
        let etag = zipped.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(zipped.headers()["content-encoding"], "gzip");
        assert_eq!(zipped.headers()["vary"], "Accept-Encoding");
        assert_ne!(etag, plain.header("etag"));
        let bytes = zipped.bytes().await.unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), plain.body);
        let again = asked().header("If-None-Match", &etag).send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, etag.as_str()));
    }
}

#[tokio::test]
async fn a_token_never_becomes_a_request_s_id() {
    let server = Server::demo();
    let token = server.token(77).await;
    let asked = server.request(Method::POST, "/api/tokens", "").header("X-Request-Id", &token);
    let answer = Answer::of(asked.json(&json!({ "userId": 77 }))).await;
    assert_ne!(answer.header("x-request-id"), token);
    let log = std::fs::read(server.folder().join("log.db-wal")).unwrap_or_default();
    assert!(!log.windows(token.len()).any(|bytes| bytes == token.as_bytes()));
}

#[tokio::test]
async fn whoever_gives_up_only_a_hold_never_takes_a_sale_back() {
    let server = Server::demo();
    server.post("/api/users/1/points/charge", TOKEN_1, json!({ "amount": 1_000_000 })).await.ok();
    let seat = json!({ "concertId": 1, "scheduleId": 296, "userId": 1, "seatId": 1, "seatIds": null });
    let held = server.post("/api/concerts/reservation", TOKEN_1, seat).await.ok().clone();
    let pay = json!({ "reservationId": held["reservationId"], "userId": 1, "paymentAmount": held["totalPrice"] });
    server.post("/api/payments", TOKEN_1, pay).await.ok();
    let path = format!("/api/reservations/{}", held["reservationId"]);
    let only_hold = server.delete(&format!("{path}?only=hold"), TOKEN_1).await;
    assert_eq!(only_hold.problem(), (409, "reservation-not-held"));
    for wrong in ["only=x", "onyl=hold", "Only=hold", "only=hold&only=hold&then=pay"] {
        let refused = server.delete(&format!("{path}?{wrong}"), TOKEN_1).await;
        assert_eq!(refused.problem(), (422, "invalid-request"), "{wrong}");
    }
    let shown = server.get(&path, TOKEN_1).await.ok().clone();
    assert_eq!((&shown["reservationStatus"], shown.get("expiresInSeconds")), (&json!("PAID"), None));
    assert_eq!(server.delete(&path, TOKEN_1).await.ok()["reservationStatus"], "REFUNDED");
}

#[test]
fn a_capacity_that_is_not_that_of_the_log_is_told() {
    let folder = tempfile::tempdir().unwrap();
    drop(Server::start_in(folder.path(), &["--capacity", "7"]));
    let server = Server::start_in(folder.path(), &["--capacity", "9"]);
    let output = server.output();
    assert!(
        output.contains("--capacity 9") && output.contains("7 slots") && output.contains("reprise room set"),
        "{output}"
    );
}
