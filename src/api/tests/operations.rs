//! What those see who run the sale.

use std::collections::BTreeSet;

use super::*;

async fn text(response: Response) -> (StatusCode, HeaderMap, String) {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn the_room_and_the_head_are_shown() {
    let server = Server::start(10).await;
    server.token(ANN).await;
    let room = server.operations("/api/operations/room").await;
    assert_eq!(room.status, StatusCode::OK);
    for (member, shown) in [("capacity", 10), ("active", 1), ("waiting", 0), ("servingNumber", 1)] {
        assert_eq!(room.body[member], shown, "{member}");
    }
    let last = server.log.head().await.unwrap();
    let head = server.operations("/api/operations/head").await;
    let expected = json!({ "position": last.position, "hash": last.hash, "logId": Uuid::nil() });
    assert_eq!((head.body, head.headers["log-position"].to_str().unwrap()), (expected, &*last.position.to_string()));
}

#[tokio::test]
async fn records_come_as_they_stand_page_by_page() {
    let server = Server::start(10).await;
    server.token(ANN).await;
    server.token(BOB).await;
    let records = server.log.records();
    let (mut path, mut lines) = ("/api/operations/events?limit=2".to_owned(), Vec::new());
    loop {
        let (status, headers, body) = text(server.operators(Method::GET, &path, &[], Body::empty()).await).await;
        assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"application/x-ndjson".parse().unwrap()));
        let page: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(page.len() <= 2);
        lines.extend(page);
        let Some(link) = headers.get("link") else { break };
        path = link.to_str().unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
    }
    assert_eq!(lines.len(), records.len());
    for (line, record) in lines.iter().zip(&records) {
        assert_eq!(
            (line["position"].as_u64(), line["data"].as_str()),
            (Some(record.position.get()), Some(&*record.data))
        );
        assert_eq!(line["hash"], record.hash.to_string());
    }
}

#[tokio::test]
async fn records_are_found_by_type_and_by_user() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    server.token(BOB).await;
    server.charge(&token, ANN, 5).await;
    let types = async |query: &str| {
        let path = format!("/api/operations/events?{query}");
        let (_, _, body) = text(server.operators(Method::GET, &path, &[], Body::empty()).await).await;
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned();
        body.lines().map(line).collect::<Vec<_>>()
    };
    assert_eq!(types(&format!("userId={ANN}")).await, ["TokenIssued", "PointsCharged"]);
    assert_eq!(types("types=PointsCharged,RoomConfigured").await, ["RoomConfigured", "PointsCharged"]);
    assert_eq!(types(&format!("types=PointsCharged&userId={BOB}")).await, [""; 0]);
    for wrong in ["types=Nothing", "types=", "limit=0", "limit=10001", "after=x", "userId=0"] {
        let refused = server.operations(&format!("/api/operations/events?{wrong}")).await;
        assert_eq!(refused.problem(), "invalid-request", "{wrong}");
    }
}

#[tokio::test]
async fn records_are_streamed_as_they_come_until_the_server_stops() {
    let server = Server::start(10).await;
    let last = server.log.head().await.unwrap().position;
    let begun = [("last-event-id", last.to_string())];
    let headers: Vec<_> = begun.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let response =
        server.operators(Method::GET, "/api/operations/events/stream?after=0", &headers, Body::empty()).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["log-position"], last.to_string());
    server.token(ANN).await;
    let mut body = response.into_body();
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let frame = String::from_utf8(frame.to_vec()).unwrap();
    assert!(frame.starts_with(&format!("id: {}\ndata: {{", last.get() + 1)) && frame.ends_with("}\n\n"), "{frame}");
    server.stop.send_replace(());
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn seats_are_shown_at_any_moment_and_by_status() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    let before = server.log.head().await.unwrap().position;
    server.reserve(&token, ANN, &[1, 2]).await;
    let seats = async |query: &str| {
        let shown = server.operations(&format!("/api/operations/seats?scheduleId={SCHEDULE}&{query}")).await;
        assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
        let ids = |seat: &Value| seat["seatId"].as_u64().unwrap();
        shown.body["seats"].as_array().unwrap().iter().map(ids).collect::<BTreeSet<_>>()
    };
    assert_eq!(seats("status=HELD").await, BTreeSet::from([1, 2]));
    assert_eq!(seats(&format!("status=HELD&asOf={before}")).await, BTreeSet::new());
    assert_eq!(seats("").await.len() as u64, SEATS);
    for (query, code) in [
        ("", "invalid-request"),
        ("scheduleId=99", "schedule-not-found"),
        ("scheduleId=1&status=held", "invalid-request"),
        ("scheduleId=1&asOf=soon", "invalid-request"),
        ("scheduleId=1&asOf=999999", "invalid-request"),
    ] {
        assert_eq!(server.operations(&format!("/api/operations/seats?{query}")).await.problem(), code, "{query}");
    }
    let why = server.operations(&format!("/api/operations/why?scheduleId={SCHEDULE}&seatId=1")).await;
    assert_eq!((&why.body["status"], why.body["steps"].as_array().unwrap().len()), (&json!("HELD"), 3));
    let none = server.operations(&format!("/api/operations/why?scheduleId={SCHEDULE}&seatId=9999")).await;
    assert_eq!(none.problem(), "seat-not-found");
}

#[tokio::test]
async fn a_user_is_shown_without_the_text_of_their_token_and_with_their_histories() {
    let server = Server::start_projecting(10).await;
    let token = server.token(ANN).await;
    server.charge(&token, ANN, 500).await;
    server.reserve(&token, ANN, &[1]).await;
    let at = server.log.head().await.unwrap().position;
    let shown = server.operations(&format!("/api/operations/users/{ANN}?minPosition={at}")).await;
    assert_eq!((&shown.body["balance"], &shown.body["token"]["status"]), (&json!(500), &json!("ACTIVE")));
    assert_eq!(shown.body["reservations"].as_array().unwrap().len(), 1);
    assert!(!shown.body.to_string().contains(&token));
    for (history, lines) in [("points/history", 1), ("reservations", 1), ("payments", 0)] {
        let page = server.operations(&format!("/api/operations/users/{ANN}/{history}?minPosition={at}")).await;
        assert_eq!(page.body.as_array().map(Vec::len), Some(lines), "{history}");
    }
    for path in ["", "/points/history", "/reservations", "/payments"] {
        let unknown = server.operations(&format!("/api/operations/users/99{path}?minPosition={at}")).await;
        assert_eq!(unknown.problem(), "user-not-found", "{path}");
    }
}

#[tokio::test]
async fn a_projection_is_built_anew_while_it_serves() {
    let server = Server::start_projecting(10).await;
    let at = server.log.head().await.unwrap().position;
    server.operations(&format!("/api/operations/sales?minPosition={at}")).await;
    let rebuild = async |name: &str| {
        let path = format!("/api/operations/projections/{name}/rebuild");
        Answered::of(server.operators(Method::POST, &path, &[], Body::empty()).await).await
    };
    let rebuilt = rebuild("sales").await;
    assert_eq!(
        (&rebuilt.body["projection"], &rebuilt.body["state"]),
        (&json!("sales"), &json!("current")),
        "{rebuilt:?}"
    );
    assert_eq!(rebuild("weather").await.problem(), "projection-not-found");
    let all = server.operations("/api/operations/projections").await;
    assert!(all.body.as_array().unwrap().iter().any(|one| one["projection"] == "balances"));
}

#[tokio::test]
async fn a_page_of_another_origin_reaches_nothing() {
    let server = Server::start(10).await;
    for path in ["/api/operations/room", "/metrics", "/healthz", "/readyz"] {
        let foreign = [("origin", "http://evil.example")];
        let refused = Answered::of(server.operators(Method::GET, path, &foreign, Body::empty()).await).await;
        assert_eq!(refused.problem(), "origin-not-allowed", "{path}");
        let rebound = server.operations.clone();
        let asked = request(Method::GET, path, "", &[("host", "evil.example")], Body::empty());
        assert_eq!(Answered::of(rebound.oneshot(asked).await.unwrap()).await.problem(), "host-not-allowed", "{path}");
    }
}

#[tokio::test]
async fn a_repeated_change_answers_what_it_answered_at_first_whatever_was_changed_since() {
    let server = Server::start(10).await;
    server.token(ANN).await;
    let (users, schedule) = (format!("/api/operations/users/{ANN}"), format!("/api/operations/schedules/{SCHEDULE}"));
    let path = |path: &str| format!("/api/operations/{path}");
    let later = |seconds| json!({ "startsAt": projections::rfc3339(T0.plus_seconds(STARTS + seconds)), "reason": "x" });
    let room =
        |capacity| json!({ "capacity": capacity, "admissionsPerSecond": null, "arrivalSeconds": null, "reason": null });
    let adjusted = |amount| json!({ "amount": amount, "reason": "x" });
    let why = json!({ "reason": "x" });
    let changes = [
        (Method::PUT, path("room"), room(7)),
        (Method::POST, path("pause"), why.clone()),
        (Method::PUT, path("room"), room(8)),
        (Method::POST, path("resume"), why.clone()),
        (Method::POST, format!("{users}/adjustments"), adjusted(5)),
        (Method::POST, format!("{users}/adjustments"), adjusted(7)),
        (Method::POST, format!("{users}/expulsion"), why.clone()),
        (Method::PATCH, schedule.clone(), later(60)),
        (Method::PATCH, format!("{schedule}/prices"), json!({ "zoneName": "A", "price": 7, "reason": "x" })),
        (Method::PATCH, schedule.clone(), later(120)),
        (Method::POST, format!("{schedule}/cancel"), why),
    ];
    let mut first = Vec::new();
    for (key, (method, path, body)) in changes.iter().enumerate() {
        let answered = server.change(method.clone(), path, &key.to_string(), body).await;
        assert_eq!(answered.status, StatusCode::OK, "{path}: {answered:?}");
        if path.ends_with("expulsion") {
            let token = &answered.body["token"];
            assert_eq!((&token["expiresAt"], &token["expiresInSeconds"]), (&json!(null), &json!(0)));
        }
        first.push(answered);
    }
    server.token(ANN).await;
    for (key, ((method, path, body), first)) in changes.iter().zip(first).enumerate() {
        let again = server.change(method.clone(), path, &key.to_string(), body).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{path}");
        assert_eq!((&again.body, again.header("log-position")), (&first.body, first.header("log-position")), "{path}");
    }
}

#[tokio::test]
async fn the_room_is_set_all_at_once_and_the_log_names_who_did_it_and_why() {
    let server = Server::start(10).await;
    let asked = json!({ "capacity": 7, "admissionsPerSecond": 3, "arrivalSeconds": null, "reason": "more staff" });
    let set = server.change(Method::PUT, "/api/operations/room", "a", &asked).await;
    assert_eq!(
        (set.status, &set.body["capacity"], &set.body["admissionsPerSecond"]),
        (StatusCode::OK, &json!(7), &json!(3))
    );
    let last = server.log.records().pop().unwrap();
    assert_eq!(set.header("log-position"), Some(&*last.position.to_string()));
    assert!(last.data.contains("more staff") && last.metadata.contains(r#""actor":"operator""#), "{last:?}");
    let again = server.change(Method::PUT, "/api/operations/room", "a", &asked).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let other = json!({ "capacity": 8, "admissionsPerSecond": null, "arrivalSeconds": null, "reason": "x" });
    assert_eq!(
        server.change(Method::PUT, "/api/operations/room", "a", &other).await.problem(),
        "idempotency-key-reused"
    );
    for (member, wrong) in [
        ("capacity", json!(-1)),
        ("admissionsPerSecond", json!(0)),
        ("arrivalSeconds", json!(9)),
        ("reason", json!("")),
    ] {
        for replaced in [Some(wrong), None] {
            let mut asked = asked.clone();
            let members = asked.as_object_mut().unwrap();
            members.remove(member);
            replaced.map(|wrong| members.insert(member.to_owned(), wrong));
            let refused = server.change(Method::PUT, "/api/operations/room", "b", &asked).await;
            assert_eq!((refused.problem(), &refused.body["errors"][0]["field"]), ("invalid-request", &json!(member)));
        }
    }
}

#[tokio::test]
async fn whoever_does_not_come_in_time_gives_the_slot_on_and_the_log_says_why() {
    let server = Server::start(1).await;
    let set = async |seconds: Value| {
        let asked = json!({ "capacity": 1, "admissionsPerSecond": null, "arrivalSeconds": seconds, "reason": null });
        server.change(Method::PUT, "/api/operations/room", &Uuid::new_v4().to_string(), &asked).await
    };
    for seconds in [9, 601] {
        assert_eq!(set(json!(seconds)).await.body["errors"][0]["field"], "arrivalSeconds", "{seconds}");
    }
    for seconds in [600, 10] {
        assert_eq!(set(json!(seconds)).await.body["arrivalSeconds"], seconds);
    }
    let (first, ann, bob) = (server.token(EVE).await, server.token(ANN).await, server.token(BOB).await);
    server.delete("/api/tokens/me", &first).await;
    let status = async |token: &str, expected: &str| {
        for _ in 0..100 {
            let shown = server.get("/api/tokens/me", token).await.body;
            if shown["status"] == expected || shown["code"] == expected {
                return shown;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("it is never {expected}");
    };
    let admitted = status(&ann, "ACTIVE").await;
    assert_eq!(admitted["arriveInSeconds"], 10);
    server.pass_seconds(10);
    status(&ann, "token-expired").await;
    status(&bob, "ACTIVE").await;
    let gone = server.log.records().into_iter().find(|record| record.event_type == "TokenExpired").unwrap();
    assert!(gone.data.contains(r#""cause":"NO_SHOW""#), "{gone:?}");
    assert_eq!(server.post("/api/tokens/me/arrival", &bob, &json!({})).await.body["arriveBy"], Value::Null);
    assert_eq!(set(Value::Null).await.body["arrivalSeconds"], Value::Null);
}

#[tokio::test]
async fn the_sale_is_paused_and_goes_on() {
    let server = Server::start(10).await;
    let token = server.token(ANN).await;
    let paused = server.change(Method::POST, "/api/operations/pause", "p", &json!({ "reason": "rain" })).await;
    assert_eq!(paused.body["pause"], json!({ "reason": "rain", "resumesAt": null }));
    assert_eq!(server.reserve(&token, ANN, &[1]).await.problem(), "sale-paused");
    let past = json!({ "reason": "rain", "resumesAt": "2000-01-01T00:00:00Z" });
    assert_eq!(server.change(Method::POST, "/api/operations/pause", "q", &past).await.problem(), "invalid-request");
    let resumed = server.change(Method::POST, "/api/operations/resume", "r", &json!({ "reason": "sun" })).await;
    assert_eq!(resumed.body["pause"], Value::Null);
    assert_eq!(server.reserve(&token, ANN, &[1]).await.status, StatusCode::OK);
}
