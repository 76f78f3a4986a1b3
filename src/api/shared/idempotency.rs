//! The header `Idempotency-Key`. The log stores fingerprints of the key and the request, never the client's text.

use axum::http::{HeaderMap, HeaderName, Method};
use domain::{Fingerprint, IdempotencyKey};
use sha2::{Digest, Sha256};

use super::kinds;
use super::problem::Problem;

/// The header by which a repeated command is recognised.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header of a repeated answer.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key, in characters.
const MAX_KEY_CHARACTERS: usize = 255;

/// Returns the request's key, with the fingerprint of the request. `None` if it has no key.
///
/// # Errors
/// It is not 1 to [`MAX_KEY_CHARACTERS`] visible ASCII characters, or is repeated.
pub fn key(headers: &HeaderMap, method: &Method, path: &str, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = given.next() else { return Ok(None) };
    let fit = (1..=MAX_KEY_CHARACTERS).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    if !fit || given.next().is_some() {
        let detail = format!(
            "The header `Idempotency-Key` must be given once, as 1 to {MAX_KEY_CHARACTERS} visible ASCII characters."
        );
        return Err(Problem::new(&kinds::MALFORMED_HEADER, detail));
    }
    let request = fingerprint([method.as_str().as_bytes(), path.as_bytes(), body]);
    Ok(Some(IdempotencyKey { key: first_half(Sha256::digest(key.as_bytes()).into()), request }))
}

/// The first 16 bytes of SHA-256 over all parts, each after its length (8 bytes, big-endian). So a byte that moves from
/// one part to the next makes another fingerprint.
fn fingerprint(parts: [&[u8]; 3]) -> Fingerprint {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    first_half(hasher.finalize().into())
}

fn first_half(hash: [u8; 32]) -> Fingerprint {
    Fingerprint::new(*hash.first_chunk().expect("32 bytes have 16"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn given(keys: &[&str]) -> Result<Option<IdempotencyKey>, &'static str> {
        let mut headers = HeaderMap::new();
        for key in keys {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(key.as_bytes()).unwrap());
        }
        key(&headers, &Method::POST, "/path", b"body").map_err(|problem| problem.code())
    }

    #[test]
    fn a_key_is_1_to_255_visible_characters() {
        assert_eq!(given(&[]), Ok(None));
        assert!(given(&["!"]).unwrap().is_some());
        assert!(given(&[&"~".repeat(255)]).unwrap().is_some());
        for wrong in ["", &"~".repeat(256), "two words", "ключ", "tab\tbed"] {
            assert_eq!(given(&[wrong]), Err("malformed-header"), "{wrong}");
        }
        assert_eq!(given(&["a", "a"]), Err("malformed-header"));
    }

    #[test]
    fn each_key_and_each_request_has_a_fingerprint_of_its_own() {
        assert_eq!(given(&["a"]), given(&["a"]));
        assert_ne!(given(&["a"]).unwrap().unwrap().key, given(&["b"]).unwrap().unwrap().key);
        let request = fingerprint([b"POST", b"/path", b"body"]);
        assert_eq!(given(&["a"]).unwrap().unwrap().request, request);
        assert_ne!(fingerprint([b"POST", b"/pathb", b"ody"]), request);
        assert_ne!(fingerprint([b"DELETE", b"/path", b"body"]), request);
    }
}
