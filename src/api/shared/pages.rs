//! The pages: plain files of `web/`, part of the program. A debug build reads them from disk, so that a change is seen at once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use rust_embed::RustEmbed;
use serde::Serialize;

use super::coded::Coded;
use super::contract::{self, Operation};
use super::kinds;
use super::problem::{Outcome, Problem};

/// Where the files of both pages lie; their own names follow.
pub const FILES: &str = "/web/{*file}";
/// What a page is.
const HTML: &str = "text/html; charset=utf-8";
/// What stands in a page for the settings that it is served with.
const NO_SETTINGS: &str = r#"<meta name="reprise" content="{}" />"#;

#[derive(RustEmbed)]
#[folder = "web"]
struct Embedded;

/// What a page is told by the server that serves it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// `open` or `jwt`.
    pub identity: &'static str,
    /// Who charges: `own` or `cashier`.
    pub charge: &'static str,
    /// How people sign in on the page; `None` where they need not, or cannot.
    pub login: Option<Login>,
    /// Where a JWT lists roles.
    pub roles_claim: String,
}

/// An identity provider, as the buyer's page needs it for OpenID Connect.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// Where its configuration is found.
    pub issuer: String,
    /// What the page is called there.
    pub client_id: String,
    /// What is asked for.
    pub scope: String,
    /// More parameters of the request, as a query.
    pub parameters: String,
    /// Which token is shown to the server: `access` or `id`.
    pub token: &'static str,
}

/// Both pages.
pub struct Pages {
    /// Where people buy; `None` where the server has no page for them.
    buyer: Option<Page>,
    /// Where the sale is run from.
    operators: Page,
}

impl Pages {
    /// The pages with these settings; without the buyer's if `with_buyer` is false.
    pub fn new(settings: &Settings, with_buyer: bool) -> Self {
        let buyer = with_buyer.then(|| Page::new("index.html", settings));
        Self { buyer, operators: Page::new("operations.html", settings) }
    }

    /// The page to buy on.
    ///
    /// # Errors
    /// The server has none.
    pub fn buyer(&self, headers: &HeaderMap) -> Outcome {
        let missing =
            || Problem::new(&kinds::ROUTE_NOT_FOUND, "This server has no page: it was started with --no-page.");
        Ok(self.buyer.as_ref().ok_or_else(missing)?.respond(headers))
    }

    /// The page to run the sale from.
    pub fn operators(&self, headers: &HeaderMap) -> Response {
        self.operators.respond(headers)
    }
}

/// What `GET /` of the public listener does.
pub fn buyer_said() -> Operation {
    contract::file("The page to buy on.", "text/html").conditional().may(&[&kinds::ROUTE_NOT_FOUND])
}

/// What `GET /` of the operators' listener does.
pub fn operators_said() -> Operation {
    contract::file("The page to run the sale from.", "text/html").conditional()
}

/// What `GET /web/…` does.
pub fn file_said() -> Operation {
    contract::file("A file of the pages.", "*/*").conditional().may(&[&kinds::ROUTE_NOT_FOUND])
}

/// A page, and what a browser may do on it.
pub struct Page {
    shown: Coded,
    policy: HeaderValue,
}

impl Page {
    /// The page in this file of `web/`, as it is.
    pub fn plain(file: &str, policy: HeaderValue) -> Self {
        let embedded = Embedded::get(file).expect("the page is part of the program");
        Self { shown: Coded::new(embedded.data.into_owned().into(), HTML), policy }
    }

    /// The page in this file of `web/`.
    fn new(file: &str, settings: &Settings) -> Self {
        let embedded = Embedded::get(file).expect("the page is part of the program");
        let text = String::from_utf8_lossy(&embedded.data);
        let told = serde_json::to_string(settings).expect("settings are JSON");
        let told = told.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        let page = text.replace(NO_SETTINGS, &format!(r#"<meta name="reprise" content="{told}" />"#));
        // Whoever signs in on the page asks the provider's own address for a token.
        let issuer = settings.login.as_ref().map_or(String::new(), |login| format!(" {}", origin(&login.issuer)));
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{issuer}; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Self { shown: Coded::new(page.into_bytes().into(), HTML), policy }
    }

    /// The page, as the request's headers ask for it: in gzip, or not at all where the client has it.
    pub fn respond(&self, headers: &HeaderMap) -> Response {
        let mut response = self.shown.respond(headers);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }
}

/// `GET /web/…`: a file of the pages.
pub async fn file<S>(_: S, request: Request) -> Outcome {
    static KEPT: LazyLock<BTreeMap<String, Coded>> =
        LazyLock::new(|| Embedded::iter().filter_map(|name| Some((name.to_string(), coded(&name)?))).collect());
    let name = request.uri().path().trim_start_matches("/web/");
    let missing = || Problem::new(&kinds::ROUTE_NOT_FOUND, "The pages have no such file.");
    if name.ends_with(".html") {
        return Err(missing());
    }
    if cfg!(debug_assertions) {
        return Ok(coded(name).ok_or_else(missing)?.respond(request.headers()));
    }
    Ok(KEPT.get(name).ok_or_else(missing)?.respond(request.headers()))
}

fn coded(name: &str) -> Option<Coded> {
    let media_type = match name.rsplit_once('.')?.1 {
        "html" => HTML,
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    Some(Coded::new(Embedded::get(name)?.data.into_owned().into(), media_type))
}

/// Scheme, host and port of an address.
fn origin(address: &str) -> &str {
    let host = address.find("://").map_or(0, |scheme| scheme + 3);
    let end = address[host..].find('/').map_or(address.len(), |path| host + path);
    &address[..end]
}
