//! A server that asks an identity provider: subjects become users, cashiers bring points in, and nobody is renamed.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::server::{Answer, Server, reprise, rows, run};

const SECRET: [u8; 32] = [7; 32];
const ISSUER: &str = "https://id.example";
/// The longest `sub` of who buys.
const MAX_SUBJECT_CHARACTERS: usize = 8_192;
const FORMER: &str = "https://old.example";

/// A folder with the provider's keys in it.
pub fn folder_with_keys() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let key = json!({ "kty": "oct", "kid": "a", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(SECRET) });
    std::fs::write(&keys, json!({ "keys": [key] }).to_string()).unwrap();
    (folder, keys)
}

/// A JWT of the provider: it says all that is required, and `claims`.
pub fn jwt(claims: Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut all = json!({ "iss": ISSUER, "aud": "reprise", "exp": now + 600 });
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(json!({ "alg": "HS256", "kid": "a", "typ": "JWT" })), part(all));
    let mut hmac = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap();
    hmac.update(signed.as_bytes());
    format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes()))
}

pub fn options(keys: &Path) -> Vec<&str> {
    vec![
        "--identity",
        "jwt",
        "--jwt-keys",
        keys.to_str().unwrap(),
        "--jwt-issuer",
        "https://id.example,https://old.example",
        "--jwt-audience",
        "reprise",
    ]
}

/// Joins with that JWT, and tells the user's id and the room's token.
async fn join(server: &Server, jwt: &str) -> (u64, String) {
    let answer = server.post("/api/tokens", jwt, json!({})).await;
    let token = answer.ok();
    (token["userId"].as_u64().unwrap(), token["token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_subject_is_one_user_for_ever_and_nobody_else_s() {
    let (folder, keys) = folder_with_keys();
    let data = folder.path().join("data");
    let mut server = Server::start_in(&data, &options(&keys));
    let (ann, token) = join(&server, &jwt(json!({ "sub": "ann" }))).await;
    let (bob, _) = join(&server, &jwt(json!({ "sub": "bob" }))).await;
    assert_eq!((ann, bob), (1, 2));
    let registered = server.event_types().await;
    let first = registered.iter().position(|name| name == "UserRegistered").unwrap();
    assert_eq!(registered[first + 1], "TokenIssued", "a subject is registered in the append of its first token");

    assert_eq!(server.post("/api/tokens", &jwt(json!({ "sub": "ann" })), json!({ "userId": 1 })).await.status, 200);
    let others = server.post("/api/tokens", &jwt(json!({ "sub": "ann" })), json!({ "userId": 2 })).await;
    assert_eq!(others.problem(), (403, "not-yours"));
    assert_eq!(server.post("/api/tokens", "", json!({ "userId": 1 })).await.problem(), (401, "identity-missing"));
    let shown = server.post("/api/tokens", &token, json!({})).await;
    assert_eq!((shown.problem(), &shown.body["reason"]), ((401, "identity-invalid"), &json!("malformed")));

    assert!(server.terminate().success());
    let server = Server::start_in(&data, &options(&keys));
    let moved = jwt(json!({ "sub": "ann", "iss": FORMER }));
    assert_eq!(join(&server, &moved).await.0, ann, "a provider that moves renames nobody");
    assert_eq!(server.count("UserRegistered").await, 2);
    let stored = rows(&data, "SELECT data FROM log WHERE type = 'UserRegistered'").await;
    assert!(stored.iter().all(|data| !data.contains("ann")), "the log knows no subject by its name: {stored:?}");
}

#[tokio::test]
async fn points_come_in_by_cashiers_and_not_by_buyers() {
    let (folder, keys) = folder_with_keys();
    let data = folder.path().join("data");
    let server = Server::start_in(&data, &options(&keys));
    let (ann, token) = join(&server, &jwt(json!({ "sub": "ann" }))).await;
    let path = format!("/api/users/{ann}/points/charge");
    let charge = async |by: &str| server.post(&path, by, json!({ "amount": 500 })).await;

    assert_eq!(charge("").await.problem(), (401, "identity-missing"));
    assert_eq!(charge(&token).await.problem(), (401, "identity-invalid"));
    let buyer = charge(&jwt(json!({ "sub": "ann" }))).await;
    assert_eq!((buyer.problem(), &buyer.body["roles"]), ((403, "role-missing"), &json!(["cashier", "operator"])));
    assert_eq!(charge(&jwt(json!({ "sub": "kim", "roles": ["viewer"] }))).await.problem(), (403, "role-missing"));
    assert_eq!(charge(&jwt(json!({ "sub": "kim", "roles": ["cashier"] }))).await.ok()["currentBalance"], 500);
    assert_eq!(charge(&jwt(json!({ "sub": "lee", "roles": ["operator"] }))).await.ok()["currentBalance"], 1_000);
    let cashier = jwt(json!({ "sub": "kim", "roles": ["cashier"] }));
    let nobody = server.post("/api/users/9/points/charge", &cashier, json!({ "amount": 500 })).await;
    assert_eq!(nobody.problem(), (404, "user-not-found"));
    assert_eq!(server.get(&format!("/api/users/{ann}/points/balance"), &token).await.ok()["balance"], 1_000);

    let actors = rows(&data, "SELECT metadata ->> 'actor' FROM log WHERE type = 'PointsCharged'").await;
    assert_eq!(actors, ["operator:kim", "operator:lee"]);
}

#[tokio::test]
async fn users_are_named_in_one_way_in_one_log() {
    let (folder, keys) = folder_with_keys();
    let (mapped, own) = (folder.path().join("mapped"), folder.path().join("own"));
    let by_id = [&options(&keys)[..], &["--jwt-user-claim", "uid", "--charge", "own"]].concat();
    let mut server = Server::start_in(&mapped, &options(&keys));
    join(&server, &jwt(json!({ "sub": "ann" }))).await;
    assert!(server.terminate().success());
    let mut server = Server::start_in(&own, &by_id);
    let (user, token) = join(&server, &jwt(json!({ "sub": "ann", "uid": "77" }))).await;
    assert_eq!(user, 77);
    assert_eq!(server.post("/api/users/77/points/charge", &token, json!({ "amount": 5 })).await.status, 200);
    assert!(server.terminate().success());

    let refused = |data: &Path, options: &[&str]| {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], options].concat();
        let (code, _, said) = run(reprise(data, &arguments));
        assert_eq!(code, 78, "{said}");
        said
    };
    assert!(refused(&mapped, &by_id).contains("known by `sub`"));
    assert!(refused(&mapped, &[]).contains("known by `sub`"));
    assert!(refused(&own, &options(&keys)).contains("ids of their own"));
    assert!(Server::start_in(&own, &[]).terminate().success(), "ids of their own are ids under `open` too");
}

#[tokio::test]
async fn money_comes_in_for_somebody_who_has_not_come_yet() {
    let (folder, keys) = folder_with_keys();
    let data = folder.path().join("data");
    let server = Server::start_in(&data, &[options(&keys), vec!["--operations", "127.0.0.1:0"]].concat());
    let staff = |role: &str| jwt(json!({ "sub": "staff", "roles": [role] }));
    let ask = async |method: Method, path: &str, role: &str, body: Value| {
        let url = server.ask_operations(path).build().unwrap().url().clone();
        let request = reqwest::Client::new().request(method, url).header("Authorization", staff(role));
        Answer::of(if body.is_null() { request } else { request.json(&body) }).await
    };
    let find = "/api/operations/users?sub=eve";
    assert_eq!(ask(Method::GET, find, "cashier", Value::Null).await.problem(), (404, "user-not-found"));
    let made = ask(Method::POST, "/api/operations/users", "cashier", json!({ "sub": "eve" })).await;
    assert_eq!((&made.ok()["userId"], &made.ok()["balance"]), (&json!(1), &json!(0)));
    let charged = ask(Method::POST, "/api/operations/users/1/charges", "cashier", json!({ "amount": 70 })).await;
    assert_eq!(charged.ok()["currentBalance"], 70);
    assert_eq!(join(&server, &jwt(json!({ "sub": "eve" }))).await.0, 1, "whoever comes later is who was charged for");
    let found = ask(Method::GET, find, "operator", Value::Null).await;
    assert_eq!((&found.ok()["userId"], &found.ok()["balance"]), (&json!(1), &json!(70)));
    let again = ask(Method::POST, "/api/operations/users", "operator", json!({ "sub": "eve" })).await;
    assert_eq!(again.ok()["userId"], 1);
    assert_eq!(server.count("UserRegistered").await, 1);
    let long = "x".repeat(MAX_SUBJECT_CHARACTERS);
    let made = ask(Method::POST, "/api/operations/users", "cashier", json!({ "sub": long })).await;
    assert_eq!(made.ok()["userId"], 2, "a name may be as long as a token");
    let found = ask(Method::GET, &format!("/api/operations/users?sub={long}"), "cashier", Value::Null).await;
    assert_eq!(found.ok()["userId"], 2);
    let longer = json!({ "sub": format!("{long}x") });
    let refused = ask(Method::POST, "/api/operations/users", "cashier", longer).await;
    assert_eq!(refused.problem(), (422, "invalid-request"));
    let refused = ask(Method::GET, &format!("/api/operations/users?sub={long}x"), "cashier", Value::Null).await;
    assert_eq!(refused.problem(), (422, "invalid-request"));
    let with_a_key = async |sub: &str| {
        let request = server.request_operations(Method::POST, "/api/operations/users");
        let request = request.header("Authorization", staff("cashier")).header("Idempotency-Key", "once");
        Answer::of(request.json(&json!({ "sub": sub }))).await
    };
    with_a_key("finn").await.ok();
    assert_eq!(with_a_key("gil").await.problem(), (422, "idempotency-key-reused"));
    assert_eq!(ask(Method::GET, find, "viewer", Value::Null).await.problem(), (403, "role-missing"));
    let adjust = json!({ "amount": 1, "reason": "x" });
    let refused = ask(Method::POST, "/api/operations/users/1/adjustments", "cashier", adjust).await;
    assert_eq!(refused.problem(), (403, "role-missing"));
    let (code, said, error) = run(reprise(&data, &["users", "find", "--sub", "eve"]));
    assert!(code == 0 && said.contains("user: 1"), "{said}{error}");
}
