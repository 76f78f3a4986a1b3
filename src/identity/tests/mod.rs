//! Tokens of every kind, and keys that come and go.

mod fetching;
mod files;
#[path = "../../../tests/jwt/mod.rs"]
pub(crate) mod jwt;
mod table;

use axum::http::{HeaderMap, header};
use domain::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use jwt::SigningKey;

pub(crate) const ISSUER: &str = "https://id.example/";
const FORMER: &str = "https://old.example/";
pub(crate) const AUDIENCE: &str = "reprise";
/// Now, in seconds.
const NOW: i64 = 1_800_000_000;

/// Tokens are judged at [`NOW`].
fn now() -> Timestamp {
    Timestamp::from_millis(NOW * 1_000)
}

fn settings(keys: KeysPlace) -> Settings {
    Settings {
        keys,
        issuers: vec![ISSUER.to_owned(), FORMER.to_owned()],
        audience: AUDIENCE.to_owned(),
        user_claim: None,
        roles_claim: "roles".to_owned(),
        leeway_seconds: 30,
    }
}

/// A provider whose keys are in a file.
fn with_keys(keys: &[Value]) -> (Identity, TempDir) {
    with(keys, |settings| settings)
}

fn with(keys: &[Value], change: impl FnOnce(Settings) -> Settings) -> (Identity, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
    (Identity::new(change(settings(KeysPlace::File(path)))).unwrap(), folder)
}

/// What a right token says.
fn claims(changes: Value) -> Value {
    let mut claims = json!({ "sub": "ann", "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 300 });
    let Value::Object(changes) = changes else { panic!("no object") };
    for (name, value) in changes {
        // Here, null takes a claim away.
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(&name);
        } else {
            claims[name] = value;
        }
    }
    claims
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
}

async fn verified(identity: &Identity, token: &str) -> Result<Identified, Refusal> {
    identity.verify(&bearer(token), now()).await
}

async fn refusal(identity: &Identity, token: &str) -> Option<Refusal> {
    verified(identity, token).await.err()
}

#[tokio::test]
async fn a_user_is_named_by_a_claim_as_a_whole_number_or_digits() {
    let key = SigningKey::secret([7; 32]);
    let (identity, _folder) =
        with(&[key.jwk("a")], |settings| Settings { user_claim: Some("uid".to_owned()), ..settings });
    let header = json!({ "alg": "HS256", "kid": "a" });
    let named = async |uid: Value| {
        let token = key.token(&header, &claims(json!({ "uid": uid })));
        verified(&identity, &token).await.unwrap().buyer()
    };
    let user = |number: u64| Ok(Buyer::User(UserId::try_from(number).unwrap()));
    assert_eq!(named(json!(7)).await, user(7));
    assert_eq!(named(json!("7")).await, user(7));
    assert_eq!(named(json!(domain::MAX_SAFE_INTEGER)).await, user(domain::MAX_SAFE_INTEGER));
    let too_large = domain::MAX_SAFE_INTEGER + 1;
    for wrong in [
        json!(0),
        json!(-1),
        json!(7.0),
        json!(7.5),
        json!(too_large),
        json!(too_large.to_string()),
        json!(""),
        json!("07"),
        json!("+7"),
        json!(" 7"),
        json!("7 "),
        json!("seven"),
        json!("7.0"),
        json!(true),
        json!([7]),
    ] {
        assert_eq!(named(wrong.clone()).await, Err(Refusal::Invalid(Reason::Claim)), "{wrong}");
    }
    let token = key.token(&header, &claims(json!({})));
    assert_eq!(verified(&identity, &token).await.unwrap().buyer(), Err(Refusal::Invalid(Reason::Claim)));
}

#[tokio::test]
async fn a_subject_is_told_with_today_s_issuer_whichever_issued_it() {
    let key = SigningKey::secret([7; 32]);
    let (identity, _folder) = with_keys(&[key.jwk("a")]);
    for issuer in [ISSUER, FORMER] {
        let token = key.token(&json!({ "alg": "HS256", "kid": "a" }), &claims(json!({ "iss": issuer })));
        let expected = Buyer::Subject { issuer: ISSUER.to_owned(), subject: "ann".to_owned() };
        assert_eq!(verified(&identity, &token).await.unwrap().buyer(), Ok(expected));
    }
}

#[tokio::test]
async fn who_runs_the_sale_has_a_name_and_a_role() {
    let key = SigningKey::secret([7; 32]);
    let (identity, _folder) = with_keys(&[key.jwk("a")]);
    let staff = async |changes: Value| {
        let token = key.token(&json!({ "alg": "HS256", "kid": "a" }), &claims(changes));
        verified(&identity, &token).await.unwrap().staff(&[Role::Cashier, Role::Operator]).map(str::to_owned)
    };
    let missing = Err(Refusal::RoleMissing(&[Role::Cashier, Role::Operator]));
    let nameless = Err(Refusal::Invalid(Reason::Claim));
    assert_eq!(staff(json!({ "roles": ["operator"] })).await, Ok("ann".to_owned()));
    assert_eq!(staff(json!({ "roles": ["x", "cashier", 1] })).await, Ok("ann".to_owned()));
    assert_eq!(staff(json!({ "roles": ["viewer"] })).await, missing);
    assert_eq!(staff(json!({ "roles": ["Operator"] })).await, missing);
    assert_eq!(staff(json!({ "roles": "operator" })).await, missing);
    assert_eq!(staff(json!({})).await, missing);
    assert_eq!(staff(json!({ "roles": ["operator"], "sub": null })).await, nameless);
    assert_eq!(staff(json!({ "roles": ["operator"], "sub": "two words" })).await, nameless);
    assert_eq!(staff(json!({ "roles": ["operator"], "sub": "ä" })).await, nameless);
    assert_eq!(staff(json!({ "roles": ["operator"], "sub": "x".repeat(129) })).await, nameless);
    assert_eq!(staff(json!({ "roles": ["operator"], "sub": "x".repeat(128) })).await, Ok("x".repeat(128)));
}

#[tokio::test]
async fn roles_may_lie_one_or_more_levels_down() {
    let key = SigningKey::secret([7; 32]);
    let roles_at = async |path: &str, changes: Value| {
        let (identity, _folder) =
            with(&[key.jwk("a")], |settings| Settings { roles_claim: path.to_owned(), ..settings });
        let token = key.token(&json!({ "alg": "HS256", "kid": "a" }), &claims(changes));
        verified(&identity, &token).await.unwrap().roles()
    };
    let operator = vec![Role::Operator];
    assert_eq!(roles_at("realm_access.roles", json!({ "realm_access": { "roles": ["operator"] } })).await, operator);
    assert_eq!(roles_at("a.b.c", json!({ "a": { "b": { "c": ["operator"] } } })).await, operator);
    assert_eq!(roles_at("https://x.example/roles", json!({ "https://x.example/roles": ["operator"] })).await, operator);
    assert_eq!(roles_at("realm_access.roles", json!({ "realm_access": ["operator"] })).await, []);
    assert_eq!(roles_at("realm_access.roles", json!({ "roles": ["operator"] })).await, []);
}

#[tokio::test]
async fn one_token_is_shown_as_a_bearer_s() {
    let key = SigningKey::secret([7; 32]);
    let (identity, _folder) = with_keys(&[key.jwk("a")]);
    let token = key.token(&json!({ "alg": "HS256", "kid": "a" }), &claims(json!({})));
    let shown = async |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        identity.verify(&headers, now()).await.err()
    };
    let bearer = format!("bEaReR  {token}");
    let malformed = Some(Refusal::Invalid(Reason::Malformed));
    assert_eq!(shown(&[&bearer]).await, None);
    assert_eq!(shown(&[]).await, Some(Refusal::Missing));
    assert_eq!(shown(&[&bearer, &bearer]).await, malformed);
    for wrong in [token.as_str(), "", "Bearer", "Bearer ", &format!("Basic {token}")] {
        assert_eq!(shown(&[wrong]).await, malformed, "{wrong}");
    }
}
