//! Which keys of a set are used, and a file that changes.

use std::time::Duration;

use serde_json::{Value, json};

use super::jwt::{SigningKey, encoded};
use super::*;

/// Whether a token by this key is accepted where the set has this JWK.
async fn takes(key: &SigningKey, algorithm: &str, jwk: Value) -> bool {
    let (identity, _folder) = with_keys(&[jwk]);
    let token = key.token(&json!({ "alg": algorithm, "kid": "a" }), &claims(json!({})));
    verified(&identity, &token).await.is_ok()
}

fn with_members(mut jwk: Value, members: Value) -> Value {
    jwk.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    jwk
}

#[tokio::test]
async fn keys_of_another_use_type_or_size_are_skipped() {
    let (rsa, es256, ed) = (SigningKey::rsa(0), SigningKey::es256(), SigningKey::ed25519());
    let changed = |key: &SigningKey, members: Value| with_members(key.jwk("a"), members);
    assert!(
        takes(&rsa, "RS256", changed(&rsa, json!({ "use": "sig", "alg": "RS256", "key_ops": ["verify", "x"] }))).await
    );
    assert!(takes(&rsa, "RS256", changed(&rsa, json!({ "x5c": ["junk"], "other": 1 }))).await);
    for members in [
        json!({ "use": "enc" }),
        json!({ "key_ops": ["encrypt"] }),
        json!({ "key_ops": [] }),
        json!({ "alg": "RSA-OAEP" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "RS512" }),
        json!({ "kty": "rsa" }),
        json!({ "kty": "oct" }),
        json!({ "n": "no base64!" }),
        json!({ "e": null }),
        // 2,047 bits.
        json!({ "n": encoded(&[&[0x7f][..], &[0xff; 255]].concat()) }),
    ] {
        assert!(!takes(&rsa, "RS256", changed(&rsa, members.clone())).await, "{members}");
    }
    for members in [json!({ "crv": "P-384" }), json!({ "crv": "secp256k1" }), json!({ "x": "AA" })] {
        assert!(!takes(&es256, "ES256", changed(&es256, members.clone())).await, "{members}");
    }
    assert!(!takes(&ed, "EdDSA", changed(&ed, json!({ "crv": "X25519" }))).await);
    let (short, long) = (SigningKey::secret([7; 31]), SigningKey::secret([7; 32]));
    assert!(!takes(&short, "HS256", short.jwk("a")).await);
    assert!(takes(&long, "HS256", long.jwk("a")).await);
}

#[tokio::test]
async fn a_modulus_may_be_written_with_zeros_before_it() {
    let rsa = SigningKey::rsa(0);
    let jwk = rsa.jwk("a");
    let modulus = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, jwk["n"].as_str().unwrap());
    let padded = encoded(&[&[0, 0][..], &modulus.unwrap()].concat());
    assert!(takes(&rsa, "RS256", with_members(jwk, json!({ "n": padded }))).await);
}

fn rewrite(folder: &TempDir, keys: &[Value]) {
    let path = folder.path().join("keys.json");
    std::fs::write(folder.path().join("new"), json!({ "keys": keys }).to_string()).unwrap();
    std::fs::rename(folder.path().join("new"), path).unwrap();
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changed_and_a_bad_one_forgets_nothing() {
    let (old, new) = (SigningKey::secret([7; 32]), SigningKey::secret([8; 32]));
    let (identity, folder) = with_keys(&[old.jwk("old")]);
    let keeping = tokio::spawn(identity.clone().keep_keys());
    let by_old = old.token(&json!({ "alg": "HS256", "kid": "old" }), &claims(json!({})));
    let by_new = new.token(&json!({ "alg": "HS256", "kid": "new" }), &claims(json!({})));
    let unknown = Some(Refusal::Invalid(Reason::Key));
    assert_eq!(refusal(&identity, &by_new).await, unknown);

    std::fs::write(folder.path().join("keys.json"), "{").unwrap();
    assert_eq!(refusal(&identity, &by_new).await, unknown);
    rewrite(&folder, &[new.jwk("new"), old.jwk("new")]);
    assert_eq!(refusal(&identity, &by_new).await, unknown, "a set with one id twice is refused as a whole");
    std::fs::remove_file(folder.path().join("keys.json")).unwrap();
    assert_eq!(refusal(&identity, &by_new).await, unknown);
    assert_eq!(refusal(&identity, &by_old).await, None);

    rewrite(&folder, &[new.jwk("new")]);
    assert_eq!(refusal(&identity, &by_new).await, None);
    assert_eq!(refusal(&identity, &by_old).await, unknown);
    // Also where nobody asks for a key that is not known.
    rewrite(&folder, &[old.jwk("new")]);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(refusal(&identity, &by_new).await, Some(Refusal::Invalid(Reason::Signature)));
    keeping.abort();
}

#[tokio::test]
async fn without_any_key_nobody_is_refused_for_good() {
    let key = SigningKey::secret([7; 32]);
    let (identity, folder) = with_keys(&[]);
    assert!(identity.readiness().is_err());
    for header in [json!({ "alg": "HS256", "kid": "a" }), json!({ "alg": "HS256" })] {
        let refused = refusal(&identity, &key.token(&header, &claims(json!({})))).await;
        assert!(matches!(refused, Some(Refusal::Unavailable { retry_after_seconds: 1.. })), "{refused:?}");
    }
    rewrite(&folder, &[key.jwk("a")]);
    assert_eq!(refusal(&identity, &key.token(&json!({ "alg": "HS256", "kid": "a" }), &claims(json!({})))).await, None);
    assert!(identity.readiness().is_ok());
}

#[test]
fn keys_lie_in_a_file_or_behind_a_url_that_nobody_can_change_on_its_way() {
    for place in [
        "keys.json",
        "./a/b",
        "https://id.example/keys",
        "http://127.0.0.1:8/k",
        "http://[::1]/k",
        "http://localhost/k",
    ] {
        assert_eq!(place.parse::<KeysPlace>().map(|place| place.to_string()).as_deref(), Ok(place));
    }
    for place in [
        "http://id.example/k",
        "http://10.0.0.1/k",
        "ftp://localhost/k",
        "https://ann:s3cret@id.example/k",
        "http://localhost.example/k",
        "file:///keys.json",
    ] {
        assert_eq!(place.parse::<KeysPlace>(), Err(NotAPlaceOfKeys), "{place}");
    }
}
