//! The OpenAPI documents are true: every request and every answer of these tests is held against them, bodies are tried at
//! and past each bound that they name, and every problem that they declare was seen.

mod bodies;
mod document;
mod doors;
mod raw;
mod refused;
mod seen;

use std::sync::LazyLock;

use reqwest::header::HeaderMap;
use reqwest::{Request, StatusCode};
use serde_json::Value;

use document::Document;

/// Of the public listener, and of the operators'.
static DOCUMENTS: LazyLock<[Document; 2]> = LazyLock::new(|| ["public", "operations"].map(Document::read));

/// What no route answers, but whatever stands before them all.
const BEFORE_ROUTES: [&str; 5] =
    ["route-not-found", "method-not-allowed", "malformed-header", "transfer-coding-unknown", "log-unavailable"];

/// An answer, and what it was given to.
pub struct Exchange<'a> {
    pub request: &'a Request,
    pub status: StatusCode,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// Panics where the exchange is not as a document has it.
pub fn hold(exchange: &Exchange) {
    let wrong = DOCUMENTS.iter().filter_map(|document| wrong_by(document, exchange).err());
    let wrong: Vec<String> = wrong.collect();
    let (method, url) = (exchange.request.method(), exchange.request.url());
    // Of what both listeners have, either may have answered.
    assert!(wrong.len() < DOCUMENTS.len(), "{method} {url} -> {}: {}", exchange.status, wrong.join("; or "));
}

fn wrong_by(document: &Document, exchange: &Exchange) -> Result<(), String> {
    let Some(operation) = document.operation(exchange.request.method(), exchange.request.url().path()) else {
        let code = code(exchange).ok_or("a route that is not in the document answered")?;
        return if BEFORE_ROUTES.contains(&&*code) { Ok(()) } else { Err(format!("no route can answer {code}")) };
    };
    operation.holds_answer(exchange)?;
    if exchange.status == StatusCode::OK {
        operation.holds_request(exchange.request)?;
    }
    if let Some(code) = code(exchange) {
        seen::add(&operation, &code);
    }
    Ok(())
}

/// The code of a problem.
fn code(exchange: &Exchange) -> Option<String> {
    let body: Value = serde_json::from_slice(exchange.body).ok()?;
    (exchange.status.as_u16() >= 400).then(|| body["code"].as_str().map(str::to_owned)).flatten()
}
