//! Tokens, one a line, and what is said of each.

use serde_json::{Value, json};

use super::jwt::{SigningKey, encoded};
use super::*;

/// The keys of the set: one of each kind, two RSA keys, and one that takes one algorithm only.
struct Ring {
    rsa: SigningKey,
    only_rs256: SigningKey,
    es256: SigningKey,
    es384: SigningKey,
    ed: SigningKey,
    secret: SigningKey,
    strangers: SigningKey,
    /// Whoever knows the public half of `rsa` has this as a secret.
    public_half: Vec<SigningKey>,
}

impl Ring {
    fn new() -> Self {
        let rsa = SigningKey::rsa(0);
        let jwk = rsa.jwk("rsa");
        let modulus = jwk["n"].as_str().unwrap().to_owned();
        Self {
            public_half: vec![
                SigningKey::secret(jwk.to_string()),
                SigningKey::secret(modulus.clone()),
                SigningKey::secret(
                    base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, modulus).unwrap(),
                ),
            ],
            rsa,
            only_rs256: SigningKey::rsa(1),
            es256: SigningKey::es256(),
            es384: SigningKey::es384(),
            ed: SigningKey::ed25519(),
            secret: SigningKey::secret([7; 32]),
            strangers: SigningKey::es256(),
        }
    }

    fn set(&self) -> Vec<Value> {
        let mut only = self.only_rs256.jwk("only-rs256");
        (only["alg"], only["use"]) = ("RS256".into(), "sig".into());
        let mut ed = self.ed.jwk("ed");
        ed["key_ops"] = json!(["verify"]);
        vec![self.rsa.jwk("rsa"), only, self.es256.jwk("es256"), self.es384.jwk("es384"), ed, self.secret.jwk("secret")]
    }
}

fn head(algorithm: &str, kid: &str) -> Value {
    json!({ "alg": algorithm, "kid": kid })
}

fn with_members(mut header: Value, members: Value) -> Value {
    header.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    header
}

/// The same token, with another signature.
fn signed_by(token: &str, signature: &[u8]) -> String {
    format!("{}.{}", token.rsplit_once('.').unwrap().0, encoded(signature))
}

type Line = (&'static str, String, Option<Reason>);

fn by_algorithm(ring: &Ring) -> Vec<Line> {
    use Reason::{Algorithm, Signature};
    let right = claims(json!({}));
    let mut lines = Vec::new();
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        lines.push((algorithm, ring.rsa.token(&head(algorithm, "rsa"), &right), None));
    }
    let es256 = ring.es256.token(&head("ES256", "es256"), &right);
    let signature = ring.es256.sign("ES256", es256.rsplit_once('.').unwrap().0.as_bytes());
    let none = |name: &str| {
        let unsigned = format!("{}.{}.", encoded(json!({ "alg": name }).to_string().as_bytes()), encoded(b"{}"));
        (name.to_owned(), unsigned)
    };
    lines.extend([
        ("ES256", es256.clone(), None),
        ("ES384", ring.es384.token(&head("ES384", "es384"), &right), None),
        ("EdDSA", ring.ed.token(&head("EdDSA", "ed"), &right), None),
        ("HS256 by a secret", ring.secret.token(&head("HS256", "secret"), &right), None),
        ("the one algorithm of a key", ring.only_rs256.token(&head("RS256", "only-rs256"), &right), None),
        ("another of that key's type", ring.only_rs256.token(&head("PS256", "only-rs256"), &right), Some(Algorithm)),
        ("none", none("none").1, Some(Algorithm)),
        ("None", none("None").1, Some(Algorithm)),
        ("nOnE", none("nOnE").1, Some(Algorithm)),
        ("NONE", none("NONE").1, Some(Algorithm)),
        ("no name", none("").1, Some(Algorithm)),
        ("rs256", ring.rsa.token(&head("rs256", "rsa"), &right), Some(Algorithm)),
        ("HS384", ring.secret.token(&head("HS384", "secret"), &right), Some(Algorithm)),
        ("HS512", ring.secret.token(&head("HS512", "secret"), &right), Some(Algorithm)),
        ("ES512", ring.es256.token(&head("ES512", "es256"), &right), Some(Algorithm)),
        ("the public half as a secret: JWK", ring.public_half[0].token(&head("HS256", "rsa"), &right), Some(Algorithm)),
        (
            "the public half as a secret: text",
            ring.public_half[1].token(&head("HS256", "rsa"), &right),
            Some(Algorithm),
        ),
        (
            "the public half as a secret: bytes",
            ring.public_half[2].token(&head("HS256", "rsa"), &right),
            Some(Algorithm),
        ),
        (
            "the public half, under the secret's id",
            ring.public_half[0].token(&head("HS256", "secret"), &right),
            Some(Signature),
        ),
        ("ES256 by a key of P-384", ring.es256.token(&head("ES256", "es384"), &right), Some(Algorithm)),
        ("ES384 by a key of P-256", ring.es384.token(&head("ES384", "es256"), &right), Some(Algorithm)),
        ("EdDSA by a key of RSA", ring.ed.token(&head("EdDSA", "rsa"), &right), Some(Algorithm)),
        ("by another key", ring.strangers.token(&head("ES256", "es256"), &right), Some(Signature)),
        ("r and s, one byte short", signed_by(&es256, &signature[..63]), Some(Signature)),
        ("r and s, one byte long", signed_by(&es256, &[&signature[..], &[0]].concat()), Some(Signature)),
        ("r and s of nothing", signed_by(&es256, &[0; 64]), Some(Signature)),
        ("no signature", signed_by(&es256, &[]), Some(Signature)),
        (
            "padding of the other kind",
            {
                let token = ring.rsa.token(&head("PS256", "rsa"), &right);
                let signed = token.rsplit_once('.').unwrap().0.as_bytes().to_vec();
                signed_by(&token, &ring.rsa.sign("RS256", &signed))
            },
            Some(Signature),
        ),
        (
            "claims of another token",
            {
                let other = ring.es256.token(&head("ES256", "es256"), &claims(json!({ "sub": "eve" })));
                signed_by(&other, &signature)
            },
            Some(Signature),
        ),
    ]);
    lines
}

fn by_form(ring: &Ring) -> Vec<Line> {
    use Reason::{Key, Malformed};
    let right = claims(json!({}));
    let es256 = |members: Value| ring.es256.token(&with_members(head("ES256", "es256"), members), &right);
    let good = es256(json!({}));
    let text = |header: &str, claims: &str| ring.es256.token_of(header, claims);
    let plain = head("ES256", "es256").to_string();
    vec![
        ("typ JWT", es256(json!({ "typ": "JWT" })), None),
        ("typ at+jwt", es256(json!({ "typ": "at+jwt" })), None),
        ("typ of something else", es256(json!({ "typ": "dpop+jwt" })), Some(Malformed)),
        ("typ as a number", es256(json!({ "typ": 1 })), Some(Malformed)),
        ("crit", es256(json!({ "crit": ["exp"] })), Some(Malformed)),
        ("crit of nothing", es256(json!({ "crit": [] })), Some(Malformed)),
        ("crit null", es256(json!({ "crit": null })), Some(Malformed)),
        ("a member that nobody knows", es256(json!({ "x": 1 })), None),
        ("jwk of a stranger", ring.strangers.token(&with_members(head("ES256", "es256"), json!({ "jwk": ring.strangers.jwk("es256") })), &right), Some(Reason::Signature)),
        ("jwk and jku of a stranger, under an id of theirs", ring.strangers.token(&with_members(head("ES256", "theirs"), json!({ "jwk": ring.strangers.jwk("theirs"), "jku": "http://127.0.0.1:9/", "x5u": "http://127.0.0.1:9/" })), &right), Some(Key)),
        ("a kid that is not known", ring.es256.token(&head("ES256", "other"), &right), Some(Key)),
        ("a kid as a number", text(r#"{"alg":"ES256","kid":1}"#, &right.to_string()), Some(Malformed)),
        ("a kid of 1 MiB", ring.es256.token(&head("ES256", &"k".repeat(1024 * 1024)), &right), Some(Malformed)),
        ("a kid that leads somewhere", ring.es256.token(&head("ES256", "../../dev/null"), &right), Some(Key)),
        ("no kid, one key that fits", ring.es256.token(&json!({ "alg": "ES256" }), &right), None),
        ("no kid, several keys that fit", ring.rsa.token(&json!({ "alg": "RS256" }), &right), Some(Key)),
        ("no kid, several keys, one of them takes it", ring.rsa.token(&json!({ "alg": "PS256" }), &right), None),
        ("no alg", text(r#"{"kid":"es256"}"#, &right.to_string()), Some(Malformed)),
        ("alg as a number", text(r#"{"alg":1,"kid":"es256"}"#, &right.to_string()), Some(Malformed)),
        ("alg twice", text(r#"{"alg":"none","alg":"ES256","kid":"es256"}"#, &right.to_string()), Some(Malformed)),
        ("a claim twice", text(&plain, &right.to_string().replacen('{', r#"{"sub":"eve","#, 1)), Some(Malformed)),
        ("a header that is no object", text("[]", &right.to_string()), Some(Malformed)),
        ("claims that are no object", text(&plain, "[]"), Some(Malformed)),
        ("claims that are no JSON", text(&plain, "sub=ann"), Some(Malformed)),
        ("nothing", String::new(), Some(Malformed)),
        ("a room's token", "96cdc907-fbae-4ebb-8c60-b27fa841b60d".to_owned(), Some(Malformed)),
        ("two parts", good.rsplit_once('.').unwrap().0.to_owned(), Some(Malformed)),
        ("four parts", format!("{good}.x"), Some(Malformed)),
        ("five parts, as of what is encrypted", format!("{good}.x.y"), Some(Malformed)),
        ("padded", format!("{good}="), Some(Malformed)),
        ("base64 that is not for URLs", format!("{}+/", &good[..good.len() - 2]), Some(Malformed)),
        ("a blank within", good.replacen('.', ". ", 1), Some(Malformed)),
    ]
}

fn by_claims(ring: &Ring) -> Vec<Line> {
    use Reason::{Audience, Claim, Expired, Issuer, Malformed, NotYetValid};
    let said = |changes: Value| ring.es256.token(&head("ES256", "es256"), &claims(changes));
    vec![
        ("over by less than the leeway", said(json!({ "exp": NOW - 29 })), None),
        ("over by the leeway", said(json!({ "exp": NOW - 30 })), Some(Expired)),
        ("over, with a fraction", said(json!({ "exp": NOW as f64 - 29.5 })), None),
        ("over for long", said(json!({ "exp": 0 })), Some(Expired)),
        ("over before 1970", said(json!({ "exp": -1 })), Some(Expired)),
        ("over in a very long time", said(json!({ "exp": 1e300 })), None),
        ("exp missing", said(json!({ "exp": null })), Some(Claim)),
        ("exp as text", said(json!({ "exp": (NOW + 300).to_string() })), Some(Claim)),
        ("exp as a list", said(json!({ "exp": [NOW + 300] })), Some(Claim)),
        ("nbf within the leeway", said(json!({ "nbf": NOW + 30 })), None),
        ("nbf past the leeway", said(json!({ "nbf": NOW + 31 })), Some(NotYetValid)),
        ("nbf as text", said(json!({ "nbf": "0" })), Some(Claim)),
        ("iat within the leeway", said(json!({ "iat": NOW + 30 })), None),
        ("iat past the leeway", said(json!({ "iat": NOW + 31 })), Some(NotYetValid)),
        ("iat as text", said(json!({ "iat": "0" })), Some(Claim)),
        ("a former issuer", said(json!({ "iss": FORMER })), None),
        ("another issuer", said(json!({ "iss": "https://id.example" })), Some(Issuer)),
        ("iss missing", said(json!({ "iss": null })), Some(Claim)),
        ("iss as a list", said(json!({ "iss": [ISSUER] })), Some(Claim)),
        ("aud as a list", said(json!({ "aud": ["other", AUDIENCE] })), None),
        ("aud as a list of others", said(json!({ "aud": ["other"] })), Some(Audience)),
        ("aud of nobody", said(json!({ "aud": [] })), Some(Audience)),
        ("aud of others", said(json!({ "aud": "reprise2" })), Some(Audience)),
        ("aud missing", said(json!({ "aud": null })), Some(Claim)),
        ("aud as a number", said(json!({ "aud": 1 })), Some(Claim)),
        ("aud as a list of numbers", said(json!({ "aud": [1] })), Some(Claim)),
        (
            "a number that no number can be",
            ring.es256.token_of(&head("ES256", "es256").to_string(), r#"{"exp":1e999}"#),
            Some(Malformed),
        ),
    ]
}

#[tokio::test]
async fn each_token_is_answered_as_the_contract_says() {
    let ring = Ring::new();
    let (identity, _folder) = with_keys(&ring.set());
    let lines = [by_algorithm(&ring), by_form(&ring), by_claims(&ring)].concat();
    assert!(lines.len() >= 80, "{}", lines.len());
    for (what, token, reason) in lines {
        assert_eq!(refusal(&identity, &token).await, reason.map(Refusal::Invalid), "{what}");
    }
}

#[tokio::test]
async fn a_token_has_8_kib_at_most() {
    let ring = Ring::new();
    let (identity, _folder) = with_keys(&ring.set());
    // Three bytes more of claims are four more of the token; a longer header shifts that.
    let sized = |bytes: usize| {
        let tokens = (0..4).flat_map(|shift| (5_800..6_100).map(move |filling| (shift, filling)));
        let made = tokens.map(|(shift, filling)| {
            let header = with_members(head("ES256", "es256"), json!({ "x": "x".repeat(shift) }));
            ring.es256.token(&header, &claims(json!({ "filling": "x".repeat(filling) })))
        });
        made.into_iter().find(|token| token.len() == bytes).unwrap()
    };
    assert_eq!(refusal(&identity, &sized(8 * 1024)).await, None);
    assert_eq!(refusal(&identity, &sized(8 * 1024 + 1)).await, Some(Refusal::Invalid(Reason::Malformed)));
}
