//! Starts that are refused: one clear line, an exit code, and nothing changed.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::{Event, Points, PointsCharged, Record, Timestamp, UserId};
use reprise::log::{EventLog, SqliteLog};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::server::{Server, reprise, run};

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // SQLite's own two companions hold nothing that is not in the log's file, once that is checkpointed.
    let companion =
        |path: &PathBuf| path.to_string_lossy().ends_with("-wal") || path.to_string_lossy().ends_with("-shm");
    entries
        .filter(|path| path.is_file() && !companion(path))
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .collect()
}

/// `serve` is refused with a last line that holds all of these words.
fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let mut command = reprise(folder, &["serve", "--identity", "open"]);
    if !arguments.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    let (code, said, error) = run({
        command.args(arguments);
        command
    });
    let last = error.lines().last().unwrap_or_default();
    assert!(code != 0 && said.is_empty(), "{code}: {said}{error}");
    assert!(!error.contains("panicked"), "{error}");
    for word in words {
        assert!(last.contains(word), "{word:?} is not in: {last}");
    }
}

/// A log with some history, in a folder that nobody holds.
async fn closed_sale() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path(), &["--identity", "open"]);
    let token = server.token(42).await;
    for _ in 0..5 {
        server.post("/api/users/42/points/charge", &token, serde_json::json!({ "amount": 5 })).await.ok();
    }
    assert!(server.terminate().success());
    folder
}

async fn tamper(folder: &Path, statement: &'static str) {
    let mut connection = SqliteConnectOptions::new().filename(folder.join("log.db")).connect().await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_folder_has_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), &["--identity", "open"]);
    refused(folder.path(), &[], &["another", folder.path().to_str().unwrap()]);
    server.get("/readyz", "").await.ok();
}

#[tokio::test]
async fn a_taken_port_leaves_the_folder_as_it_is() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    refused(&data, &["--listen", &address], &["cannot listen", &address]);
    assert!(!data.exists());
}

#[tokio::test]
async fn a_wrong_flag_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [["--capacity", "many"], ["--listen", "nowhere"], ["--log", "paper"], ["--colour", "red"]] {
        let data = folder.path().join("data");
        let (code, _, error) = run(reprise(&data, &[&["serve"], &arguments[..]].concat()));
        assert!(code != 0 && error.contains(arguments[0]), "{error}");
        assert!(!data.exists());
    }
}

#[tokio::test]
async fn an_unusable_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    refused(&file, &[], &[file.to_str().unwrap()]);
    refused(&file.join("data"), &[], &[file.to_str().unwrap()]);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    // Who is root may write everywhere, except where even root may not.
    refused(Path::new("/proc/reprise"), &[], &["/proc/reprise"]);
}

#[tokio::test]
async fn an_altered_log_is_refused_and_the_first_wrong_position_named() {
    let alterations = [
        ("UPDATE log SET data = replace(data, '5', '6') WHERE position = 5", "position 5"),
        ("UPDATE log SET metadata = metadata || ' ' WHERE position = 4", "position 4"),
        ("UPDATE log SET recorded_at = recorded_at + 1 WHERE position = 6", "position 6"),
        ("UPDATE log SET type = 'PointsSpent' WHERE position = 5", "position 5"),
        ("UPDATE log SET hash = zeroblob(32) WHERE position = 7", "position 7"),
        ("DELETE FROM log WHERE position = 4", "position 4"),
        ("DELETE FROM log WHERE position = 1", "position 1"),
    ];
    for (statement, position) in alterations {
        let folder = closed_sale().await;
        tamper(folder.path(), statement).await;
        tamper(folder.path(), "PRAGMA wal_checkpoint(TRUNCATE)").await;
        let before = files(folder.path());
        refused(folder.path(), &[], &[position]);
        assert!(before == files(folder.path()), "{statement}: the folder has changed");
    }
}

#[tokio::test]
async fn a_log_that_is_torn_is_refused() {
    let folder = closed_sale().await;
    let path = folder.path().join("log.db");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    refused(folder.path(), &[], &["log"]);
    std::fs::write(&path, "no database at all, but long enough to look at").unwrap();
    refused(folder.path(), &[], &["log"]);
}

#[tokio::test]
async fn a_log_without_its_key_is_refused() {
    let folder = closed_sale().await;
    let path = folder.path().join("server.key");
    let key = std::fs::read(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::remove_file(&path).unwrap();
    refused(folder.path(), &[], &["server.key"]);
    assert!(!path.exists());
    std::fs::write(&path, "00".repeat(32)).unwrap();
    refused(folder.path(), &[], &["not the one"]);
    std::fs::write(&path, key).unwrap();
    Server::start_in(folder.path(), &["--identity", "open"]).get("/readyz", "").await.ok();
}

/// Appends a charge that another program, or another clock, has written.
async fn append(folder: &Path, ahead_seconds: i64, change: impl FnOnce(&mut Record)) {
    let log = SqliteLog::open(folder).await.unwrap();
    let head = log.head().await.unwrap();
    let last = log.record(head.position).await.unwrap().unwrap();
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()).plus_seconds(ahead_seconds);
    let (user_id, amount) = (UserId::FIRST, Points::new(1));
    let event = Event::from(PointsCharged { user_id, amount, balance_after: amount, charged_at: now });
    let mut record = Record::seal(&head, now, &event, &last.decode().unwrap().metadata);
    change(&mut record);
    record.hash = record.hash_after(&head.hash);
    log.append(&head, &[record]).await.unwrap();
}

#[tokio::test]
async fn a_log_from_the_future_is_refused_unless_it_is_accepted() {
    let folder = closed_sale().await;
    append(folder.path(), 3_600, |_| {}).await;
    refused(folder.path(), &[], &["--accept-clock"]);
    let pause = ["sale", "pause", "--reason", "a test"];
    let (code, _, error) = run(reprise(folder.path(), &pause));
    assert_eq!((code, error.contains("ahead of this machine's clock")), (1, true), "{error}");
    let server = Server::start_in(folder.path(), &["--identity", "open", "--accept-clock"]);
    server.token(1).await;
}

#[tokio::test]
async fn an_event_that_the_program_does_not_know_is_never_skipped() {
    let folder = closed_sale().await;
    append(folder.path(), 0, |record| record.event_type = "SeatsSwapped".into()).await;
    refused(folder.path(), &[], &["position 9", "SeatsSwapped"]);
    let folder = closed_sale().await;
    append(folder.path(), 0, |record| record.type_version = 2).await;
    refused(folder.path(), &[], &["position 9", "version 2", "PointsCharged"]);
}
