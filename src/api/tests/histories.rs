//! Histories and lists, served from SQL.

use super::*;

/// The addresses of all pages, and their lines.
async fn pages(server: &Server, path: &str, token: &str) -> Vec<Value> {
    let (mut lines, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let page = server.get(&path, token).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        lines.extend(page.body.as_array().unwrap().clone());
        let link = page.header("link").map(|link| link.strip_suffix(">; rel=\"next\"").unwrap());
        next = link.map(|link| link.strip_prefix('<').unwrap().to_owned());
    }
    lines
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
async fn pages_have_no_gap_and_no_repeat_while_lines_come_in() {
    let server = Arc::new(Server::start_projecting(10).await);
    let ann = server.token(ANN).await;
    let mut at = String::new();
    for _ in 0..300 {
        at = server.charge(&ann, ANN, 1).await.header("log-position").unwrap().to_owned();
    }
    let (charging, token) = (Arc::clone(&server), ann.clone());
    let charging = tokio::spawn(async move {
        // An end, so that whoever reads from the oldest on comes to one as well.
        for _ in 0..1_000 {
            charging.charge(&token, ANN, 1).await;
        }
    });
    for (order, limit) in [("desc", 7), ("asc", 13), ("desc", 200)] {
        let path = format!("/api/users/1/points/history?limit={limit}&order={order}&minPosition={at}");
        let lines = pages(&server, &path, &ann).await;
        let mut balances: Vec<u64> = lines.iter().map(|line| line["balanceAfter"].as_u64().unwrap()).collect();
        if order == "desc" {
            balances.reverse();
        }
        assert!(balances.len() >= 300);
        assert_eq!(balances, (1..=balances.len() as u64).collect::<Vec<_>>(), "{order} by {limit}");
    }
    charging.abort();
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
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("it did not catch up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sales_are_shown_to_operators_only() {
    let server = Server::start_projecting(10).await;
    let ann = server.token(ANN).await;
    let held = server.reserve(&ann, ANN, &[1, 2]).await;
    let path = format!("/api/operations/sales?minPosition={}", held.header("log-position").unwrap());
    assert_eq!(server.get(&path, &ann).await.problem(), "route-not-found");
    let asked = request(Method::GET, &path, "", &[], Body::empty());
    let response = crate::api::operations(server.projector.clone()).oneshot(asked).await.unwrap();
    assert_eq!(response.headers()["log-position"], held.header("log-position").unwrap());
    let shown: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    let sold = json!([{ "concertId": 1, "scheduleId": 1, "seatsTotal": 10, "held": 2, "sold": 0, "refunded": 0, "takings": 0 }]);
    assert_eq!(shown, sold);
}
