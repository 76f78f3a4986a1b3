//! An opening as operators run it: announced, moved, taken back, closed, drawn, with a beacon and without.

use projections::rfc3339;
use sha2::{Digest, Sha256};

use super::*;

const OPENING: &str = "/api/operations/opening";
const BEACON: &str = "/api/operations/opening/beacon";

fn at(seconds: i64) -> String {
    rfc3339(T0.plus_seconds(seconds))
}

fn announcement() -> Value {
    json!({ "prequeueFrom": at(10), "opensAt": at(100), "reason": "spring" })
}

fn with_beacon() -> Value {
    let mut asked = announcement();
    asked["beaconSource"] = json!("drand 4242");
    asked["beaconAt"] = json!(at(130));
    asked
}

impl Server {
    async fn opening(&self, method: Method, path: &str, body: &Value) -> Answered {
        self.change(method, path, &Uuid::new_v4().to_string(), body).await
    }

    /// What the tick leads to comes soon.
    async fn once(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..100 {
            let room = self.operations("/api/operations/room").await.body;
            if is_so(&room) {
                return room;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("it did not come to it");
    }

    async fn drawn(&self) -> Value {
        self.once(|room| room["draw"]["seed"].is_string()).await
    }
}

#[tokio::test]
async fn an_opening_is_announced_with_a_commitment_that_its_seed_keeps() {
    let server = Server::start(1).await;
    let announced = server.opening(Method::POST, OPENING, &announcement()).await;
    assert_eq!(announced.status, StatusCode::OK, "{announced:?}");
    let opening = announced.body["opening"].clone();
    assert_eq!((&opening["prequeueFrom"], &opening["opensAt"]), (&json!(at(10)), &json!(at(100))));
    assert_eq!((&opening["beaconSource"], &opening["beaconAt"]), (&Value::Null, &Value::Null));
    assert_eq!(announced.header("log-position"), Some(&*opening["position"].to_string()));
    assert_eq!(announced.body, server.operations("/api/operations/room").await.body, "what `GET` shows afterwards");
    assert_eq!(server.get("/api/queue", "").await.body["opening"], opening);
    let last = server.log.records().pop().unwrap();
    assert!(last.data.contains("spring") && last.metadata.contains(r#""actor":"operator""#), "{last:?}");

    server.pass_seconds(10);
    server.token(ANN).await;
    server.token(BOB).await;
    let room = server.operations("/api/operations/room").await.body;
    assert_eq!((&room["state"], &room["entrants"], &room["active"]), (&json!("PREQUEUE"), &json!(2), &json!(0)));
    server.pass_seconds(90);
    let drawn = server.drawn().await;
    assert_eq!((&drawn["opening"], &drawn["draw"]["entrants"]), (&Value::Null, &json!(2)));
    let seed: Hash = serde_json::from_value(drawn["draw"]["seed"].clone()).unwrap();
    assert_eq!(opening["commitment"], json!(Hash::new(Sha256::digest(seed.as_bytes()).into())));
}

#[tokio::test]
async fn an_announcement_under_the_same_key_is_one_and_a_second_is_refused() {
    let server = Server::start(1).await;
    let first = server.change(Method::POST, OPENING, "a", &announcement()).await;
    let again = server.change(Method::POST, OPENING, "a", &announcement()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body, first.body);
    assert_eq!(server.opening(Method::POST, OPENING, &announcement()).await.problem(), "opening-exists");
}

#[tokio::test]
async fn what_is_wrong_with_an_announcement_is_named() {
    let server = Server::start(1).await;
    let refused = async |member: &str, value: Value| {
        let mut asked = with_beacon();
        if value.is_null() {
            asked.as_object_mut().unwrap().remove(member);
        } else {
            asked[member] = value;
        }
        let refused = server.opening(Method::POST, OPENING, &asked).await;
        assert_eq!(refused.problem(), "invalid-request", "{member}");
        refused.body["errors"][0]["field"].as_str().unwrap().to_owned()
    };
    for member in ["prequeueFrom", "opensAt", "beaconSource", "beaconAt", "reason"] {
        assert_eq!(refused(member, Value::Null).await, member);
        assert_eq!(refused(member, json!(7)).await, member);
    }
    for member in ["beaconSource", "reason"] {
        assert_eq!(refused(member, json!("")).await, member);
        assert_eq!(refused(member, json!("x".repeat(201))).await, member);
    }
    assert_eq!(refused("prequeueFrom", json!(at(-1))).await, "prequeueFrom");
    assert_eq!(refused("opensAt", json!(at(10))).await, "opensAt");
    assert_eq!(refused("beaconAt", json!(at(100))).await, "beaconAt");
    assert_eq!(refused("prequeue", json!(at(10))).await, "prequeue");
    let soon = json!({ "prequeueFrom": at(0), "opensAt": at(59), "reason": "x" });
    assert_eq!(server.opening(Method::POST, OPENING, &soon).await.problem(), "invalid-request");
}

#[tokio::test]
async fn an_opening_is_moved_until_its_close_and_to_a_later_time_only() {
    let server = Server::start(1).await;
    let later = json!({ "opensAt": at(200), "reason": "the hall is late" });
    assert_eq!(server.opening(Method::PATCH, OPENING, &later).await.problem(), "opening-not-found");
    server.opening(Method::POST, OPENING, &announcement()).await;
    let moved = server.opening(Method::PATCH, OPENING, &later).await;
    assert_eq!((moved.status, &moved.body["opening"]["opensAt"]), (StatusCode::OK, &json!(at(200))));
    let earlier = json!({ "opensAt": at(199), "reason": "x" });
    assert_eq!(server.opening(Method::PATCH, OPENING, &earlier).await.problem(), "invalid-request");
    server.pass_seconds(200);
    let late = json!({ "opensAt": at(300), "reason": "x" });
    let late = server.opening(Method::PATCH, OPENING, &late).await;
    assert!(["opening-begun", "opening-not-found"].contains(&late.problem()), "{late:?}");
}

#[tokio::test]
async fn an_opening_is_taken_back_until_its_pre_queue_begins() {
    let server = Server::start(1).await;
    let withdraw = async |query: &str| {
        let path = format!("{OPENING}{query}");
        Answered::of(server.operators(Method::DELETE, &path, &[], Body::empty()).await).await
    };
    assert_eq!(withdraw("?reason=rain").await.problem(), "opening-not-found");
    server.opening(Method::POST, OPENING, &announcement()).await;
    for wrong in ["", "?reason=", &format!("?reason={}", "x".repeat(201)), "?reason=a&reason=b"] {
        assert_eq!(withdraw(wrong).await.problem(), "invalid-request", "{wrong}");
    }
    let withdrawn = withdraw("?reason=rain%20and%20hail").await;
    assert_eq!((withdrawn.status, &withdrawn.body["opening"]), (StatusCode::OK, &Value::Null));
    assert!(server.log.records().pop().unwrap().data.contains("rain and hail"));
    server.opening(Method::POST, OPENING, &announcement()).await;
    server.pass_seconds(10);
    assert_eq!(withdraw("?reason=rain").await.problem(), "opening-begun");
}

#[tokio::test]
async fn a_draw_waits_for_its_beacon_which_is_taken_once_and_not_before_it_appears() {
    let server = Server::start(1).await;
    let value = |digit: &str| json!({ "value": digit.repeat(64), "reason": "round 4242" });
    assert_eq!(server.opening(Method::POST, BEACON, &value("a")).await.problem(), "opening-not-found");
    let announced = server.opening(Method::POST, OPENING, &with_beacon()).await;
    assert_eq!(announced.body["opening"]["beaconSource"], "drand 4242");
    server.pass_seconds(10);
    server.token(ANN).await;
    let early = server.opening(Method::POST, BEACON, &value("a")).await;
    assert_eq!((early.problem(), &early.body["beaconAt"]), ("beacon-not-due", &json!(at(130))));
    server.pass_seconds(119);
    assert_eq!(server.opening(Method::POST, BEACON, &value("a")).await.problem(), "beacon-not-due");
    let closed = server.once(|room| room["draw"]["entrants"] == 1).await;
    assert_eq!((&closed["state"], &closed["draw"]["seed"]), (&json!("PREQUEUE"), &Value::Null));
    server.pass_seconds(1);
    for wrong in [json!("a".repeat(63)), json!("g".repeat(64)), json!("a".repeat(66)), json!(7), json!("")] {
        let refused = server.opening(Method::POST, BEACON, &json!({ "value": wrong, "reason": "x" })).await;
        assert_eq!((refused.problem(), &refused.body["errors"][0]["field"]), ("invalid-request", &json!("value")));
    }
    let received = server.opening(Method::POST, BEACON, &value("a")).await;
    assert_eq!((received.status, &received.body["draw"]["beacon"]), (StatusCode::OK, &json!("a".repeat(64))));
    assert_eq!(server.opening(Method::POST, BEACON, &value("A")).await.status, StatusCode::OK, "the same value");
    assert_eq!(server.opening(Method::POST, BEACON, &value("b")).await.problem(), "beacon-known");
    server.drawn().await;
    assert_eq!(server.opening(Method::POST, BEACON, &value("a")).await.status, StatusCode::OK, "after the draw, too");
    assert_eq!(server.opening(Method::POST, BEACON, &value("b")).await.problem(), "beacon-known");
}
