//! Conditional reads: a client that has the bytes already gets a 304 (RFC 9110, section 13.1.2).

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use projections::{Compressed, Representation};

use super::coding::{self, GZIP};
use super::json::JSON;

/// Answers with the representation, or 304 if the client has it.
pub fn respond(headers: &HeaderMap, cache_control: &'static str, shown: Representation) -> Response {
    plain_or_304(headers, cache_control, shown.etag, shown.body)
}

/// Answers with a representation that is worth compressing, in `gzip` if the client accepts it. The first reader after
/// a change compresses it. Each coding has its own ETag.
pub fn respond_compressed(headers: &HeaderMap, cache_control: &'static str, shown: Representation) -> Response {
    let takes_gzip = coding::takes_gzip(headers);
    let mut response = if takes_gzip {
        let Compressed { etag, body } = shown.compressed(GZIP, coding::gzip);
        plain_or_304(headers, cache_control, etag, body)
    } else {
        respond(headers, cache_control, shown)
    };
    coding::add_headers(response.headers_mut(), takes_gzip);
    response
}

fn plain_or_304(headers: &HeaderMap, cache_control: &'static str, etag: Bytes, body: Bytes) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| names(tags, &etag));
    let etag = HeaderValue::from_maybe_shared(etag).expect("an ETag of ours is fit for a header");
    let caching = [(header::ETAG, etag), (header::CACHE_CONTROL, HeaderValue::from_static(cache_control))];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, JSON)], body).into_response()
}

/// True if a list of entity tags, or `*`, names this one. The comparison is weak: `W/"x"` names `"x"`.
fn names(tags: &HeaderValue, etag: &[u8]) -> bool {
    let Ok(mut rest) = tags.to_str() else { return false };
    if rest.trim() == "*" {
        return true;
    }
    // A tag may hold commas, so the list is read tag by tag. Text that is not a tag ends the list.
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
        let shown = Representation::new("\"7-ab-1\"", "[]");
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
            let shown = Representation::new("\"7-ab-1\"", "[]");
            let response = respond(&headers, "private, no-cache", shown);
            assert_eq!(response.headers()[header::ETAG], "\"7-ab-1\"");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "private, no-cache");
        }
    }

    #[test]
    fn each_coding_is_compressed_under_a_tag_of_its_own_and_known_by_it() {
        let shown = Representation::new("\"7-ab-1\"", "[]");
        let asked = |headers: &[(&'static str, &str)]| {
            let mut asked = HeaderMap::new();
            for (name, value) in headers {
                asked.append(*name, value.parse().unwrap());
            }
            let response = respond_compressed(&asked, "no-cache", shown.clone());
            assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
            let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            (response.status().as_u16(), header(header::ETAG).unwrap(), header(header::CONTENT_ENCODING))
        };
        let (plain, zipped) = ("\"7-ab-1\"", "\"7-ab-1-gzip\"");
        let gzip = ("accept-encoding", "gzip");
        assert_eq!(asked(&[]), (200, plain.to_owned(), None));
        assert_eq!(asked(&[gzip]), (200, zipped.to_owned(), Some("gzip".to_owned())));
        assert_eq!(asked(&[gzip, ("if-none-match", zipped)]), (304, zipped.to_owned(), None));
        assert_eq!(asked(&[gzip, ("if-none-match", plain)]), (200, zipped.to_owned(), Some("gzip".to_owned())));
        assert_eq!(asked(&[("if-none-match", zipped)]), (200, plain.to_owned(), None));
    }
}
