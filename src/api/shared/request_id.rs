//! The request's id: the client's if it has the right form, else a new one. It is in every response and every line of
//! the log.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use uuid::Uuid;

/// The header of the id, in requests and responses.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id of a client that is used, in characters.
const MAX_CHARACTERS: usize = 128;
/// The shortest word of an `Authorization` header that counts as a credential: longer than any scheme's name.
const MIN_CREDENTIAL_CHARACTERS: usize = 16;

/// How a token of the room is written: `x` is a hexadecimal digit, `y` one of 8, 9, a, b.
const HYPHENATED: &[u8; 36] = b"xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";

/// A request's id; copies share it.
#[derive(Debug)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// Uses the client's id, or makes a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(X_REQUEST_ID).iter();
        let only = given.next().filter(|_| given.next().is_none());
        let is_fit = |id: &str| is_sane(id) && !looks_like_a_token(id) && !shows_a_credential(id, headers);
        let taken_over = only.filter(|id| id.to_str().is_ok_and(is_fit));
        Self(taken_over.cloned().unwrap_or_else(made))
    }

    /// The text: 1..=128 of `A-Za-z0-9._-`.
    pub fn as_str(&self) -> &str {
        self.0.to_str().expect("its characters are ASCII")
    }

    /// The value of the header.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn made() -> HeaderValue {
    let mut text = Uuid::encode_buffer();
    HeaderValue::from_str(Uuid::new_v4().hyphenated().encode_lower(&mut text)).expect("a UUID is fit for a header")
}

fn is_sane(id: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_CHARACTERS).contains(&id.len()) && id.bytes().all(fit)
}

/// True if the id contains a token: a room's token with or without hyphens (a random UUID: RFC 9562, 5.4), or a JSON
/// Web Token. Such an id would stand in the log for ever.
fn looks_like_a_token(id: &str) -> bool {
    let bytes = id.as_bytes();
    let hyphenated = bytes.windows(HYPHENATED.len()).any(|text| {
        let fits = |(byte, pattern): (&u8, &u8)| match pattern {
            b'x' => byte.is_ascii_hexdigit(),
            b'y' => is_variant(*byte),
            exactly => byte == exactly,
        };
        text.iter().zip(HYPHENATED).all(fits)
    });
    let mut words = bytes.split(|byte| !byte.is_ascii_hexdigit());
    let simple = words.any(|word| word.len() == 32 && word[12] == b'4' && is_variant(word[16]));
    // A JSON header in base64 begins with this.
    hyphenated || simple || id.contains("eyJ")
}

fn is_variant(digit: u8) -> bool {
    matches!(digit, b'8' | b'9' | b'a' | b'b' | b'A' | b'B')
}

/// True if the id contains the request's credential, in any spelling of a UUID. No credential may get into the log in
/// this way.
fn shows_a_credential(id: &str, headers: &HeaderMap) -> bool {
    let id = plain(id);
    let values = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| value.to_str().ok());
    let mut credentials = values.flat_map(str::split_ascii_whitespace).map(plain);
    credentials.any(|credential| credential.len() >= MIN_CREDENTIAL_CHARACTERS && id.contains(&credential))
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "96cdc907-fbae-4ebb-8c60-b27fa841b60d";

    fn taken_over(id: &str, authorization: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, id.parse().unwrap());
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        }
        RequestId::of(&headers).as_str() == id
    }

    #[test]
    fn a_sane_id_is_taken_over() {
        assert!(taken_over("a", None));
        assert!(taken_over("Load.test_7-of-9", Some(TOKEN)));
        assert!(taken_over(&"x".repeat(128), None));
        assert!(taken_over("00-4bf92f3577b33da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None));
        assert!(taken_over("0190163d-8694-739b-aea5-966c26f8ad91", None));
    }

    #[test]
    fn what_looks_like_a_token_is_replaced_also_where_none_is_shown() {
        let (upper, simple) = (TOKEN.to_ascii_uppercase(), TOKEN.replace('-', ""));
        for id in [TOKEN, &upper, &simple, &format!("x.{TOKEN}"), &format!("{TOKEN}0"), &format!("a_{simple}_b")] {
            assert!(!taken_over(id, None), "{id}");
        }
        assert!(!taken_over("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl", None));
    }

    #[test]
    fn another_is_replaced() {
        assert!(!taken_over("", None));
        assert!(!taken_over(&"x".repeat(129), None));
        assert!(!taken_over("two words", None));
        assert!(!taken_over("a/b", None));
        assert!(Uuid::parse_str(RequestId::of(&HeaderMap::new()).as_str()).is_ok());
    }

    #[test]
    fn the_presented_token_is_no_request_id_however_it_is_spelled() {
        let upper = TOKEN.to_ascii_uppercase();
        let simple = TOKEN.replace('-', "");
        for id in [TOKEN, &upper, &simple, &format!("x.{TOKEN}")] {
            assert!(!taken_over(id, Some(TOKEN)));
            assert!(!taken_over(id, Some(&format!("Bearer {upper}"))));
        }
    }

    #[test]
    fn of_two_ids_none_is_taken() {
        let mut headers = HeaderMap::new();
        headers.append(X_REQUEST_ID, HeaderValue::from_static("one"));
        headers.append(X_REQUEST_ID, HeaderValue::from_static("two"));
        assert!(!["one", "two"].contains(&RequestId::of(&headers).as_str()));
    }
}
