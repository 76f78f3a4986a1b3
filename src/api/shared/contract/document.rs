//! The OpenAPI document of a listener (3.1), made from its table of routes.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::routing::MethodFilter;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItemBuilder};
use utoipa::openapi::path::{Operation as Described, Parameter as DescribedParameter};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content as Media, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref,
    Required, Response, ResponseBuilder, Responses, ResponsesBuilder,
};

use super::headers::{self, LOG_POSITION, LOG_POSITION_IF_ANY, REQUEST_ID, RETRY_AFTER, WWW_AUTHENTICATE, with};
use super::schema::{Shape, id, object, text};
use super::{Asker, Body, Header, Operation, Parameter, file, problems, shapes};
use crate::api::shared::coded::Coded;
use crate::api::shared::kinds::{self, ProblemKind};
use crate::api::shared::problem::Outcome;

/// The names of the security schemes in the document.
const ROOM_TOKEN: &str = "token";
const JWT: &str = "jwt";

/// The name of the answer to a head that is too large. It comes before there is a route, and is the only answer without
/// the server's own headers.
const HEAD_TOO_LARGE: &str = "HeadTooLarge";

/// A listener's document. It is made at the first request.
#[derive(Default)]
pub struct Document {
    title: &'static str,
    routes: OnceLock<Vec<Route>>,
    made: OnceLock<Coded>,
}

/// A line of the table of routes.
pub struct Route {
    pub method: MethodFilter,
    pub path: &'static str,
    /// The description.
    pub operation: Operation,
}

impl Document {
    /// Makes a document without routes.
    pub fn new(title: &'static str) -> Arc<Self> {
        Arc::new(Self { title, ..Self::default() })
    }

    /// Adds the routes. They must be complete.
    pub fn complete(&self, routes: Vec<Route>) {
        // A second call has no effect.
        let _ = self.routes.set(routes);
    }

    /// `GET /openapi.json`.
    ///
    /// # Errors
    /// None.
    pub async fn answer(self: Arc<Self>, request: Request) -> Outcome {
        let made = self.made.get_or_init(|| Coded::new(self.text().into(), "application/json"));
        Ok(made.respond(request.headers()))
    }

    /// The document's text.
    pub fn text(&self) -> String {
        let routes = self.routes.get().map(Vec::as_slice).unwrap_or_default();
        let text = open_api(self.title, routes).to_pretty_json().expect("a document is JSON");
        text + "\n"
    }
}

/// The description of `GET /openapi.json`.
pub fn said() -> Operation {
    file("This document (OpenAPI 3.1).", "application/json").answers(object([])).conditional()
}

fn open_api(title: &'static str, routes: &[Route]) -> OpenApi {
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new().title(title).version(env!("CARGO_PKG_VERSION")).license(Some(license)).build();
    let (mut paths, mut refusals) = (PathsBuilder::new(), BTreeMap::new());
    for Route { method, path, operation } in routes {
        let described = described(*method, path, operation, &mut refusals);
        let item = PathItemBuilder::new().operation(http_method(*method), described).build();
        paths = paths.path(path.replace("{*", "{"), item);
    }
    let components = ComponentsBuilder::new().responses_from_iter(refusals).build();
    let mut document = OpenApiBuilder::new().info(info).paths(paths.build()).components(Some(components)).build();
    add_components(&mut document);
    document
}

/// Answers that routes share, by their name.
type Refusals = BTreeMap<String, Response>;

/// Adds the shapes that the routes name, the shapes that these name, and the headers.
fn add_components(document: &mut OpenApi) {
    let kinds = kinds::ALL.iter().map(|kind| (kind.code, problems::of_kind(kind)));
    let base = (problems::PROBLEM, problems::problem());
    let mut left: Vec<(&'static str, Shape)> = shapes::all().into_iter().chain(kinds).chain([base]).collect();
    let mut text = document.to_json().expect("a document is JSON");
    let mut components = ComponentsBuilder::from(document.components.take().unwrap_or_default());
    loop {
        let is_named = |(name, _): &(&str, Shape)| text.contains(&format!("\"#/components/schemas/{name}\""));
        let (named, others): (Vec<_>, Vec<_>) = left.into_iter().partition(is_named);
        if named.is_empty() {
            break;
        }
        left = others;
        for (name, shape) in named {
            text += &serde_json::to_string(&shape).expect("a shape is JSON");
            components = components.schema(name, shape);
        }
    }
    for header in headers::ALL {
        components = components.header(header.name, headers::described(&header));
    }
    let bearer = |text, format| {
        let http = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format(format).description(Some(text));
        SecurityScheme::Http(http.build())
    };
    let token = "The room's token, as `POST /api/tokens` answered it, with or without `Bearer` before it.";
    let jwt = "An identity provider's token, where the server has one (`--identity jwt`).";
    components = components.security_scheme(ROOM_TOKEN, bearer(token, "UUID")).security_scheme(JWT, bearer(jwt, "JWT"));
    document.components = Some(components.build());
}

fn http_method(method: MethodFilter) -> HttpMethod {
    let known = [
        (MethodFilter::GET, HttpMethod::Get),
        (MethodFilter::POST, HttpMethod::Post),
        (MethodFilter::PUT, HttpMethod::Put),
        (MethodFilter::PATCH, HttpMethod::Patch),
        (MethodFilter::DELETE, HttpMethod::Delete),
    ];
    known.into_iter().find(|(filter, _)| *filter == method).expect("routes have one of these methods").1
}

fn described(method: MethodFilter, path: &'static str, operation: &Operation, refusals: &mut Refusals) -> Described {
    let mut described = OperationBuilder::new()
        .operation_id(Some(operation_id(method, path)))
        .summary(Some(operation.summary))
        .tag(tag(path))
        .parameters(Some(path_parameters(path)))
        .parameters(Some(operation.parameters.iter().map(described_parameter)))
        .request_body(operation.body.as_ref().map(request_body))
        .responses(responses(path, operation, refusals));
    let own = |scheme, roles: &[crate::identity::Role]| {
        SecurityRequirement::new::<_, _, &str>(scheme, roles.iter().map(|role| role.name()))
    };
    described = match operation.asker {
        Asker::Anyone => described.securities(Some([])),
        Asker::Holder => described.security(own(ROOM_TOKEN, &[])),
        Asker::HolderOr(roles) => described.security(own(ROOM_TOKEN, &[])).security(own(JWT, roles)),
        Asker::Identified => described.security(SecurityRequirement::default()).security(own(JWT, &[])),
        Asker::Operator(roles) => described.security(SecurityRequirement::default()).security(own(JWT, roles)),
    };
    described.build()
}

/// The method and the path as one word: `getApiConcertsConcertId`.
fn operation_id(method: MethodFilter, path: &str) -> String {
    let words = path.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let method = serde_json::to_string(&http_method(method)).expect("a method is JSON");
    method.trim_matches('"').to_owned() + &words.map(capital).collect::<String>()
}

/// The tag of a route: the first word of its path.
fn tag(path: &str) -> &str {
    let rest = path.strip_prefix("/api/operations/").or_else(|| path.strip_prefix("/api/"));
    rest.and_then(|rest| rest.split('/').next()).unwrap_or("server")
}

/// The parameters of a path. Each is an id, unless `path_shape` has another shape.
fn path_parameters(path: &str) -> Vec<DescribedParameter> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let shaped = names.map(|name| name.trim_start_matches('*')).map(|name| (name, path_shape(name).unwrap_or_else(id)));
    let parameter = |(name, shape)| {
        ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True).schema(Some(shape))
    };
    shaped.map(|named| parameter(named).build()).collect()
}

/// The shape of a path's parameter that is not an id.
fn path_shape(name: &str) -> Option<Shape> {
    ["name", "file", "code"].contains(&name).then(text)
}

fn described_parameter(parameter: &Parameter) -> DescribedParameter {
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(parameter.place.clone())
        .required(if parameter.is_required { Required::True } else { Required::False })
        .description(Some(parameter.description))
        .schema(Some(parameter.shape.clone()))
        .build()
}

fn request_body(body: &Body) -> RequestBody {
    let required = if body.may_be_left_out { Required::False } else { Required::True };
    let described = RequestBodyBuilder::new().required(Some(required));
    let content = || Media::new(Some(body.shape.clone()));
    body.media_types.iter().fold(described, |described, media_type| described.content(*media_type, content())).build()
}

fn responses(path: &str, operation: &Operation, refusals: &mut Refusals) -> Responses {
    let answer = Media::new(Some(operation.answer.shape.clone()));
    let success = ResponseBuilder::new().description(operation.summary).content(operation.answer.media_type, answer);
    let with_headers = |response: ResponseBuilder| {
        operation
            .headers
            .iter()
            .fold(with(response, &REQUEST_ID), |response, header| with(response, headers::of(*header)))
    };
    let mut responses = ResponsesBuilder::new().response("200", with_headers(success).build());
    if operation.is_conditional {
        let unchanged = ResponseBuilder::new().description("The client already has these bytes.");
        responses = responses.response("304", with_headers(unchanged).build());
    }
    let names_an_id = path_parameters(path).iter().any(|parameter| path_shape(&parameter.name).is_none());
    let malformed_path = names_an_id.then_some(&kinds::MALFORMED_PATH);
    let kinds = operation.problems.iter().copied().chain(malformed_path).collect();
    let has_position = operation.headers.contains(&Header::LogPosition);
    for (status, kinds) in problems::by_status(kinds) {
        let codes: Vec<&str> = kinds.iter().map(|kind| kind.code).collect();
        let name = codes.join(".") + if has_position { "" } else { ".without-position" };
        responses = responses.response(status.to_string(), Ref::from_response_name(name.clone()));
        refusals.entry(name).or_insert_with(|| refusal(status, &kinds, has_position));
    }
    let too_large = "The request's head is larger than 64 KiB. The answer has no body, and the connection is closed.";
    refusals.entry(HEAD_TOO_LARGE.to_owned()).or_insert_with(|| ResponseBuilder::new().description(too_large).build());
    responses.response("431", Ref::from_response_name(HEAD_TOO_LARGE)).build()
}

fn refusal(status: u16, kinds: &[&'static ProblemKind], has_position: bool) -> Response {
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.title).collect();
    let content = Media::new(Some(problems::any_of(kinds)));
    let response = ResponseBuilder::new().description(titles.join(". ") + ".");
    let mut response = with(response.content("application/problem+json", content), &REQUEST_ID);
    if has_position {
        response = with(response, if matches!(status, 409 | 410) { &LOG_POSITION } else { &LOG_POSITION_IF_ANY });
    }
    match status {
        401 => with(response, &WWW_AUTHENTICATE).build(),
        429 | 503 => with(response, &RETRY_AFTER).build(),
        _ => response.build(),
    }
}
