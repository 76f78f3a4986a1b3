//! The outer form of a token: three parts in base64url, and a header in which every critical member is known (RFC 7515,
//! 7.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::{Reason, strict_json};

/// The longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The allowed values of `typ`. Media types are compared without case (RFC 7515, 4.1.9).
const TYPES: [&str; 2] = ["JWT", "at+jwt"];

/// The accepted algorithms. The key decides which of them it can be used with.
const ALGORITHMS: [(&str, Algorithm); 10] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
    ("HS256", Algorithm::HS256),
];

/// Finds the algorithm of this name, which must be written exactly so.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    ALGORITHMS.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
}

/// The parts of a token. Nothing is verified yet.
pub struct Compact<'a> {
    /// The algorithm that the header names.
    pub algorithm: Algorithm,
    /// The id of the key that the header names.
    pub key_id: Option<String>,
    /// The signed bytes.
    pub signed: &'a [u8],
    /// The signature, in base64url.
    pub signature: &'a str,
    payload: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// The text is not a token, or its algorithm is not accepted.
    pub fn of(token: &'a str) -> Result<Self, Reason> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Reason::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Reason::Malformed)?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Reason::Malformed);
        let header = strict_json::object(&decoded(header)?).ok_or(Reason::Malformed)?;
        let payload = decoded(payload)?;
        decoded(signature)?;
        // `jku`, `x5u`, `x5c` and `jwk` are never used: a token cannot choose the key that verifies it.
        if header.contains_key("crit") || !is_typed(&header) {
            return Err(Reason::Malformed);
        }
        let Some(Value::String(name)) = header.get("alg") else { return Err(Reason::Malformed) };
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(key_id)) => Some(key_id.clone()),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(Reason::Malformed);
            }
        };
        let algorithm = algorithm(name).ok_or(Reason::Algorithm)?;
        Ok(Self { algorithm, key_id, signed: signed.as_bytes(), signature, payload })
    }

    /// Parses the claims.
    ///
    /// # Errors
    /// The payload is not a JSON object, or has a member twice.
    pub fn claims(&self) -> Result<Map<String, Value>, Reason> {
        strict_json::object(&self.payload).ok_or(Reason::Malformed)
    }
}

fn is_typed(header: &Map<String, Value>) -> bool {
    let is_known = |typ: &str| TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ));
    header.get("typ").is_none_or(|typ| typ.as_str().is_some_and(is_known))
}
