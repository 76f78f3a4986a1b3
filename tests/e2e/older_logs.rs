//! A data folder of every program that was released: log, key, snapshot and read models, as that program left them. Each is
//! served, sold from and audited by this program. See `tests/logs/README.md`.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::read_models::current;
use crate::server::{Answer, Server, reprise, rows, run};
use crate::tools::found;

const OPEN: [&str; 2] = ["--identity", "open"];

/// The last position of the log that the first program left.
const FIRST_END: &str = "229";

/// What its own program told there: a schedule's number, seats, those held, sold and refunded, and takings.
const SALES: [[u64; 6]; 3] = [[1, 60, 3, 10, 1, 1_260_000], [2, 20, 0, 2, 0, 180_000], [3, 12, 0, 2, 1, 240_000]];
const BALANCES: [(u64, u64); 4] = [(10, 100_000), (11, 250_000), (13, 400_000), (53, 70_000)];
/// Serving number, waiting, active, capacity.
const ROOM: [u64; 4] = [45, 5, 4, 4];

/// A copy of a folder in `tests/logs`.
pub fn left_by(program: &str) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &to);
            } else {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(program), folder.path());
    folder
}

/// Sells the user a seat of the first schedule, and takes the sale back.
async fn buy_and_take_back(server: &Server, user: u64) {
    let token = active_token(server, user).await;
    let seats = server.get("/api/concerts/1/schedules/1/seats", &token).await;
    let seat = &seats.ok()[0];
    let charge = json!({ "amount": seat["price"] });
    server.post(&format!("/api/users/{user}/points/charge"), &token, charge).await.ok();
    let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": user, "seatId": seat["seatId"] });
    let held = server.post("/api/concerts/reservation", &token, hold).await.ok().clone();
    let pay = json!({ "reservationId": held["reservationId"], "userId": user, "paymentAmount": held["totalPrice"] });
    assert_eq!(server.post("/api/payments", &token, pay).await.ok()["currentBalance"], 0);
    let back = server.delete(&format!("/api/reservations/{}", held["reservationId"]), &token).await;
    assert_eq!(back.ok()["reservationStatus"], "REFUNDED");
}

/// Those who were in line or inside are long over, which the ticks tell one after another.
async fn active_token(server: &Server, user: u64) -> String {
    for _ in 0..100 {
        let token = server.token(user).await;
        if server.get("/api/tokens/me", &token).await.ok()["status"] == "ACTIVE" {
            return token;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nobody is let in: {}", server.output());
}

#[tokio::test]
async fn the_log_of_the_first_program_is_served_sold_from_and_audited() {
    let folder = left_by("first-versions");
    let mut server = Server::start_in(folder.path(), &OPEN);
    buy_and_take_back(&server, 70).await;
    // Read models of an older shape are built anew while it serves.
    current(folder.path()).await;
    assert!(server.terminate().success());
    let audit = found(folder.path(), &["audit", "all"]);
    assert_eq!((&audit["ok"], &audit["violations"]), (&json!(true), &json!([])), "{audit}");
    let records = rows(folder.path(), "SELECT count(*) || '' FROM log").await;
    assert!(records[0].parse::<u64>().unwrap() > 229, "{records:?}");
}

#[tokio::test]
async fn the_log_of_the_first_program_folds_to_what_that_program_told() {
    let folder = left_by("first-versions");
    let shown = |what: &[&str]| found(folder.path(), &[&["show"], what, &["--as-of", FIRST_END]].concat());
    let sales = shown(&["sales"]);
    let told = |line: &Value| {
        ["scheduleId", "seatsTotal", "held", "sold", "refunded", "takings"].map(|name| line[name].as_u64().unwrap())
    };
    let lines: Vec<[u64; 6]> = sales["sales"].as_array().unwrap().iter().map(told).collect();
    assert_eq!(lines, SALES);
    for (user, balance) in BALANCES {
        assert_eq!(shown(&["wallet", "--user", &user.to_string()])["balance"], json!(balance), "user {user}");
    }
    let room = &shown(&["room"])["room"];
    let figures = ["servingNumber", "waiting", "active", "capacity"].map(|name| room[name].as_u64().unwrap());
    assert_eq!(figures, ROOM);
}

#[tokio::test]
async fn a_show_that_started_more_than_30_days_ago_is_changed_no_more() {
    let folder = left_by("first-versions");
    let server = Server::start_in(folder.path(), &[&OPEN[..], &["--operations", "127.0.0.1:0"]].concat());
    // The third schedule started in January 2025.
    let later = json!({ "startsAt": "2099-01-01T00:00:00Z", "saleClosesAt": "2099-01-01T00:00:00Z", "reason": "late" });
    for (method, path, body) in
        [(Method::PATCH, "/3", later), (Method::POST, "/3/cancel", json!({ "reason": "never mind" }))]
    {
        let request = server.request_operations(method, &format!("/api/operations/schedules{path}"));
        assert_eq!(Answer::of(request.json(&body)).await.problem(), (409, "schedule-over"), "{path}");
    }
    let (code, _, error) = run(reprise(folder.path(), &["schedule", "cancel", "3", "--reason", "never mind"]));
    assert!(code == 1 && error.contains("started more than 30 days ago"), "{error}");
    assert_eq!(server.count("ScheduleCancelled").await + server.count("ScheduleMoved").await, 0);
}
