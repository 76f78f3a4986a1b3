//! Starting from a snapshot, from outside.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::server::{Answer, Server, made, reprise, run};

/// Enough for a snapshot at the stop.
const EVENTS: u64 = 10_500;
const OPEN: [&str; 2] = ["--identity", "open"];

fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("snapshots")).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

async fn charge(server: &Server, token: &str, key: &str) -> Answer {
    let charge = server.request(Method::POST, "/api/users/7/points/charge", token).header("Idempotency-Key", key);
    Answer::of(charge.json(&json!({ "amount": 500 }))).await
}

#[tokio::test]
async fn a_server_goes_on_from_its_snapshot_with_tokens_keys_balances_and_etags() {
    let folder = made(EVENTS);
    let mut server = Server::start_in(folder.path(), &OPEN);
    let token = server.token(7).await;
    let first = charge(&server, &token, "a-key-of-mine").await;
    let seats = "/api/concerts/1/schedules/1/seats";
    let balance = server.get("/api/users/7/points/balance", &token).await.ok().clone();
    let shown = server.get(seats, &token).await;
    assert!(server.terminate().success());
    assert_eq!(snapshots(folder.path()).len(), 1, "{}", server.output());

    let mut server = Server::start_in(folder.path(), &OPEN);
    assert!(server.output().contains("restored the snapshot of position"), "{}", server.output());
    assert!(server.output().contains("replayed 0 events"), "{}", server.output());
    let again = charge(&server, &token, "a-key-of-mine").await;
    assert_eq!((again.header("idempotent-replayed"), again.ok()), ("true", first.ok()));
    assert_eq!(server.get("/api/users/7/points/balance", &token).await.ok(), &balance);
    let again = server.get(seats, &token).await;
    assert_eq!((again.header("etag"), again.ok()), (shown.header("etag"), shown.ok()));
    assert!(server.terminate().success());
    assert_eq!(snapshots(folder.path()).len(), 1, "there was nothing new: {}", server.output());
}

#[tokio::test]
async fn a_rewound_log_is_refused_and_once_it_is_accepted_the_snapshot_is_of_no_use() {
    let folder = made(EVENTS);
    let backup = std::fs::read(folder.path().join("log.db")).unwrap();
    let mut server = Server::start_in(folder.path(), &OPEN);
    server.token(7).await;
    assert!(server.terminate().success());
    std::fs::write(folder.path().join("log.db"), backup).unwrap();
    let snapshot = snapshots(folder.path()).remove(0);
    let start = || reprise(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--identity", "open"]);
    let (code, _, error) = run(start());
    assert_eq!(code, 78);
    for word in ["rewound", &format!("position {EVENTS}"), snapshot.to_str().unwrap()] {
        assert!(error.contains(word), "{word}: {error}");
    }
    let record = error.rsplit("--accept-rewind ").next().unwrap().trim();
    let server = Server::start_in(folder.path(), &[&OPEN[..], &["--accept-rewind", record]].concat());
    assert!(!snapshot.exists());
    assert!(server.output().contains(&format!("replayed {EVENTS} events")), "{}", server.output());
}

#[tokio::test]
async fn a_damaged_snapshot_costs_time_and_nothing_else() {
    let folder = made(EVENTS);
    assert!(Server::start_in(folder.path(), &OPEN).terminate().success());
    let snapshot = snapshots(folder.path()).remove(0);
    let mut bytes = std::fs::read(&snapshot).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&snapshot, bytes).unwrap();
    let server = Server::start_in(folder.path(), &OPEN);
    assert!(server.output().contains("is not used: it is damaged"), "{}", server.output());
    server.token(7).await;
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_written_stops_nobody() {
    let folder = made(EVENTS);
    std::fs::write(folder.path().join("snapshots"), "no folder").unwrap();
    let mut server = Server::start_in(folder.path(), &OPEN);
    server.token(7).await;
    assert!(server.terminate().success());
    assert!(server.output().contains("could not be written"), "{}", server.output());
}

#[tokio::test]
async fn killed_while_it_writes_a_snapshot_a_server_leaves_nothing_half() {
    let folder = made(EVENTS);
    for millis in [0, 4, 9, 15, 22, 30, 45, 70] {
        let _ = std::fs::remove_dir_all(folder.path().join("snapshots"));
        let mut server = Server::start_in(folder.path(), &OPEN);
        assert!(!server.output().contains("is not used"), "{}", server.output());
        std::process::Command::new("kill").arg(server.pid().to_string()).status().unwrap();
        tokio::time::sleep(Duration::from_millis(millis)).await;
        server.kill();
        // What is there now is whole, or means nothing.
        let mut server = Server::start_in(folder.path(), &OPEN);
        assert!(!server.output().contains("is not used"), "{}", server.output());
        server.token(7).await;
        assert!(server.terminate().success());
        let names: Vec<_> = snapshots(folder.path());
        assert!(names.iter().all(|path| path.extension().is_some_and(|end| end == "snapshot")), "{names:?}");
    }
}
