//! What no client of HTTP sends: it is written as bytes, and what comes back is held against the documents all the same.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};

use super::{Exchange, hold};
use crate::server::Server;

/// Longer than a body is waited for.
const PATIENCE: Duration = Duration::from_secs(40);

/// Writes a head and a body to `address`, and tells the code of the problem that comes back.
fn told(address: &str, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{headers}\r\n");
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = Vec::new();
    // Whoever is refused so has the connection ended.
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
    };
    let headers: HeaderMap = lines.map(header).collect();
    let url = format!("http://{address}{path}");
    let request = reqwest::Client::new().request(Method::POST, url).build().unwrap();
    let body = &answer[end + 4..];
    hold(&Exchange { request: &request, status: status.parse::<StatusCode>().unwrap(), headers: &headers, body });
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    body["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_coding_that_is_not_known_and_a_body_that_does_not_come_are_told_on_both_listeners() {
    let server = Server::start(&["--demo", "--operations", "127.0.0.1:0"]);
    let operations = server.operations_address();
    let places = [(server.address(), "/api/tokens"), (&*operations, "/api/operations/pause")];
    std::thread::scope(|threads| {
        for (address, path) in places {
            threads.spawn(move || {
                let coded = told(address, path, "Transfer-Encoding: gzip, chunked", "2\r\n{}\r\n0\r\n\r\n");
                assert_eq!(coded, "transfer-coding-unknown", "{path}");
                assert_eq!(told(address, path, "Content-Length: 9", "{"), "request-timeout", "{path}");
            });
        }
    });
}
