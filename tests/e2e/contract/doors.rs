//! What stands before a route's own rules is told by every route that declares it: no list is kept here, the documents say which.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::task::JoinSet;

use super::DOCUMENTS;
use super::bodies::{fit_body, needed_parameters};
use super::document::Operation;
use crate::server::{Answer, Server, TOKEN_1};

/// The largest body of a command, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// Requests at once: fewer than the connections that the operators' listener has.
const AT_ONCE: usize = 16;
/// A position that no log reaches.
const NEVER: u64 = (1 << 53) - 1;
/// A key under which user 1 and the operator have asked for something else.
const USED_KEY: &str = "used";

/// How a request is spoilt; `None` where there is nothing to spoil.
type Spoil = fn(&Server, &Operation, &str) -> Option<RequestBuilder>;

/// What is said of it.
const SPOILS: [(&str, Spoil); 7] = [
    ("malformed-path", |server, operation, path| {
        let parts: Vec<&str> = path.split('/').map(|part| if part.starts_with('1') { "x" } else { part }).collect();
        Some(with_body(server, operation, &parts.join("/")))
    }),
    // Where the path says all, a body is no JSON to be read.
    ("malformed-body", |server, operation, path| {
        let has_body = fit_body(operation).is_some();
        has_body.then(|| ask(server, operation, path).header("Content-Type", "application/json").body("{"))
    }),
    ("unsupported-media-type", |server, operation, path| {
        Some(ask(server, operation, path).header("Content-Type", "text/plain").body("{}"))
    }),
    ("body-too-large", |server, operation, path| {
        let body = " ".repeat(MAX_BODY_BYTES + 1);
        // A catalogue may be larger than anyone likes to send here: see the tests of `src/api`.
        let is_a_file = operation.path.ends_with("/catalog");
        (!is_a_file).then(|| ask(server, operation, path).header("Content-Type", "application/json").body(body))
    }),
    // Each parameter is given twice, and is nonsense.
    ("invalid-request", |server, operation, path| {
        let names = operation.query_parameters().map(|parameter| parameter["name"].as_str().unwrap());
        let given: Vec<String> = names.map(|name| format!("{name}=!&{name}=!")).collect();
        let path = path.split('?').next().unwrap();
        (!given.is_empty()).then(|| with_body(server, operation, &format!("{path}?{}", given.join("&"))))
    }),
    ("read-model-behind", |server, operation, path| {
        let waits = operation.query_parameters().any(|parameter| parameter["name"] == "minPosition");
        let mark = if path.contains('?') { '&' } else { '?' };
        waits.then(|| ask(server, operation, &format!("{path}{mark}minPosition={NEVER}")))
    }),
    ("idempotency-key-reused", |server, operation, path| {
        // Without an identity provider nobody is known by a subject.
        let is_taken = operation.path != "/api/operations/users";
        is_taken.then(|| with_body(server, operation, path).header("Idempotency-Key", USED_KEY))
    }),
];

/// Of user 1, or of an operator.
fn ask(server: &Server, operation: &Operation, path: &str) -> RequestBuilder {
    let method: Method = operation.method.parse().unwrap();
    match operation.listener() {
        "public" => server.request(method, path, TOKEN_1),
        _ => server.request_operations(method, path),
    }
}

/// The same, with a body where one must come.
fn with_body(server: &Server, operation: &Operation, path: &str) -> RequestBuilder {
    let request = ask(server, operation, path);
    match fit_body(operation) {
        Some(body) => request.json(&body),
        None => request,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_tells_what_it_declares_of_requests_that_are_spoilt() {
    let server = Server::start(&["--demo", "--operations", "127.0.0.1:0"]);
    let charge = json!({ "amount": 2 });
    let by_user = server.request(Method::POST, "/api/users/1/points/charge", TOKEN_1);
    let by_operator = server.request_operations(Method::POST, "/api/operations/users/1/charges");
    for request in [by_user, by_operator] {
        Answer::of(request.header("Idempotency-Key", USED_KEY).json(&charge)).await.ok();
    }
    let (mut asking, mut tried, mut wrong) = (JoinSet::new(), 0, Vec::new());
    for operation in DOCUMENTS.iter().flat_map(|document| document.operations()) {
        let path = needed_parameters(&operation, &operation.path.replace("{name}", "sales"));
        for (code, spoil) in SPOILS.iter().filter(|(code, _)| operation.problems().iter().any(|known| known == code)) {
            let Some(request) = spoil(&server, &operation, &path) else { continue };
            let place = format!("{} {}", operation.method, operation.path);
            asking.spawn(async move {
                let answer = Answer::of(request).await;
                (answer.body["code"] != *code)
                    .then(|| format!("{place} is not {code}: {} {}", answer.status, answer.body))
            });
            tried += 1;
            if asking.len() == AT_ONCE {
                wrong.extend(asking.join_next().await.unwrap().unwrap());
            }
        }
    }
    wrong.extend(asking.join_all().await.into_iter().flatten());
    assert_eq!(wrong, Vec::<String>::new());
    assert!(tried > 150, "{tried}");
}
