//! The pages: plain files of `web/`, which are part of the program. A debug build reads them from disk, so that a
//! change is seen at once.

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

/// The route of the files of both pages.
pub const FILES: &str = "/web/{*file}";
/// The media type of a page.
const HTML: &str = "text/html; charset=utf-8";
/// The text in a page that is replaced by the settings.
const NO_SETTINGS: &str = r#"<meta name="reprise" content="{}" />"#;

#[derive(RustEmbed)]
#[folder = "web"]
struct Embedded;

/// The settings that the server gives to a page.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// `open` or `jwt`.
    pub identity: &'static str,
    /// The rule of who may charge: `own` or `cashier`.
    pub charge: &'static str,
    /// The sign-in on the page. `None` if it is not needed, or not possible.
    pub login: Option<Login>,
    /// The claim in which a JWT lists roles.
    pub roles_claim: String,
}

/// An identity provider, as the buyer's page needs it for OpenID Connect.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// The address under which its configuration is found.
    pub issuer: String,
    /// The page's client id at the provider.
    pub client_id: String,
    /// The scope of the request.
    pub scope: String,
    /// Further parameters of the request, as a query string.
    pub parameters: String,
    /// The token that is sent to the server: `access` or `id`.
    pub token: &'static str,
}

/// Both pages.
pub struct Pages {
    /// The page of buyers. `None` if the server has none.
    buyer: Option<Page>,
    /// The page of operators.
    operators: Page,
}

impl Pages {
    /// Makes the pages with these settings, and without the buyers' page if `with_buyer` is false.
    pub fn new(settings: &Settings, with_buyer: bool) -> Self {
        let buyer = with_buyer.then(|| Page::new("index.html", settings));
        Self { buyer, operators: Page::new("operations.html", settings) }
    }

    /// Answers with the page of buyers.
    ///
    /// # Errors
    /// The server has no page of buyers.
    pub fn buyer(&self, headers: &HeaderMap) -> Outcome {
        let missing = || {
            Problem::new(
                &kinds::ROUTE_NOT_FOUND,
                "This server has no page for buyers: it was started with `--no-page`.",
            )
        };
        Ok(self.buyer.as_ref().ok_or_else(missing)?.respond(headers))
    }

    /// Answers with the page of operators.
    pub fn operators(&self, headers: &HeaderMap) -> Response {
        self.operators.respond(headers)
    }
}

/// The description of `GET /` on the public listener.
pub fn buyer_said() -> Operation {
    contract::file("The page for buyers.", "text/html").conditional().may(&[&kinds::ROUTE_NOT_FOUND])
}

/// The description of `GET /` on the operators' listener.
pub fn operators_said() -> Operation {
    contract::file("The page for operators.", "text/html").conditional()
}

/// The description of `GET /web/…`.
pub fn file_said() -> Operation {
    contract::file("A file of the pages.", "*/*").conditional().may(&[&kinds::ROUTE_NOT_FOUND])
}

/// A page with its content security policy.
pub struct Page {
    shown: Coded,
    policy: HeaderValue,
}

impl Page {
    /// Makes a page from this file of `web/`, without settings.
    pub fn plain(file: &str, policy: HeaderValue) -> Self {
        let embedded = Embedded::get(file).expect("the page is part of the program");
        Self { shown: Coded::new(embedded.data.into_owned().into(), HTML), policy }
    }

    /// Makes a page from this file of `web/`, with settings.
    fn new(file: &str, settings: &Settings) -> Self {
        let embedded = Embedded::get(file).expect("the page is part of the program");
        let text = String::from_utf8_lossy(&embedded.data);
        let told = serde_json::to_string(settings).expect("settings are JSON");
        let told = told.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        let page = text.replace(NO_SETTINGS, &format!(r#"<meta name="reprise" content="{told}" />"#));
        // At the sign-in, the page asks the provider's address for a token.
        let issuer = settings.login.as_ref().map_or(String::new(), |login| format!(" {}", origin(&login.issuer)));
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{issuer}; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Self { shown: Coded::new(page.into_bytes().into(), HTML), policy }
    }

    /// Answers with the page: in gzip if the client accepts it, or 304 if the client has it.
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
