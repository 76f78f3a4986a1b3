//! Makes JSON Web Tokens, right ones and wrong ones, and the key sets that they are verified by. The RSA keys beside this
//! file are for tests, and no secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use ring::{hmac, rsa};
use serde_json::{Value, json};

/// The RSA keys, in PKCS #1.
const RSA_KEYS: [&[u8]; 2] = [include_bytes!("rsa-1.der"), include_bytes!("rsa-2.der")];

/// What a provider signs with.
pub enum SigningKey {
    Rsa(RsaKeyPair),
    Es256(EcdsaKeyPair),
    Es384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Secret(Vec<u8>),
}

impl SigningKey {
    /// One of the two RSA keys.
    pub fn rsa(index: usize) -> Self {
        Self::Rsa(RsaKeyPair::from_der(RSA_KEYS[index]).unwrap())
    }

    pub fn es256() -> Self {
        Self::Es256(curve(&signature::ECDSA_P256_SHA256_FIXED_SIGNING))
    }

    pub fn es384() -> Self {
        Self::Es384(curve(&signature::ECDSA_P384_SHA384_FIXED_SIGNING))
    }

    pub fn ed25519() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub fn secret(secret: impl Into<Vec<u8>>) -> Self {
        Self::Secret(secret.into())
    }

    /// Its public half as a JWK; of a secret, all of it.
    pub fn jwk(&self, kid: &str) -> Value {
        let mut jwk = match self {
            Self::Rsa(key) => {
                let public = rsa::PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({ "kty": "RSA", "n": encoded(&public.n), "e": encoded(&public.e) })
            }
            Self::Es256(key) => point("P-256", key, 32),
            Self::Es384(key) => point("P-384", key, 48),
            Self::Ed25519(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_key().as_ref()) }),
            Self::Secret(secret) => json!({ "kty": "oct", "k": encoded(secret) }),
        };
        jwk["kid"] = kid.into();
        jwk
    }

    /// Signs by an algorithm of the key's kind.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match (self, algorithm) {
            (Self::Rsa(key), _) => {
                let padding: &dyn signature::RsaEncoding = match algorithm {
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signed = vec![0; key.public().modulus_len()];
                key.sign(padding, &random, message, &mut signed).unwrap();
                signed
            }
            (Self::Es256(key) | Self::Es384(key), _) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            (Self::Ed25519(key), _) => key.sign(message).as_ref().to_vec(),
            (Self::Secret(secret), "HS512") => tag(hmac::HMAC_SHA512, secret, message),
            (Self::Secret(secret), _) => tag(hmac::HMAC_SHA256, secret, message),
        }
    }

    /// A token of this header and these claims, signed by the header's algorithm.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        self.token_of(&header.to_string(), &claims.to_string())
    }

    /// The same, of texts as they are.
    pub fn token_of(&self, header: &str, claims: &str) -> String {
        let read: Value = serde_json::from_str(header).unwrap_or_default();
        let signed = format!("{}.{}", encoded(header.as_bytes()), encoded(claims.as_bytes()));
        let signature = self.sign(read["alg"].as_str().unwrap_or_default(), signed.as_bytes());
        format!("{signed}.{}", encoded(&signature))
    }
}

fn curve(algorithm: &'static signature::EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
}

fn point(name: &str, key: &EcdsaKeyPair, bytes: usize) -> Value {
    let (x, y) = key.public_key().as_ref()[1..].split_at(bytes);
    json!({ "kty": "EC", "crv": name, "x": encoded(x), "y": encoded(y) })
}

fn tag(algorithm: hmac::Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), message).as_ref().to_vec()
}

/// Base64 for URLs, without padding.
pub fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
