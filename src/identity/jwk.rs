//! The keys of an identity provider: a JWK set (RFC 7517), and those of its keys that can be used.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;

use super::Reason;
use super::compact::{Compact, algorithm};

/// The smallest and the largest RSA key, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// The smallest shared secret, in bytes.
const MIN_SECRET_BYTES: usize = 32;

const RSA: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

/// The rule for shared secrets among the keys: they are used only if nobody else can read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// The set is a local file.
    Allowed,
    /// The set is published.
    Skipped,
}

/// A key, with the algorithms that it can be used with. The key decides that, never the token.
#[derive(Debug)]
pub struct Key {
    decoding: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl Key {
    /// Fails unless this key has signed the token.
    ///
    /// # Errors
    /// The key cannot be used with the token's algorithm, or the signature is wrong.
    pub fn verify(&self, token: &Compact<'_>) -> Result<(), Reason> {
        if !self.algorithms.contains(&token.algorithm) {
            return Err(Reason::Algorithm);
        }
        match crypto::verify(token.signature, token.signed, &self.decoding, token.algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Reason::Signature),
        }
    }
}

/// The usable keys of a set.
#[derive(Debug, Default)]
pub struct KeySet {
    by_id: BTreeMap<String, Arc<Key>>,
    without_id: Vec<Arc<Key>>,
}

/// The reason why a set cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetProblem {
    #[error("it is not a JWK set: {0}")]
    NoSet(String),
    #[error("it has the key `{0}` twice")]
    Twice(String),
    #[error("it has no key that can be used")]
    NoKeys,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

/// A key in JSON. Unknown members are ignored.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
}

impl KeySet {
    /// Reads a set. Keys of another use or type, or too small ones, are skipped.
    ///
    /// # Errors
    /// The text is not a set, none of its keys can be used, or two keys have the same id.
    pub fn read(text: &[u8], secrets: Secrets) -> Result<Self, SetProblem> {
        let set: Set = serde_json::from_slice(text).map_err(|error| SetProblem::NoSet(error.to_string()))?;
        let mut keys = Self::default();
        for written in set.keys {
            let Ok(jwk) = serde_json::from_value::<Jwk>(written) else { continue };
            let Some(key) = jwk.usable(secrets).map(Arc::new) else { continue };
            match jwk.kid {
                None => keys.without_id.push(key),
                Some(kid) => {
                    if keys.by_id.insert(kid.clone(), key).is_some() {
                        return Err(SetProblem::Twice(kid));
                    }
                }
            }
        }
        if keys.all().next().is_none() { Err(SetProblem::NoKeys) } else { Ok(keys) }
    }

    /// Finds the key with this id.
    pub fn with_id(&self, key_id: &str) -> Option<&Arc<Key>> {
        self.by_id.get(key_id)
    }

    /// Finds the only key for this algorithm.
    ///
    /// # Errors
    /// There is no such key, or there are several.
    pub fn only_for(&self, algorithm: Algorithm) -> Result<&Arc<Key>, Reason> {
        let mut fitting = self.all().filter(|key| key.algorithms.contains(&algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(Reason::Algorithm),
            (Some(_), Some(_)) => Err(Reason::Key),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.by_id.values().chain(&self.without_id)
    }
}

impl Jwk {
    fn usable(&self, secrets: Secrets) -> Option<Key> {
        let verifies = self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|name| name == "verify"));
        if !verifies || self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let (decoding, mut algorithms) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => (self.rsa()?, RSA.to_vec()),
            ("EC", Some("P-256")) => (self.point(32)?, vec![Algorithm::ES256]),
            ("EC", Some("P-384")) => (self.point(48)?, vec![Algorithm::ES384]),
            ("OKP", Some("Ed25519")) => {
                (DecodingKey::from_ed_der(&octets(self.x.as_ref()?, 32)?), vec![Algorithm::EdDSA])
            }
            ("oct", _) if secrets == Secrets::Allowed => (self.secret()?, vec![Algorithm::HS256]),
            _ => return None,
        };
        if let Some(name) = &self.alg {
            let only = algorithm(name)?;
            algorithms.retain(|fitting| *fitting == only);
        }
        (!algorithms.is_empty()).then_some(Key { decoding, algorithms })
    }

    fn rsa(&self) -> Option<DecodingKey> {
        let (modulus, exponent) = (decoded(self.n.as_ref()?)?, decoded(self.e.as_ref()?)?);
        let (modulus, exponent) = (without_zeros(&modulus), without_zeros(&exponent));
        let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
        RSA_BITS.contains(&bits).then(|| DecodingKey::from_rsa_raw_components(modulus, exponent))
    }

    /// Makes an uncompressed point from both coordinates, which must have full length (RFC 7518, 6.2.1.2).
    fn point(&self, bytes: usize) -> Option<DecodingKey> {
        let (x, y) = (octets(self.x.as_ref()?, bytes)?, octets(self.y.as_ref()?, bytes)?);
        Some(DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat()))
    }

    fn secret(&self) -> Option<DecodingKey> {
        let secret = decoded(self.k.as_ref()?)?;
        (secret.len() >= MIN_SECRET_BYTES).then(|| DecodingKey::from_secret(&secret))
    }
}

fn decoded(text: &String) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn octets(text: &String, bytes: usize) -> Option<Vec<u8>> {
    decoded(text).filter(|octets| octets.len() == bytes)
}

/// Removes leading zeros, which some providers write and `ring` refuses.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
