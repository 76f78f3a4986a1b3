//! `GET /docs`: the OpenAPI document as a page to read and to try. Script and style are Swagger UI's, and are part of
//! the program. The page itself has nothing inline, so that its policy can be strict.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::extract::Request;
use axum::http::HeaderValue;

use super::coded::Coded;
use super::contract::{self, Operation};
use super::kinds;
use super::pages::Page;
use super::problem::{Outcome, Problem};

/// The route of its files.
pub const FILES: &str = "/docs/{file}";
/// Allows images in `data:` URLs, because Swagger UI's style has some and its script makes some.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);
/// The files of Swagger UI that the page needs.
const NEEDED: [(&str, &str); 2] =
    [("swagger-ui.css", "text/css; charset=utf-8"), ("swagger-ui-bundle.js", "text/javascript; charset=utf-8")];

/// The description of `GET /docs`.
pub fn said() -> Operation {
    contract::file("A web page about this interface.", "text/html").conditional()
}

/// The description of `GET /docs/…`.
pub fn file_said() -> Operation {
    contract::file("A file of the page `/docs`.", "*/*").conditional().may(&[&kinds::ROUTE_NOT_FOUND])
}

/// `GET /docs`.
pub async fn page<S>(_: S, request: Request) -> Outcome {
    static PAGE: LazyLock<Page> = LazyLock::new(|| Page::plain("docs.html", POLICY));
    Ok(PAGE.respond(request.headers()))
}

/// `GET /docs/…`.
pub async fn file<S>(_: S, request: Request) -> Outcome {
    static FILES: LazyLock<BTreeMap<&str, Coded>> = LazyLock::new(files);
    let name = request.uri().path().trim_start_matches("/docs/");
    let missing = || Problem::new(&kinds::ROUTE_NOT_FOUND, "The page has no such file.");
    Ok(FILES.get(name).ok_or_else(missing)?.respond(request.headers()))
}

fn files() -> BTreeMap<&'static str, Coded> {
    let config = Arc::new(utoipa_swagger_ui::Config::default());
    let read = |(name, media_type)| {
        let file = utoipa_swagger_ui::serve(name, Arc::clone(&config)).ok().flatten()?;
        Some((name, Coded::new(file.bytes.into_owned().into(), media_type)))
    };
    NEEDED.into_iter().filter_map(read).collect()
}
