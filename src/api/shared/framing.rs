//! The checks of every request, whatever its route: one `Host`, and no unknown transfer coding.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Version, header};

use super::kinds;
use super::problem::Problem;

/// Fails unless the request has the form that HTTP/1.1 asks for.
///
/// # Errors
/// `Host` is missing, repeated or malformed (RFC 9112, 3.2), or the body has another transfer coding than `chunked`
/// (6.1).
pub fn check<B>(request: &Request<B>) -> Result<(), Problem> {
    let headers = request.headers();
    if !names_one_host(headers, request.version()) {
        let detail = "HTTP/1.1 needs the header `Host` exactly once: a name or an address, and a port if there is one.";
        return Err(Problem::new(&kinds::MALFORMED_HEADER, detail).closing());
    }
    if !has_known_coding(headers) {
        let detail = "The only transfer coding that this server understands is `chunked`.";
        return Err(Problem::new(&kinds::TRANSFER_CODING_UNKNOWN, detail).closing());
    }
    Ok(())
}

fn names_one_host(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.as_bytes().iter().all(|byte| is_of_a_host(*byte)),
        // Before HTTP/1.1 `Host` was not required.
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// `uri-host [ ":" port ]` (RFC 3986, 3.2.2): a name, an address, or nothing.
fn is_of_a_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte)
}

fn has_known_coding(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    codings.next().is_none_or(is_chunked) && codings.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(version: Version, headers: &[(&str, &str)]) -> Option<&'static str> {
        let mut request = Request::builder().version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap()).err().map(|problem| problem.code())
    }

    #[test]
    fn http_1_1_needs_one_host() {
        for host in ["example.org", "example.org:8080", "[::1]:8080", "127.0.0.1", ""] {
            assert_eq!(code(Version::HTTP_11, &[("host", host)]), None, "{host}");
        }
        assert_eq!(code(Version::HTTP_11, &[]), Some("malformed-header"));
        assert_eq!(code(Version::HTTP_10, &[]), None);
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert_eq!(code(version, &[("host", "a"), ("host", "a")]), Some("malformed-header"));
            for host in ["a b", "a/b", "ann@a", "a\tb"] {
                assert_eq!(code(version, &[("host", host)]), Some("malformed-header"), "{host}");
            }
        }
    }

    #[test]
    fn a_body_is_chunked_or_has_a_length() {
        let coded = |codings: &[&str]| {
            let codings = codings.iter().map(|coding| ("transfer-encoding", *coding));
            code(Version::HTTP_11, &[("host", "a")].into_iter().chain(codings).collect::<Vec<_>>())
        };
        assert_eq!(coded(&[]), None);
        assert_eq!(coded(&["chunked"]), None);
        assert_eq!(coded(&["Chunked "]), None);
        for codings in [&["gzip, chunked"][..], &["gzip", "chunked"], &["identity"], &["chunked, chunked"]] {
            assert_eq!(coded(codings), Some("transfer-coding-unknown"), "{codings:?}");
        }
    }
}
