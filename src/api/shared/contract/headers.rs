//! The headers of answers in the document.

use utoipa::openapi::{Header as DescribedHeader, HeaderBuilder, Ref, ResponseBuilder};

use super::Header;
use super::schema::{Shape, count, pattern, text, word};

/// A header in the document.
pub struct HeaderSaid {
    /// Its name among the components.
    pub name: &'static str,
    header: &'static str,
    is_always_there: bool,
    shape: fn() -> Shape,
    says: &'static str,
}

/// On every answer.
pub const REQUEST_ID: HeaderSaid = HeaderSaid {
    name: "RequestId",
    header: "X-Request-Id",
    is_always_there: true,
    shape: || pattern("^[A-Za-z0-9._-]{1,128}$"),
    says: "The request's id. It is the client's own if the client sent a valid one.",
};
/// On answers of commands and queries.
pub const LOG_POSITION: HeaderSaid = HeaderSaid {
    name: "LogPosition",
    header: "Log-Position",
    is_always_there: true,
    shape: count,
    says: "The position of the log at which this was decided or read. A client can send it back as `minPosition`.",
};
/// On refusals, some of which have no position.
pub const LOG_POSITION_IF_ANY: HeaderSaid =
    HeaderSaid { name: "LogPositionIfAny", is_always_there: false, ..LOG_POSITION };
const IDEMPOTENT_REPLAYED: HeaderSaid = HeaderSaid {
    name: "IdempotentReplayed",
    header: "Idempotent-Replayed",
    is_always_there: false,
    shape: || word(["true"]),
    says: "This request was answered before, with the same key.",
};
const ETAG: HeaderSaid =
    HeaderSaid { name: "ETag", header: "ETag", is_always_there: true, shape: text, says: "The tag of these bytes." };
const LINK: HeaderSaid = HeaderSaid {
    name: "Link",
    header: "Link",
    is_always_there: false,
    shape: text,
    says: "The address of the next page. The last page has no such header.",
};
/// On 503 and 429.
pub const RETRY_AFTER: HeaderSaid = HeaderSaid {
    name: "RetryAfter",
    header: "Retry-After",
    is_always_there: true,
    shape: count,
    says: "The seconds to wait before the next try.",
};
/// On 401.
pub const WWW_AUTHENTICATE: HeaderSaid = HeaderSaid {
    name: "WwwAuthenticate",
    header: "WWW-Authenticate",
    is_always_there: true,
    shape: text,
    says: "How the client must identify its user.",
};
/// Every header.
pub const ALL: [HeaderSaid; 8] =
    [REQUEST_ID, LOG_POSITION, LOG_POSITION_IF_ANY, IDEMPOTENT_REPLAYED, ETAG, LINK, RETRY_AFTER, WWW_AUTHENTICATE];

/// Returns the description of a header.
pub fn of(header: Header) -> &'static HeaderSaid {
    match header {
        Header::LogPosition => &LOG_POSITION,
        Header::IdempotentReplayed => &IDEMPOTENT_REPLAYED,
        Header::ETag => &ETAG,
        Header::Link => &LINK,
    }
}

/// Adds a header to a response.
pub fn with(response: ResponseBuilder, header: &HeaderSaid) -> ResponseBuilder {
    response.header_ref(header.header, Ref::new(format!("#/components/headers/{}", header.name)))
}

/// Makes the header's object in the document.
pub fn described(said: &HeaderSaid) -> DescribedHeader {
    let header = HeaderBuilder::new().schema(Some((said.shape)())).description(Some(said.says));
    let required = said.is_always_there.then(|| [("required", true)].into_iter().collect());
    header.extensions(required).build()
}
