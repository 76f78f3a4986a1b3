//! A log that somebody has altered: whatever byte of whichever record it is, its position is named, and what is folded at a
//! start is not served.

use std::path::Path;

use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, query};

use super::{document, found, said, stopped, tamper};
use crate::server::{Server, made};

/// The fields that hold bytes, and as what SQLite keeps them.
const FIELDS: [(&str, &str); 4] = [("data", "TEXT"), ("metadata", "TEXT"), ("type", "TEXT"), ("hash", "BLOB")];
const OPEN: [&str; 2] = ["--identity", "open"];

async fn shell(folder: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(folder.join("log.db")).connect().await.unwrap()
}

/// Flips the lowest bit of one byte: the one so far into the field, from 0 to 1.
async fn flip(folder: &Path, position: u64, (field, kind): (&str, &str), into: f64) {
    let mut shell = shell(folder).await;
    let read = format!("SELECT CAST({field} AS BLOB) FROM log WHERE position = {position}");
    let row = query(AssertSqlSafe(read)).fetch_one(&mut shell).await.unwrap();
    let mut bytes: Vec<u8> = row.get(0);
    let at = (into * (bytes.len() - 1) as f64) as usize;
    bytes[at] ^= 1;
    let write = format!("UPDATE log SET {field} = CAST(? AS {kind}) WHERE position = {position}");
    query(AssertSqlSafe(write)).bind(bytes).execute(&mut shell).await.unwrap();
}

/// That the log is wrong at this position, and nowhere before it.
fn assert_named(folder: &Path, position: u64, what: &str) {
    let (code, verified) = document(folder, &["log", "verify"]);
    assert_eq!((code, &verified["position"]), (1, &json!(position)), "{what}: {verified}");
    assert_eq!(verified["events"], position - 1, "{what}");
}

/// Why the folder is not served.
fn refusal(folder: &Path) -> String {
    let (code, output, error) = said(folder, &["serve", "--listen", "127.0.0.1:0", "--identity", "open"]);
    assert!(code == 1 && output.is_empty(), "it was served, or said {output}: {error}");
    error.lines().last().unwrap().to_owned()
}

#[tokio::test]
async fn one_changed_byte_of_any_record_is_named_and_not_served() {
    let folder = stopped().await;
    let last = found(folder.path(), &["log", "stat"])["position"].as_u64().unwrap();
    let clean = std::fs::read(folder.path().join("log.db")).unwrap();
    for position in [1, 2, last / 2, last - 1, last] {
        for field in FIELDS {
            for into in [0.0, 0.5, 1.0] {
                flip(folder.path(), position, field, into).await;
                assert_named(folder.path(), position, &format!("{} of {position} at {into}", field.0));
                std::fs::write(folder.path().join("log.db"), &clean).unwrap();
            }
        }
        for number in ["recorded_at", "type_version"] {
            tamper(folder.path(), &format!("UPDATE log SET {number} = {number} + 1 WHERE position = {position}")).await;
            assert_named(folder.path(), position, &format!("{number} of {position}"));
            let refused = refusal(folder.path());
            assert!(refused.contains(&format!("position {position}")), "{number} of {position}: {refused}");
            std::fs::write(folder.path().join("log.db"), &clean).unwrap();
        }
    }
    assert_eq!(found(folder.path(), &["log", "verify"])["events"], last);
}

#[tokio::test]
async fn a_removed_row_and_two_swapped_ones_are_named_and_not_served() {
    let folder = stopped().await;
    let last = found(folder.path(), &["log", "stat"])["position"].as_u64().unwrap();
    let clean = std::fs::read(folder.path().join("log.db")).unwrap();
    let remove = |position: u64| (format!("DELETE FROM log WHERE position = {position}"), position);
    let swap = |one: u64, other: u64| {
        let moved = |from: i64, to: i64| format!("UPDATE log SET position = {to} WHERE position = {from};");
        let (first, second) = (one as i64, other as i64);
        (moved(first, -1) + &moved(second, first) + &moved(-1, second), one)
    };
    let spoilt =
        [remove(1), remove(2), remove(last - 1), swap(1, 2), swap(last - 1, last), swap(2, last), swap(300, 500)];
    for (sql, position) in spoilt {
        tamper(folder.path(), &sql).await;
        assert_named(folder.path(), position, &sql);
        let refused = refusal(folder.path());
        assert!(refused.contains(&format!("position {position}")), "{sql}: {refused}");
        std::fs::write(folder.path().join("log.db"), &clean).unwrap();
    }
}

#[tokio::test]
async fn a_start_from_a_snapshot_proves_what_it_folds_and_leaves_the_rest_to_be_verified() {
    let folder = made(10_500);
    assert!(Server::start_in(folder.path(), &OPEN).terminate().success());
    let head = |folder: &Path| -> u64 { found(folder, &["log", "stat"])["position"].as_u64().unwrap() };
    let snapshot = head(folder.path());
    let mut server = Server::start_in(folder.path(), &OPEN);
    for user in 1..=3 {
        server.token(200_000 + user).await;
    }
    assert!(server.terminate().success());
    let last = head(folder.path());
    assert!(last > snapshot + 2);
    let clean = std::fs::read(folder.path().join("log.db")).unwrap();
    for (position, field, is_served) in [
        (1, FIELDS[0], false),
        (2, FIELDS[0], true),
        (snapshot - 100, FIELDS[0], true),
        (snapshot, FIELDS[3], false),
        (snapshot + 1, FIELDS[0], false),
        (last - 1, FIELDS[1], false),
        (last, FIELDS[0], false),
        (last, FIELDS[3], false),
    ] {
        flip(folder.path(), position, field, 0.5).await;
        assert_named(folder.path(), position, field.0);
        if is_served {
            let mut server = Server::start_in(folder.path(), &OPEN);
            let verified: Value = document(server.folder(), &["log", "verify"]).1;
            assert_eq!(verified["position"], position);
            assert!(server.terminate().success());
        } else {
            let refused = refusal(folder.path());
            assert!(refused.contains(&format!("position {position}")), "{} of {position}: {refused}", field.0);
        }
        let _ = std::fs::remove_file(folder.path().join("log.db-wal"));
        std::fs::write(folder.path().join("log.db"), &clean).unwrap();
    }
}
