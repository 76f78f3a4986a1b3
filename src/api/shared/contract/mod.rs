//! The contract of a route, said beside it: what it does, who may ask, what is sent and what is answered. Routes without one
//! do not compile, and the OpenAPI document is made of nothing else. It is held by the end-to-end tests, which hold every
//! request and every answer against the document.

pub mod document;
mod headers;
mod problems;
pub mod schema;
pub mod shapes;

use self::schema::{Shape, count, integer, list, named, text, word};
use super::kinds::{self, ProblemKind};
use super::parameters::MAX_PAGE;
use crate::identity::Role;

/// What one method of one path does.
pub struct Operation {
    summary: &'static str,
    asker: Asker,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answer: Content,
    headers: Vec<Header>,
    /// Whether who has the bytes already gets a 304 without them.
    is_conditional: bool,
    problems: Vec<&'static ProblemKind>,
}

/// Who may ask.
#[derive(Clone, Copy)]
enum Asker {
    Anyone,
    /// Whoever shows a token of the room.
    Holder,
    /// The same, or somebody who has one of these roles, as the server was told.
    HolderOr(&'static [Role]),
    /// Anyone, or whoever shows an identity provider's token, where there is one.
    Identified,
    /// An operator who has one of these roles.
    Operator(&'static [Role]),
}

/// What is sent beside the body.
struct Parameter {
    name: &'static str,
    place: Place,
    is_required: bool,
    shape: Shape,
    description: &'static str,
}

#[derive(Clone, Copy)]
enum Place {
    Query,
    Header,
}

/// What is sent as a body.
struct Body {
    media_types: &'static [&'static str],
    shape: Shape,
    may_be_left_out: bool,
}

/// What a success is.
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

/// What most bodies are, and most answers.
const JSON: &str = "application/json";

/// A body that must be JSON, whether or not one must come.
const OF_BODIES: [&ProblemKind; 4] =
    [&kinds::UNSUPPORTED_MEDIA_TYPE, &kinds::BODY_TOO_LARGE, &kinds::MALFORMED_BODY, &kinds::REQUEST_TIMEOUT];
const OF_COMMANDS: [&ProblemKind; 4] =
    [&kinds::IDEMPOTENCY_KEY_REUSED, &kinds::OVERLOADED, &kinds::LOG_UNAVAILABLE, &kinds::OUTCOME_UNKNOWN];
const OF_QUERIES: [&ProblemKind; 2] = [&kinds::READ_MODEL_BEHIND, &kinds::LOG_UNAVAILABLE];
const OF_HOLDERS: [&ProblemKind; 4] =
    [&kinds::TOKEN_MISSING, &kinds::TOKEN_MALFORMED, &kinds::TOKEN_UNKNOWN, &kinds::TOKEN_EXPIRED];
/// Of whoever shows an identity provider's token.
const OF_IDENTITIES: [&ProblemKind; 3] =
    [&kinds::IDENTITY_MISSING, &kinds::IDENTITY_INVALID, &kinds::IDENTITY_UNAVAILABLE];
const OF_DOORS: [&ProblemKind; 2] = [&kinds::HOST_NOT_ALLOWED, &kinds::ORIGIN_NOT_ALLOWED];

/// A file, a page, or what else is served of itself.
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

/// A query of read models.
pub fn query(summary: &'static str) -> Operation {
    file(summary, JSON)
        .parameter("minPosition", count(), "Answers as of this position or later; waits up to 2 seconds for it.")
        .may(&OF_QUERIES)
        .with(Header::LogPosition)
}

/// A command.
pub fn command(summary: &'static str) -> Operation {
    let key = schema::pattern("^[!-~]{1,255}$");
    let says = "Makes a repeated request the same one: it is done once, and answered alike.";
    let mut command = file(summary, JSON).may(&OF_BODIES).may(&OF_COMMANDS);
    command.add("Idempotency-Key", Place::Header, false, key, says);
    command.with(Header::LogPosition).with(Header::IdempotentReplayed)
}

impl Operation {
    /// Only for whoever shows a token of the room.
    pub fn of_holder(self) -> Self {
        Self { asker: Asker::Holder, ..self }.may(&OF_HOLDERS)
    }

    /// Only for whoever shows a token of the user who is named.
    pub fn of_owner(self) -> Self {
        self.of_holder().may(&[&kinds::NOT_YOURS])
    }

    /// Or, as the server was told, only for those who have one of these roles.
    pub fn or_of_staff(self, roles: &'static [Role]) -> Self {
        Self { asker: Asker::HolderOr(roles), ..self }.may(&OF_IDENTITIES).may(&[&kinds::ROLE_MISSING])
    }

    /// Only for whoever shows an ACTIVE token.
    pub fn of_admitted(self) -> Self {
        self.of_holder().may(&[&kinds::NOT_ADMITTED])
    }

    /// Of whoever shows an identity provider's token, where there is one.
    pub fn of_identified(self) -> Self {
        Self { asker: Asker::Identified, ..self }.may(&OF_IDENTITIES).may(&[&kinds::NOT_YOURS])
    }

    /// Only for operators who have one of these roles.
    pub fn of_operators(self, roles: &'static [Role]) -> Self {
        let operation = Self { asker: Asker::Operator(roles), ..self };
        operation.may(&OF_IDENTITIES).may(&OF_DOORS).may(&[&kinds::ROLE_MISSING])
    }

    /// Only through the operators' socket or listener.
    pub fn behind_a_door(self) -> Self {
        self.may(&OF_DOORS)
    }

    /// A parameter of the query that may be left out.
    pub fn parameter(mut self, name: &'static str, shape: Shape, says: &'static str) -> Self {
        self.add(name, Place::Query, false, shape, says);
        self.may(&[&kinds::INVALID_REQUEST])
    }

    /// A parameter of the query that must be there.
    pub fn needed_parameter(mut self, name: &'static str, shape: Shape, says: &'static str) -> Self {
        self.add(name, Place::Query, true, shape, says);
        self.may(&[&kinds::INVALID_REQUEST])
    }

    /// A header that may be left out.
    pub fn header(mut self, name: &'static str, shape: Shape, says: &'static str) -> Self {
        self.add(name, Place::Header, false, shape, says);
        self
    }

    /// The body that must come.
    pub fn takes(self, shape: Shape) -> Self {
        self.with_body(Body { media_types: &[JSON], shape, may_be_left_out: false })
    }

    /// The body that may be left out where an identity provider says what it would say.
    pub fn may_take(self, shape: Shape) -> Self {
        self.with_body(Body { media_types: &[JSON], shape, may_be_left_out: true })
    }

    /// The file of one of these types that must come.
    pub fn takes_a_file(self, media_types: &'static [&'static str]) -> Self {
        self.with_body(Body { media_types, shape: schema::anything(), may_be_left_out: false })
    }

    fn with_body(self, body: Body) -> Self {
        Self { body: Some(body), ..self }.may(&OF_BODIES).may(&[&kinds::INVALID_REQUEST])
    }

    /// A success is this.
    pub fn answers(self, shape: Shape) -> Self {
        Self { answer: Content { shape, ..self.answer }, ..self }
    }

    /// A success is the shape of this name.
    pub fn answers_a(self, shape: &'static str) -> Self {
        self.answers(named(shape))
    }

    /// A success is a page of these.
    pub fn answers_a_page_of(self, shape: &'static str) -> Self {
        let paged = self
            .parameter("limit", integer(1..=u64::from(MAX_PAGE)), "How many there are on the page: 50 if left out.")
            .parameter("after", text(), "The cursor of the page before, as its `Link` has it.");
        paged.answers(list(named(shape))).with(Header::Link)
    }

    /// The page may be asked for in either order.
    pub fn in_either_order(self) -> Self {
        self.parameter("order", word(["desc", "asc"]), "The newest first, or the oldest.")
    }

    /// A success is a stream of events (`text/event-stream`).
    pub fn streams(self) -> Self {
        let position = schema::pattern("^[0-9]*$");
        let streams = Self { answer: Content { media_type: "text/event-stream", shape: text() }, ..self };
        streams.header("Last-Event-ID", position, "The last event that was read: the stream goes on after it.")
    }

    /// A success is this kind of media.
    pub fn media(self, media_type: &'static str) -> Self {
        Self { answer: Content { media_type, ..self.answer }, ..self }
    }

    /// Whoever has the bytes already need not get them again.
    pub fn conditional(self) -> Self {
        let tags = "The `ETag` of the bytes that the client has: who has these gets 304.";
        let conditional = self.header("If-None-Match", text(), tags).with(Header::ETag);
        Self { is_conditional: true, ..conditional }
    }

    /// It tells its position in the log.
    pub fn at_a_position(self) -> Self {
        self.with(Header::LogPosition)
    }

    /// There may be more: `Link` names the next page.
    pub fn linked(self) -> Self {
        self.with(Header::Link)
    }

    /// It may be refused for these reasons.
    pub fn may(mut self, kinds: &[&'static ProblemKind]) -> Self {
        self.problems.extend(kinds);
        self
    }

    fn with(mut self, header: Header) -> Self {
        self.headers.push(header);
        self
    }

    fn add(&mut self, name: &'static str, place: Place, is_required: bool, shape: Shape, description: &'static str) {
        self.parameters.push(Parameter { name, place, is_required, shape, description });
    }
}
