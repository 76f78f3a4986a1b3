//! What those are told who watch.

use std::time::Duration;

use super::*;

const SEATS: &str = "/api/concerts/1/schedules/1/seats/stream";

/// A stream, as it is read.
struct Watched(Body);

impl Watched {
    async fn open(server: &Server, path: &str, token: &str, headers: &[(&str, &str)]) -> Self {
        let asked = request(Method::GET, path, token, headers, Body::empty());
        let response = server.router.clone().oneshot(asked).await.unwrap();
        let header = |name| response.headers()[name].to_str().unwrap();
        assert_eq!((response.status(), header("content-type")), (StatusCode::OK, "text/event-stream"));
        assert_eq!((header("cache-control"), header("x-accel-buffering")), ("no-store", "no"));
        Self(response.into_body())
    }

    /// The next frame that is no comment; nothing once the stream has ended.
    async fn frame(&mut self) -> Option<String> {
        loop {
            let frame = tokio::time::timeout(Duration::from_secs(10), self.0.frame()).await.unwrap()?;
            let bytes = frame.unwrap().into_data().unwrap();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            assert!(text.ends_with("\n\n"), "{text:?}");
            if !text.starts_with(':') {
                return Some(text);
            }
        }
    }

    /// The next frame's data.
    async fn told(&mut self) -> Value {
        let frame = self.frame().await.unwrap();
        serde_json::from_str(frame.split("data: ").nth(1).unwrap().trim()).unwrap()
    }
}

#[tokio::test]
async fn the_line_is_told_at_once_and_whenever_it_has_changed() {
    let server = Server::start(1).await;
    let mut watched = Watched::open(&server, "/api/queue/stream", "", &[]).await;
    assert_eq!(watched.told().await, server.get("/api/queue", "").await.body);
    server.token(ANN).await;
    server.token(BOB).await;
    let queue = server.get("/api/queue", "").await.body;
    while watched.told().await != queue {}
}

#[tokio::test]
async fn nobody_is_told_of_the_line_twice_or_what_it_was_before() {
    let server = Server::start(1).await;
    // What is told to all is made every half second: it does not have this token yet.
    server.token(ANN).await;
    let mut watched = Watched::open(&server, "/api/queue/stream", "", &[]).await;
    assert_eq!(watched.told().await, server.get("/api/queue", "").await.body);
    let more = tokio::time::timeout(Duration::from_millis(1_500), watched.frame()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn who_is_expelled_is_told_of_no_more_seats() {
    let server = Server::start(10).await;
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    let mut watched = Watched::open(&server, SEATS, &ann, &[]).await;
    watched.frame().await.unwrap();
    let expulsion = format!("/api/operations/users/{ANN}/expulsion");
    assert_eq!(server.change(Method::POST, &expulsion, "a", &json!({ "reason": "x" })).await.status, StatusCode::OK);
    server.reserve(&bob, BOB, &[1]).await;
    assert_eq!(watched.frame().await, None);
}

#[tokio::test]
async fn a_token_is_told_when_it_has_changed_until_it_names_nobody() {
    let server = Server::start(1).await;
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    let mut watched = Watched::open(&server, "/api/tokens/me/stream", &bob, &[]).await;
    let told = watched.told().await;
    assert_eq!((&told["status"], &told["token"], &told["state"]), (&json!("WAITING"), &json!(bob), &json!("OPEN")));
    assert!(told["pauseReason"].is_null() && told["resumesAt"].is_null());
    server.delete("/api/tokens/me", &ann).await;
    while watched.told().await["status"] != "ACTIVE" {}
    server.pass_seconds(limits::ACTIVE_SECONDS);
    assert_eq!(watched.frame().await, None);
}

#[tokio::test]
async fn seats_are_told_from_now_on_and_to_whoever_comes_back_what_they_missed() {
    let server = Server::start(10).await;
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    // What was published just now is gathered, too.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut watched = Watched::open(&server, SEATS, &ann, &[]).await;
    let first = watched.frame().await.unwrap();
    let begun = first.strip_prefix("id: ").unwrap().lines().next().unwrap().to_owned();
    assert!(first.contains(&format!("data: {{\"position\":{begun},\"seats\":[]}}")), "{first}");

    server.reserve(&bob, BOB, &[1, 2]).await;
    let told = watched.told().await;
    let held = json!([{ "seatId": 1, "status": "HELD" }, { "seatId": 2, "status": "HELD" }]);
    assert_eq!(told["seats"], held);

    let mut back = Watched::open(&server, SEATS, &ann, &[("last-event-id", &begun)]).await;
    assert_eq!(back.told().await["seats"], held);
    server.delete("/api/reservations/1", &bob).await;
    for watched in [&mut watched, &mut back] {
        assert_eq!(watched.told().await["seats"][0], json!({ "seatId": 1, "status": "AVAILABLE" }));
    }
}

#[tokio::test]
async fn whoever_comes_back_with_what_no_log_has_reads_anew() {
    let server = Server::start(10).await;
    let ann = server.token(ANN).await;
    for id in ["999999", "x", "-1"] {
        let mut watched = Watched::open(&server, SEATS, &ann, &[("last-event-id", id)]).await;
        let frame = watched.frame().await.unwrap();
        assert!(frame.contains("event: reset\n"), "{id}: {frame}");
        server.reserve(&ann, ANN, &[3]).await;
        server.delete("/api/tokens/me", &server.token(BOB).await).await;
    }
}

#[tokio::test]
async fn seats_are_told_to_those_who_are_inside_only_and_as_long_as_they_are() {
    let server = Server::start(1).await;
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    assert_eq!(server.get(SEATS, &bob).await.problem(), "not-admitted");
    assert_eq!(server.get("/api/concerts/1/schedules/9/seats/stream", &ann).await.problem(), "schedule-not-found");
    assert_eq!(server.get(SEATS, "").await.problem(), "token-missing");
    let mut watched = Watched::open(&server, SEATS, &ann, &[]).await;
    watched.frame().await.unwrap();
    server.pass_seconds(limits::ACTIVE_SECONDS);
    assert_eq!(watched.frame().await, None);
}

#[tokio::test]
async fn a_stop_ends_every_stream_at_once() {
    let server = Server::start(10).await;
    let ann = server.token(ANN).await;
    let mut streams = Vec::new();
    for (path, token) in [("/api/queue/stream", ""), ("/api/tokens/me/stream", &ann), (SEATS, &ann)] {
        let mut watched = Watched::open(&server, path, token, &[]).await;
        watched.frame().await.unwrap();
        streams.push(watched);
    }
    server.stop.send_replace(());
    for watched in &mut streams {
        assert_eq!(tokio::time::timeout(Duration::from_secs(1), watched.frame()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn there_are_as_many_streams_as_have_room() {
    let (_server, engine) = Server::start_with(1).await;
    let (_stop, stopped) = tokio::sync::watch::channel(());
    let streams = crate::api::Streams::start(engine, 2, stopped);
    let first = streams.subscribe().unwrap();
    let _second = streams.subscribe().unwrap();
    assert_eq!(streams.subscribe().err().unwrap().code(), "overloaded");
    drop(first);
    assert!(streams.subscribe().is_ok());
}
