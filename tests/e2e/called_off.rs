//! A show that is called off while people buy, and a server that is killed while it gives everything back.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::server::{Server, reprise, rows, run};

/// Several times as many as a tick gives back while others wait.
const SEATS: u64 = 250;
const PRICE: u64 = 100;

/// Joins, charges, holds a seat and pays for it.
async fn buy(server: Arc<Server>, user: u64) {
    let token = server.token(user).await;
    server.post(&format!("/api/users/{user}/points/charge"), &token, json!({ "amount": PRICE })).await.ok();
    let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": user, "seatId": user });
    let held = server.post("/api/concerts/reservation", &token, hold).await;
    let pay = json!({ "reservationId": held.ok()["reservationId"], "userId": user, "paymentAmount": PRICE });
    server.post("/api/payments", &token, pay).await.ok();
}

/// Charges without end: others wait.
async fn charge_on(server: Arc<Server>, user: u64) {
    let token = server.token(user).await;
    let path = format!("/api/users/{user}/points/charge");
    while crate::server::Answer::try_of(
        server.request(reqwest::Method::POST, &path, &token).json(&json!({ "amount": 1 })),
    )
    .await
    .is_ok()
    {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_while_it_gives_back_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("catalogue.json");
    let zones = json!([{ "zoneName": "Z", "price": PRICE, "seats": SEATS }]);
    let schedules = json!([{ "startsAt": "2099-12-24T10:30:00Z", "zones": zones }]);
    let concert = json!({ "concertName": "A", "artist": "B", "venue": "C", "schedules": schedules });
    std::fs::write(&file, json!({ "concerts": [concert] }).to_string()).unwrap();
    let (code, _, error) = run(reprise(&data, &["catalog", "import", file.to_str().unwrap()]));
    assert_eq!(code, 0, "{error}");

    let server = Arc::new(Server::start_in(&data, &["--identity", "open", "--capacity", "10000"]));
    let mut buyers = JoinSet::new();
    for user in 1..=SEATS {
        buyers.spawn(buy(Arc::clone(&server), user));
        if buyers.len() >= 16 {
            buyers.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(bought) = buyers.join_next().await {
        bought.unwrap();
    }
    let mut others = JoinSet::new();
    for user in 1..=8 {
        others.spawn(charge_on(Arc::clone(&server), 10_000 + user));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (code, _, error) = run(reprise(&data, &["schedule", "cancel", "1", "--reason", "the singer is ill"]));
    assert_eq!(code, 0, "{error}");
    let kill = std::process::Command::new("kill").args(["-9", &server.pid().to_string()]).status().unwrap();
    assert!(kill.success());
    while others.join_next().await.is_some() {}
    drop(server);
    let refunds = "SELECT CAST(count(*) AS TEXT) FROM log WHERE type = 'ReservationRefunded'";
    let before: u64 = rows(&data, refunds).await[0].parse().unwrap();
    assert!(before < SEATS, "all was given back at once: {before}");

    let server = Server::start_in(&data, &["--identity", "open"]);
    loop {
        let (code, said, error) = run(reprise(&data, &["schedule", "show", "1", "--json"]));
        assert_eq!(code, 0, "{error}");
        let cancelled = serde_json::from_str::<Value>(&said).unwrap()["cancelled"].clone();
        if cancelled["paymentsLeft"] == 0 {
            assert_eq!(cancelled["refunded"], SEATS);
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let dates = server.get("/api/concerts/1/dates", "").await;
    assert_eq!(dates.ok()[0]["seatsAvailable"], 0);
    for user in [1, SEATS] {
        let token = server.token(user).await;
        let balance = server.get(&format!("/api/users/{user}/points/balance"), &token).await;
        assert_eq!(balance.ok()["balance"], PRICE);
    }
    assert_eq!(rows(&data, refunds).await, [SEATS.to_string()]);
    let (code, said, error) = run(reprise(&data, &["audit", "all", "--json"]));
    assert_eq!(code, 0, "{said}{error}");
}
