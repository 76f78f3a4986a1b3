//! Conditional reads: who has the bytes already is told so (RFC 9110, section 13.1.2).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use projections::Representation;

use super::json::JSON;

/// The representation, or 304 where the client has it.
pub fn respond(headers: &HeaderMap, cache_control: &'static str, shown: Representation) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| names(tags, &shown.etag));
    let etag = HeaderValue::from_maybe_shared(shown.etag).expect("an ETag of ours is fit for a header");
    let caching = [(header::ETAG, etag), (header::CACHE_CONTROL, HeaderValue::from_static(cache_control))];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, JSON)], shown.body).into_response()
}

/// Whether a list of entity tags, or `*`, names this one. The comparison is weak: `W/"x"` names `"x"`.
fn names(tags: &HeaderValue, etag: &[u8]) -> bool {
    let Ok(mut rest) = tags.to_str() else { return false };
    if rest.trim() == "*" {
        return true;
    }
    // A tag may hold commas, so the list is read tag by tag; what is no tag ends it.
    while let Some(tag) = next_tag(&mut rest) {
        if tag.as_bytes() == etag {
            return true;
        }
    }
    false
}

/// The next tag with its quotes.
fn next_tag<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let list = rest.trim_start_matches([' ', '\t', ',']);
    let quoted = list.strip_prefix("W/").unwrap_or(list);
    let length = quoted.strip_prefix('"')?.find('"')? + 2;
    let (tag, after) = quoted.split_at(length);
    *rest = after;
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(if_none_match: &[&str]) -> StatusCode {
        let mut headers = HeaderMap::new();
        for tags in if_none_match {
            headers.append(header::IF_NONE_MATCH, tags.parse().unwrap());
        }
        let shown = Representation { etag: "\"7-ab-1\"".into(), body: "[]".into() };
        respond(&headers, "no-cache", shown).status()
    }

    #[test]
    fn a_tag_that_the_client_has_gets_no_bytes() {
        let known: [&[&str]; 6] = [
            &["\"7-ab-1\""],
            &["W/\"7-ab-1\""],
            &["*"],
            &["\"a,b\", W/\"c\" ,\"7-ab-1\""],
            &["\"other\"", "\"7-ab-1\""],
            &[",,\"7-ab-1\""],
        ];
        for tags in known {
            assert_eq!(status(tags), StatusCode::NOT_MODIFIED, "{tags:?}");
        }
    }

    #[test]
    fn another_tag_gets_the_bytes() {
        let others: [&[&str]; 6] = [&[], &["\"8-ab-1\""], &["7-ab-1"], &["\"7-ab-1"], &[""], &["x \"7-ab-1\""]];
        for tags in others {
            assert_eq!(status(tags), StatusCode::OK, "{tags:?}");
        }
    }

    #[test]
    fn both_answers_carry_the_tag_and_how_to_cache() {
        for if_none_match in ["\"7\"", "*"] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, if_none_match.parse().unwrap())]);
            let shown = Representation { etag: "\"7-ab-1\"".into(), body: "[]".into() };
            let response = respond(&headers, "private, no-cache", shown);
            assert_eq!(response.headers()[header::ETAG], "\"7-ab-1\"");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "private, no-cache");
        }
    }
}
