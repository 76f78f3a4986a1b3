//! Reads the token in `Authorization`.

use axum::http::{HeaderMap, header};
use domain::TokenHash;
use uuid::Uuid;

use super::kinds;
use super::problem::Problem;
use crate::key::token_hash;

/// The scheme that may stand before the token.
const SCHEME: &str = "bearer";
/// The length of a token: a UUID with hyphens, which is its only spelling.
const TOKEN_CHARACTERS: usize = 36;

/// Returns the hash of the request's token.
///
/// # Errors
/// The header is missing, repeated, or not a token.
pub fn presented(headers: &HeaderMap) -> Result<TokenHash, Problem> {
    let mut shown = headers.get_all(header::AUTHORIZATION).iter();
    let missing = || {
        Problem::new(
            &kinds::TOKEN_MISSING,
            "The header `Authorization` is missing. Send the token that `POST /api/tokens` answered: `Authorization: Bearer <token>`.",
        )
    };
    let first = shown.next().ok_or_else(missing)?;
    let only = if shown.next().is_none() { first.to_str().ok() } else { None };
    let malformed = || {
        Problem::new(
            &kinds::TOKEN_MALFORMED,
            "The header `Authorization` must hold one token: the UUID that `POST /api/tokens` answered, with its hyphens.",
        )
    };
    only.and_then(token).as_ref().map(token_hash).ok_or_else(malformed)
}

fn token(authorization: &str) -> Option<Uuid> {
    let authorization = authorization.trim();
    let text = match authorization.split_once(' ') {
        None => authorization,
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => token.trim_start(),
        Some(_) => return None,
    };
    Uuid::try_parse(text).ok().filter(|_| text.len() == TOKEN_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "96cdc907-fbae-4ebb-8c60-b27fa841b60d";

    fn shown(values: &[&str]) -> Result<TokenHash, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        presented(&headers).map_err(|problem| problem.code())
    }

    #[test]
    fn a_token_may_come_bare_or_as_a_bearer_s_and_in_any_case() {
        let known = Ok(token_hash(&TOKEN.parse().unwrap()));
        for value in [TOKEN, &TOKEN.to_ascii_uppercase()] {
            assert_eq!(shown(&[value]), known);
            assert_eq!(shown(&[&format!("Bearer {value}")]), known);
            assert_eq!(shown(&[&format!("bEARER  {value}")]), known);
        }
    }

    #[test]
    fn no_token_is_missing() {
        assert_eq!(shown(&[]), Err("token-missing"));
    }

    #[test]
    fn anything_else_is_malformed() {
        let simple = TOKEN.replace('-', "");
        let (braced, urn) = (format!("{{{TOKEN}}}"), format!("urn:uuid:{TOKEN}"));
        let (basic, two) = (format!("Basic {TOKEN}"), format!("{TOKEN} {TOKEN}"));
        for value in ["", "Bearer", "Bearer ", "abc", &simple, &braced, &urn, &basic, &two, &TOKEN[1..]] {
            assert_eq!(shown(&[value]), Err("token-malformed"), "{value}");
        }
        assert_eq!(shown(&[TOKEN, TOKEN]), Err("token-malformed"));
    }
}
