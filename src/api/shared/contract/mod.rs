//! The contract of a route, beside its handler: what it does, who may use it, the request and the answers. A route
//! without a contract does not compile. The OpenAPI document is made only from these contracts, and the end-to-end
//! tests compare every request and every answer with the document.

pub mod document;
mod headers;
mod problems;
pub mod schema;
pub mod shapes;

use utoipa::openapi::path::ParameterIn;

use self::schema::{Shape, count, integer, list, named, text, word};
use super::kinds::{self, ProblemKind};
use super::parameters::MAX_PAGE;
use crate::identity::Role;

/// The description of one method of one path.
pub struct Operation {
    summary: &'static str,
    asker: Asker,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answer: Content,
    headers: Vec<Header>,
    /// True if a client that has the bytes already gets a 304.
    is_conditional: bool,
    problems: Vec<&'static ProblemKind>,
}

/// The credential that a route needs.
#[derive(Clone, Copy)]
enum Asker {
    Anyone,
    /// A token of the room.
    Holder,
    /// A token of the room, or the JWT of somebody with one of these roles, as options say.
    HolderOr(&'static [Role]),
    /// None, or a JWT if the server has an identity provider.
    Identified,
    /// An operator who has one of these roles.
    Operator(&'static [Role]),
}

/// A parameter or header of the request.
struct Parameter {
    name: &'static str,
    place: ParameterIn,
    is_required: bool,
    shape: Shape,
    description: &'static str,
}

/// The body of the request.
struct Body {
    media_types: &'static [&'static str],
    shape: Shape,
    may_be_left_out: bool,
}

/// The content of a success.
struct Content {
    media_type: &'static str,
    shape: Shape,
}

/// A header of answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    LogPosition,
    IdempotentReplayed,
    ETag,
    Link,
}

/// The media type of most bodies and answers.
const JSON: &str = "application/json";

/// Problems of a route that takes a JSON body.
const OF_BODIES: [&ProblemKind; 4] =
    [&kinds::UNSUPPORTED_MEDIA_TYPE, &kinds::BODY_TOO_LARGE, &kinds::MALFORMED_BODY, &kinds::REQUEST_TIMEOUT];
const OF_COMMANDS: [&ProblemKind; 4] =
    [&kinds::IDEMPOTENCY_KEY_REUSED, &kinds::OVERLOADED, &kinds::LOG_UNAVAILABLE, &kinds::OUTCOME_UNKNOWN];
const OF_QUERIES: [&ProblemKind; 2] = [&kinds::READ_MODEL_BEHIND, &kinds::LOG_UNAVAILABLE];
const OF_HOLDERS: [&ProblemKind; 4] =
    [&kinds::TOKEN_MISSING, &kinds::TOKEN_MALFORMED, &kinds::TOKEN_UNKNOWN, &kinds::TOKEN_EXPIRED];
/// Problems of a route that takes a JWT.
const OF_IDENTITIES: [&ProblemKind; 3] =
    [&kinds::IDENTITY_MISSING, &kinds::IDENTITY_INVALID, &kinds::IDENTITY_UNAVAILABLE];
const OF_DOORS: [&ProblemKind; 2] = [&kinds::HOST_NOT_ALLOWED, &kinds::ORIGIN_NOT_ALLOWED];

/// Describes a file, a page, or another route that is neither command nor query.
pub fn file(summary: &'static str, media_type: &'static str) -> Operation {
    Operation {
        summary,
        asker: Asker::Anyone,
        parameters: Vec::new(),
        body: None,
        answer: Content { media_type, shape: text() },
        headers: Vec::new(),
        is_conditional: false,
        problems: problems::ANY.to_vec(),
    }
}

/// Describes a query of read models.
pub fn query(summary: &'static str) -> Operation {
    file(summary, JSON)
        .parameter(
            "minPosition",
            count(),
            "The answer is as of this position or later. The server waits up to 2 seconds for it.",
        )
        .may(&OF_QUERIES)
        .with(Header::LogPosition)
}

/// Describes a command.
pub fn command(summary: &'static str) -> Operation {
    let key = schema::pattern("^[!-~]{1,255}$");
    let says = "A key for this request. Sent again with the same key, it is not done again, and gets the first answer.";
    let mut command = file(summary, JSON).may(&OF_BODIES).may(&OF_COMMANDS);
    command.add("Idempotency-Key", ParameterIn::Header, false, key, says);
    command.with(Header::LogPosition).with(Header::IdempotentReplayed)
}

impl Operation {
    /// Needs a token of the room.
    pub fn of_holder(self) -> Self {
        Self { asker: Asker::Holder, ..self }.may(&OF_HOLDERS)
    }

    /// Needs a token of the user in the request.
    pub fn of_owner(self) -> Self {
        self.of_holder().may(&[&kinds::NOT_YOURS])
    }

    /// Needs one of these roles instead, if options say so.
    pub fn or_of_staff(self, roles: &'static [Role]) -> Self {
        Self { asker: Asker::HolderOr(roles), ..self }.may(&OF_IDENTITIES).may(&[&kinds::ROLE_MISSING])
    }

    /// Needs an ACTIVE token.
    pub fn of_admitted(self) -> Self {
        self.of_holder().may(&[&kinds::NOT_ADMITTED])
    }

    /// Needs a JWT, if the server has an identity provider.
    pub fn of_identified(self) -> Self {
        Self { asker: Asker::Identified, ..self }.may(&OF_IDENTITIES).may(&[&kinds::NOT_YOURS])
    }

    /// Needs an operator with one of these roles.
    pub fn of_operators(self, roles: &'static [Role]) -> Self {
        let operation = Self { asker: Asker::Operator(roles), ..self };
        operation.may(&OF_IDENTITIES).may(&OF_DOORS).may(&[&kinds::ROLE_MISSING])
    }

    /// Is reached only through the operators' socket or listener.
    pub fn behind_a_door(self) -> Self {
        self.may(&OF_DOORS)
    }

    /// Adds a parameter that may be left out.
    pub fn parameter(mut self, name: &'static str, shape: Shape, says: &'static str) -> Self {
        self.add(name, ParameterIn::Query, false, shape, says);
        self.may(&[&kinds::INVALID_REQUEST])
    }

    /// Adds a parameter that must be there.
    pub fn needed_parameter(mut self, name: &'static str, shape: Shape, says: &'static str) -> Self {
        self.add(name, ParameterIn::Query, true, shape, says);
        self.may(&[&kinds::INVALID_REQUEST])
    }

    /// Adds a request header that may be left out.
    pub fn header(mut self, name: &'static str, shape: Shape, says: &'static str) -> Self {
        self.add(name, ParameterIn::Header, false, shape, says);
        self
    }

    /// Adds a body that must come.
    pub fn takes(self, shape: Shape) -> Self {
        self.with_body(Body { media_types: &[JSON], shape, may_be_left_out: false })
    }

    /// Adds a body that may be left out with an identity provider, which says the same.
    pub fn may_take(self, shape: Shape) -> Self {
        self.with_body(Body { media_types: &[JSON], shape, may_be_left_out: true })
    }

    /// Adds a file of one of these types, which must come.
    pub fn takes_a_file(self, media_types: &'static [&'static str]) -> Self {
        self.with_body(Body { media_types, shape: schema::anything(), may_be_left_out: false })
    }

    fn with_body(self, body: Body) -> Self {
        Self { body: Some(body), ..self }.may(&OF_BODIES).may(&[&kinds::INVALID_REQUEST])
    }

    /// Sets the shape of a success.
    pub fn answers(self, shape: Shape) -> Self {
        Self { answer: Content { shape, ..self.answer }, ..self }
    }

    /// Sets the shape of a success by its name.
    pub fn answers_a(self, shape: &'static str) -> Self {
        self.answers(named(shape))
    }

    /// Sets a success to a page of these.
    pub fn answers_a_page_of(self, shape: &'static str) -> Self {
        let paged = self
            .parameter("limit", integer(1..=u64::from(MAX_PAGE)), "The most items on the page. The default is 50.")
            .parameter("after", text(), "The cursor of the previous page, from its header `Link`.");
        paged.answers(list(named(shape))).with(Header::Link)
    }

    /// Adds the parameter `order`.
    pub fn in_either_order(self) -> Self {
        self.parameter("order", word(["desc", "asc"]), "`desc`: the newest first. `asc`: the oldest first.")
    }

    /// Sets a success to a stream of events (`text/event-stream`).
    pub fn streams(self) -> Self {
        let position = schema::pattern("^[0-9]*$");
        let streams = Self { answer: Content { media_type: "text/event-stream", shape: text() }, ..self };
        streams.header(
            "Last-Event-ID",
            position,
            "The id of the last event that was read. The stream continues after it.",
        )
    }

    /// Sets the media type of a success.
    pub fn media(self, media_type: &'static str) -> Self {
        Self { answer: Content { media_type, ..self.answer }, ..self }
    }

    /// Adds `If-None-Match` and the answer 304.
    pub fn conditional(self) -> Self {
        let tags = "The `ETag` of the bytes that the client has. If they have not changed, the answer is 304.";
        let conditional = self.header("If-None-Match", text(), tags).with(Header::ETag);
        Self { is_conditional: true, ..conditional }
    }

    /// Adds the header `Log-Position`.
    pub fn at_a_position(self) -> Self {
        self.with(Header::LogPosition)
    }

    /// Adds the header `Link`, which names the next page.
    pub fn linked(self) -> Self {
        self.with(Header::Link)
    }

    /// Adds kinds of problems.
    pub fn may(mut self, kinds: &[&'static ProblemKind]) -> Self {
        self.problems.extend(kinds);
        self
    }

    fn with(mut self, header: Header) -> Self {
        self.headers.push(header);
        self
    }

    fn add(
        &mut self,
        name: &'static str,
        place: ParameterIn,
        is_required: bool,
        shape: Shape,
        description: &'static str,
    ) {
        self.parameters.push(Parameter { name, place, is_required, shape, description });
    }
}
