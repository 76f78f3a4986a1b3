//! The tools, as operators and auditors run them: beside a running server, on folders that nobody holds, on spoilt logs.

mod audits;
mod copies;
mod moments;
mod printing;
mod tampering;

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, raw_sql};

use crate::server::{Answer, Server, TOKEN_1, TOKEN_2, reprise};

/// What a tool printed for people, and its exit code.
fn said(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = reprise(folder, arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// What a tool printed for scripts: one document on standard output, and nothing else.
pub fn document(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let (code, output, error) = said(folder, &[arguments, &["--json"]].concat());
    assert_eq!(error, "", "{arguments:?}");
    assert_eq!(output.lines().count(), 1, "{arguments:?}: {output}");
    (code, serde_json::from_str(&output).unwrap())
}

/// The document of a tool that found nothing wrong.
pub fn found(folder: &Path, arguments: &[&str]) -> Value {
    let (code, document) = document(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {document}");
    document
}

async fn charge(server: &Server, user: u64, token: &str, amount: u64) -> Answer {
    server.post(&format!("/api/users/{user}/points/charge"), token, json!({ "amount": amount })).await
}

async fn hold(server: &Server, user: u64, token: &str, seats: &[u64]) -> Answer {
    let body = json!({ "concertId": 1, "scheduleId": 296, "userId": user, "seatIds": seats });
    server.post("/api/concerts/reservation", token, body).await
}

async fn pay(server: &Server, user: u64, token: &str, held: &Answer) -> Answer {
    let (id, price) = (&held.ok()["reservationId"], &held.ok()["totalPrice"]);
    let body = json!({ "reservationId": id, "userId": user, "paymentAmount": price });
    server.post("/api/payments", token, body).await
}

/// User 42 buys seats 1 and 2 and takes them back; user 43 buys seat 2; user 44 gives seat 3 up, and holds seat 4.
async fn some_purchases(server: &Server) {
    let [ann, bob, eve] = [server.token(42).await, server.token(43).await, server.token(44).await];
    charge(server, 42, &ann, 500_000).await.ok();
    charge(server, 43, &bob, 200_000).await.ok();
    let held = hold(server, 42, &ann, &[1, 2]).await;
    pay(server, 42, &ann, &held).await.ok();
    server.delete(&format!("/api/reservations/{}", held.ok()["reservationId"]), &ann).await.ok();
    let held = hold(server, 43, &bob, &[2]).await;
    pay(server, 43, &bob, &held).await.ok();
    let held = hold(server, 44, &eve, &[3]).await;
    server.delete(&format!("/api/reservations/{}", held.ok()["reservationId"]), &eve).await.ok();
    hold(server, 44, &eve, &[4]).await.ok();
}

/// A stopped demo with some purchases.
async fn stopped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path(), &["--demo"]);
    some_purchases(&server).await;
    assert!(server.terminate().success());
    folder
}

/// Changes the log as someone with a shell can.
async fn tamper(folder: &Path, sql: &str) {
    tamper_in(folder, "log.db", sql).await;
}

/// Changes a file of SQLite's in the same way.
pub async fn tamper_in(folder: &Path, file: &str, sql: &str) {
    let mut shell = SqliteConnectOptions::new().filename(folder.join(file)).connect().await.unwrap();
    let sql = format!("PRAGMA ignore_check_constraints = ON; {sql}");
    raw_sql(AssertSqlSafe(sql)).execute(&mut shell).await.unwrap();
}

const READING: [&[&str]; 12] = [
    &["log", "verify"],
    &["log", "stat"],
    &["log", "tail", "--lines", "1000"],
    &["audit", "all"],
    &["audit", "points", "--user", "42"],
    &["show", "seats", "--concert", "1", "--schedule", "296"],
    &["show", "wallet", "--user", "43"],
    &["show", "reservation", "--id", "1"],
    &["show", "room"],
    &["show", "sales"],
    &["show", "wallet", "--user", "42", "--as-of", "736"],
    &["why", "--schedule", "296", "--seat", "2"],
];

/// What is in a folder: names, bytes, times.
fn contents(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<String> = files
        .map(|file| {
            let facts = file.metadata().unwrap();
            format!("{:?} {} {:?}", file.file_name(), facts.len(), facts.modified().unwrap())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_tools_say_the_same_beside_a_server_and_without_one_and_leave_no_trace() {
    let mut server = Server::demo();
    some_purchases(&server).await;
    let timeless = |mut document: Value| {
        for member in ["seconds", "eventsPerSecond", "fileBytes"] {
            document.as_object_mut().unwrap().remove(member);
        }
        document
    };
    let ask = |folder: &Path, arguments: &[&str]| {
        let (code, text, error) = said(folder, arguments);
        assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}: {text}");
        assert!(!text.trim().is_empty());
        assert!(!text.contains("\"seed\"") && !text.contains(TOKEN_1) && !text.contains(TOKEN_2), "{arguments:?}");
        timeless(found(folder, arguments))
    };
    let beside: Vec<Value> = READING.iter().map(|arguments| ask(server.folder(), arguments)).collect();
    assert!(server.terminate().success());
    let before = contents(server.folder());
    for (arguments, beside) in READING.iter().zip(beside) {
        assert_eq!(ask(server.folder(), arguments), beside, "{arguments:?}");
    }
    assert_eq!(contents(server.folder()), before, "a reading tool wrote");
}

#[tokio::test]
async fn a_folder_without_a_log_is_one_clear_error_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in READING.iter().copied().chain([["backup", "x"].as_slice(), &["log", "export", "x"]]) {
        let (code, output, error) = said(folder.path(), arguments);
        assert_eq!((code, output.as_str()), (1, ""), "{arguments:?}");
        assert!(error.contains("there is no log") && error.lines().count() == 1, "{arguments:?}: {error}");
        let (code, document) = document(folder.path(), arguments);
        assert!(code == 1 && document["error"].as_str().unwrap().contains("there is no log"), "{document}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn whatever_is_changed_in_a_log_its_position_is_named() {
    let folder = stopped().await;
    let spoilt = [
        ("UPDATE log SET data = replace(data, '500000', '500001') WHERE position = 734", 734),
        ("UPDATE log SET metadata = replace(metadata, 'user:4', 'user:5') WHERE position = 731", 731),
        ("UPDATE log SET type = 'HoldExpired' WHERE position = 736", 736),
        ("UPDATE log SET recorded_at = recorded_at + 1 WHERE position = 700", 700),
        ("UPDATE log SET type_version = 2 WHERE position = 2", 2),
        ("UPDATE log SET hash = zeroblob(32) WHERE position = 500", 500),
        ("UPDATE log SET hash = substr(hash, 2) WHERE position = 737", 737),
        ("UPDATE log SET hash = x'00' WHERE position = 737; UPDATE log SET data = '{}' WHERE position = 733", 733),
        ("DELETE FROM log WHERE position = 400", 400),
        ("DELETE FROM log WHERE position = 1", 1),
        (
            "UPDATE log SET position = -1 WHERE position = 300; UPDATE log SET position = 300 WHERE position = 301; \
             UPDATE log SET position = 301 WHERE position = -1",
            300,
        ),
    ];
    let clean = std::fs::read(folder.path().join("log.db")).unwrap();
    for (sql, position) in spoilt {
        tamper(folder.path(), sql).await;
        let (code, verified) = document(folder.path(), &["log", "verify"]);
        assert_eq!((code, &verified["ok"], &verified["position"]), (1, &json!(false), &json!(position)), "{sql}");
        assert_eq!(verified["events"], position - 1, "{sql}");
        let (code, output, _) = said(folder.path(), &["log", "verify"]);
        assert!(code == 1 && output.contains(&format!("WRONG at position {position}: ")), "{output}");
        let (code, audit) = document(folder.path(), &["audit", "all"]);
        assert_eq!((code, &audit["broken"]["position"]), (1, &json!(position)), "{sql}");
        std::fs::write(folder.path().join("log.db"), &clean).unwrap();
    }
    assert_eq!(found(folder.path(), &["log", "verify"])["ok"], true);
}

#[tokio::test]
async fn a_log_that_was_cut_off_is_found_by_a_record_that_was_noted() {
    let folder = stopped().await;
    let stat = found(folder.path(), &["log", "stat"]);
    let (position, hash) = (stat["position"].as_u64().unwrap(), stat["headHash"].as_str().unwrap().to_owned());
    let noted = format!("{position}:{hash}");
    found(folder.path(), &["log", "verify", "--expect", &noted]);
    let other = format!("{}:{hash}", position - 1);
    let (code, verified) = document(folder.path(), &["log", "verify", "--expect", &other]);
    assert_eq!((code, &verified["position"]), (1, &json!(position - 1)));
    tamper(folder.path(), &format!("DELETE FROM log WHERE position = {position}")).await;
    found(folder.path(), &["log", "verify"]);
    let (code, verified) = document(folder.path(), &["log", "verify", "--expect", &noted]);
    assert_eq!((code, &verified["position"]), (1, &json!(position)));
}

#[tokio::test]
async fn what_comes_is_followed() {
    use std::io::{BufRead, BufReader};
    let server = Server::demo();
    let mut tail = reprise(server.folder(), &["log", "tail", "--follow", "--lines", "1", "--json"]);
    let mut tail = tail.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["type"], "TokenGranted");
    let token = server.token(42).await;
    charge(&server, 42, &token, 7).await.ok();
    let issued = next();
    assert_eq!((&issued["type"], &issued["data"]["seed"]), (&json!("TokenIssued"), &Value::Null));
    let charged = next();
    assert_eq!((&charged["data"]["amount"], &charged["metadata"]["actor"]), (&json!(7), &json!("user:42")));
    tail.kill().unwrap();
    tail.wait().unwrap();
}
