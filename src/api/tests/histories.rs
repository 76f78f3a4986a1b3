//! Histories and lists, served from SQL.

use std::time::Duration;

use projections::sql::point_history;
use sha2::Digest;
use tokio::time::Instant;

use super::*;

/// How long anything may take to happen.
const SOON: Duration = Duration::from_secs(60);

/// The lines of all pages, as their user reads them from the first link to the last.
async fn pages(server: &Server, path: &str, user_id: UserId) -> Vec<Value> {
    let (mut lines, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let mut page = server.get(&path, &server.token(user_id).await).await;
        while page.status == StatusCode::UNAUTHORIZED {
            // Whoever goes on buying has ever new tokens, and only the last ones are known.
            page = server.get(&path, &server.token(user_id).await).await;
        }
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        lines.extend(page.body.as_array().unwrap().clone());
        let link = page.header("link").map(|link| link.strip_suffix(">; rel=\"next\"").unwrap());
        next = link.map(|link| link.strip_prefix('<').unwrap().to_owned());
    }
    lines
}

/// What the lines have in this member.
fn numbers(lines: &[Value], member: &str) -> Vec<u64> {
    lines.iter().map(|line| line[member].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_movement_of_points_is_told_with_its_proof() {
    let server = Server::start_projecting(10).await;
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    server.charge(&ann, ANN, 500).await;
    server.reserve(&ann, ANN, &[1, 2]).await;
    let pay = json!({ "reservationId": 1, "userId": ANN, "paymentAmount": 200 });
    let paid = server.post("/api/payments", &ann, &pay).await;
    server.delete("/api/reservations/1", &ann).await;
    let last = server.charge(&ann, ANN, 7).await;
    let at = last.header("log-position").unwrap();
    let told = server.get(&format!("/api/users/1/points/history?minPosition={at}"), &ann).await;
    assert_eq!((told.status, told.header("log-position")), (StatusCode::OK, Some(at)), "{told:?}");
    let lines = told.body.as_array().unwrap();
    let of = |member: &str| lines.iter().map(|line| line[member].clone()).collect::<Vec<_>>();
    assert_eq!(of("kind"), ["CHARGE", "REFUND", "PAYMENT", "CHARGE"]);
    assert_eq!(of("amount"), [7, 200, -200, 500]);
    assert_eq!(of("balanceAfter"), [507, 500, 300, 500]);
    assert_eq!(of("paymentId"), [Value::Null, json!(1), json!(1), Value::Null]);
    assert!(lines[0].get("paymentId").is_none());
    let record = &server.log.records()[at.parse::<usize>().unwrap() - 1];
    assert_eq!((&lines[0]["hash"], &lines[0]["position"]), (&json!(record.hash), &json!(record.position)));
    let mut oldest_first = server.get("/api/users/1/points/history?order=asc", &ann).await.body;
    oldest_first.as_array_mut().unwrap().reverse();
    assert_eq!(oldest_first, told.body);

    let listed = server.get("/api/users/1/reservations", &ann).await;
    assert_eq!(listed.body, json!([server.get("/api/reservations/1", &ann).await.body]));
    assert_eq!(listed.body[0]["reservationStatus"], "REFUNDED");
    assert_eq!(server.get("/api/users/1/payments", &ann).await.body, json!([paid.body]));
    for path in ["points/history", "reservations", "payments"] {
        let stranger = server.get(&format!("/api/users/1/{path}"), &bob).await;
        assert_eq!((stranger.status.as_u16(), stranger.problem()), (403, "not-yours"));
        for wrong in ["limit=0", "limit=201", "after=x", "minPosition=x"] {
            let refused = server.get(&format!("/api/users/1/{path}?{wrong}"), &ann).await;
            assert_eq!((refused.status.as_u16(), refused.problem()), (422, "invalid-request"), "{path} {wrong}");
        }
        assert_eq!(server.get(&format!("/api/users/1/{path}"), "").await.problem(), "token-missing");
        assert_eq!(server.get(&format!("/api/users/0/{path}"), &ann).await.problem(), "malformed-path");
    }
    assert_eq!(server.get("/api/users/1/points/history?order=up", &ann).await.problem(), "invalid-request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_movements_are_paged_through_without_a_gap_or_a_repeat_while_lines_come_in() {
    const LINES: u64 = 100_000;
    let server = Arc::new(Server::start_after((1..=LINES).map(|balance| charged(ANN, 1, balance))).await);
    let at = server.log.head().await.unwrap().position;
    let caught_up = server.projector.snapshot(&point_history::MODEL, at, Instant::now() + SOON).await;
    drop(caught_up.unwrap_or_else(|behind| panic!("{behind:?}")));
    let charging = tokio::spawn({
        let server = Arc::clone(&server);
        async move {
            loop {
                server.charge(&server.token(ANN).await, ANN, 1).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    let mut newest = 0;
    for (order, limit) in [("desc", 200), ("asc", 199), ("desc", 173)] {
        let path = format!("/api/users/1/points/history?limit={limit}&order={order}");
        let mut balances = numbers(&pages(&server, &path, ANN).await, "balanceAfter");
        if order == "desc" {
            balances.reverse();
        }
        newest = balances.len() as u64;
        assert!(balances.into_iter().eq(1..=newest), "{order} by {limit}");
    }
    charging.abort();
    assert!(newest > LINES, "no line came in meanwhile");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reservations_and_payments_are_paged_through_without_a_gap_or_a_repeat_while_lines_come_in() {
    const LINES: u64 = 1_000;
    let bought = |number| {
        let sold = paid(number, 2 * number, ANN, [2], 900);
        let back = refunded(number, 2 * number, ANN, [2], 1_000);
        let given_up = [held(2 * number - 1, ANN, [1]), cancelled(2 * number - 1, ANN, [1])];
        given_up.into_iter().chain([held(2 * number, ANN, [2]), sold, back])
    };
    let past = [charged(ANN, 1_000, 1_000)].into_iter().chain((1..=LINES).flat_map(bought));
    let server = Arc::new(Server::start_after(past).await);
    let at = server.log.head().await.unwrap().position;
    let buying = tokio::spawn({
        let server = Arc::clone(&server);
        async move {
            loop {
                let token = server.token(ANN).await;
                let held = server.reserve(&token, ANN, &[3]).await.body;
                let (id, price) = (&held["reservationId"], &held["totalPrice"]);
                let pay = json!({ "reservationId": id, "userId": ANN, "paymentAmount": price });
                assert_eq!(server.post("/api/payments", &token, &pay).await.status, StatusCode::OK);
                server.delete(&format!("/api/reservations/{id}"), &token).await;
            }
        }
    });
    for (list, id, lines) in [("reservations", "reservationId", 2 * LINES), ("payments", "paymentId", LINES)] {
        let mut newest = 0;
        for limit in [7, 20] {
            let path = format!("/api/users/1/{list}?limit={limit}&minPosition={at}");
            let ids = numbers(&pages(&server, &path, ANN).await, id);
            newest = ids[0];
            assert!(ids.into_iter().eq((1..=newest).rev()), "{list} by {limit}");
        }
        assert!(newest > lines, "no line came in meanwhile");
    }
    assert!(!buying.is_finished());
    buying.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_that_is_forgotten_is_found_in_sql() {
    let server = Server::start_projecting(10).await;
    let ann = server.token(ANN).await;
    server.reserve(&ann, ANN, &[3]).await;
    let cancelled = server.delete("/api/reservations/1", &ann).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    server.pass_seconds(limits::REMEMBERED_SECONDS + 1);
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    let found = server.get("/api/reservations/1", &ann).await;
    assert_eq!(
        (&found.body["reservationStatus"], &found.body["seatName"]),
        (&json!("CANCELLED"), &cancelled.body["seatName"])
    );
    assert_eq!(server.get("/api/reservations/1", &bob).await.problem(), "not-yours");
    assert_eq!(server.get("/api/reservations/2", &bob).await.problem(), "reservation-not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_broken_stops_histories_only_and_catches_up_when_it_is_back() {
    let server = Server::start(10).await;
    let file = server.folder.path().join("read-models.db");
    std::fs::write(&file, "this is no database, and never was one".repeat(100)).unwrap();
    tokio::spawn(server.projector.clone().run());
    let ann = server.token(ANN).await;
    assert_eq!(server.charge(&ann, ANN, 5).await.status, StatusCode::OK);
    let behind = server.get("/api/users/1/points/history", &ann).await;
    assert_eq!((behind.status.as_u16(), behind.problem()), (503, "read-model-behind"));
    assert_eq!(server.get("/api/users/1/points/balance", &ann).await.body["balance"], 5);
    std::fs::remove_file(&file).unwrap();
    for _ in 0..100 {
        let told = server.get("/api/users/1/points/history", &ann).await;
        if told.status == StatusCode::OK {
            assert_eq!(told.body[0]["balanceAfter"], 5);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it did not catch up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_ones_own_points_is_shown_so_that_its_hash_can_be_computed() {
    let server = Server::start(10).await;
    let (ann, bob) = (server.token(ANN).await, server.token(BOB).await);
    let charged = server.charge(&ann, ANN, 500).await;
    let position: usize = charged.header("log-position").unwrap().parse().unwrap();
    let shown = server.get(&format!("/api/users/1/records/{position}"), &ann).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
    let (record, previous) = (&server.log.records()[position - 1], &server.log.records()[position - 2]);
    let metadata_hash = Hash::new(sha2::Sha256::digest(record.metadata.as_bytes()).into());
    let expected = json!({
        "position": record.position, "recordedAt": projections::rfc3339(record.recorded_at), "type": "PointsCharged",
        "typeVersion": 1, "data": record.data, "metadataHash": metadata_hash, "previousHash": previous.hash,
        "hash": record.hash,
    });
    assert_eq!(shown.body, expected);
    // Neither another's record, nor one that moves no points, nor one that does not exist.
    let status = async |path: &str, token: &str| {
        let refused = server.get(path, token).await;
        (refused.status.as_u16(), refused.body["code"].as_str().unwrap_or_default().to_owned())
    };
    let missing = (404, "record-not-found".to_owned());
    assert_eq!(status(&format!("/api/users/2/records/{position}"), &bob).await, missing);
    for other in ["1", "2", &(position + 1).to_string(), "9007199254740991"] {
        assert_eq!(status(&format!("/api/users/1/records/{other}"), &ann).await, missing, "{other}");
    }
    assert_eq!(status(&format!("/api/users/1/records/{position}"), &bob).await, (403, "not-yours".to_owned()));
    for wrong in ["0", "x", "9007199254740992"] {
        let malformed = (400, "malformed-path".to_owned());
        assert_eq!(status(&format!("/api/users/1/records/{wrong}"), &ann).await, malformed, "{wrong}");
    }
}
