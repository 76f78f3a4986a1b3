//! A log moves from SQLite to PostgreSQL and back.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Server, reprise, run};

fn copy(folder: &Path, from: &str, to: &str) -> (i32, Value) {
    let (code, said, error) = run(reprise(folder, &["log", "copy", "--from", from, "--to", to, "--json"]));
    assert_eq!(error, "");
    (code, serde_json::from_str(&said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_moves_keeps_every_hash_goes_on_where_it_was_stopped_and_is_served_with_its_key() {
    let Some(server) = private_postgres::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [here, there] = [folder.join("here"), folder.join("there")];
    assert_eq!(run(reprise(&here, &["bench", "make-log", "--events", "60000", "--ends-now"])).0, 0);
    let (database, last) = (server.database(), "SELECT coalesce(max(position), 0) FROM log");
    let database_name = database.rsplit('/').next().unwrap();
    let [from, to, back] =
        [format!("sqlite:{}", here.display()), database.clone(), format!("sqlite:{}", there.display())];

    // Killed when it has begun.
    let mut killed = reprise(folder, &["log", "copy", "--from", &from, "--to", &to]);
    let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let exists = "SELECT to_regclass('log') IS NOT NULL";
    while server.sql(database_name, exists) == "f" || server.sql(database_name, last) == "0" {
        assert!(killed.try_wait().unwrap().is_none(), "it ended too soon");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    is_refused(&folder.join("too-early"), &database);

    let (code, copied) = copy(folder, &from, &to);
    assert_eq!((code, &copied["events"], &copied["verified"]), (0, &json!(60_000), &json!(true)));
    assert!(copied["found"].as_u64().unwrap() > 0, "it went on: {copied}");
    let (_, again) = copy(folder, &from, &to);
    assert_eq!((&again["found"], &again["headHash"]), (&json!(60_000), &copied["headHash"]));
    let (code, returned) = copy(folder, &to, &back);
    assert_eq!((code, &returned["headHash"], &returned["serverKey"]), (0, &copied["headHash"], &json!("missing")));

    // Another log is not added to, and what is there stays.
    let other = folder.join("other");
    assert_eq!(run(reprise(&other, &["bench", "make-log", "--events", "10"])).0, 0);
    let (code, refused) = copy(folder, &format!("sqlite:{}", other.display()), &to);
    assert!(code == 1 && refused["error"].as_str().unwrap().contains("nothing was copied"), "{refused}");
    assert_eq!(server.sql(database_name, last), "60000");

    let key = here.join("server.key");
    let node = folder.join("node");
    let arguments = ["--identity", "open", "--log", &database, "--key-file", key.to_str().unwrap()];
    let served = Server::start_in(&node, &arguments);
    assert!(served.output().contains("its head is position 60000"));
}

/// Nobody serves a log that an import or a copy has only begun.
fn is_refused(folder: &Path, log: &str) {
    let (code, _, error) = run(reprise(folder, &["serve", "--demo", "--listen", "127.0.0.1:0", "--log", log]));
    assert!(code != 0 && error.contains("has not finished"), "{error}");
}

fn import_that_fails_first(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let [here, elsewhere] = [folder.path().join("here"), folder.path().join("elsewhere")];
    let [good, spoilt] = ["good", "spoilt"].map(|name| folder.path().join(name).display().to_string());
    assert_eq!(run(reprise(&here, &["bench", "make-log", "--events", "10000", "--ends-now"])).0, 0);
    assert_eq!(run(reprise(&here, &["log", "export", &good])).0, 0);
    let exported = std::fs::read_to_string(&good).unwrap();
    let mut lines: Vec<&str> = exported.lines().collect();
    lines[9_000] = lines[8_999];
    std::fs::write(&spoilt, lines.join("\n")).unwrap();
    assert_eq!(run(reprise(&elsewhere, &["log", "import", &spoilt, "--log", url])).0, 1);
    is_refused(&elsewhere, url);
    let (code, said, error) = run(reprise(&elsewhere, &["log", "import", &good, "--log", url]));
    assert_eq!(code, 0, "{said}{error}");
    let key = here.join("server.key");
    let server =
        Server::start_in(&elsewhere, &["--identity", "open", "--log", url, "--key-file", key.to_str().unwrap()]);
    assert!(server.output().contains("its head is position 10000"), "{}", server.output());
}

#[test]
fn half_an_import_into_postgres_is_no_log_and_is_finished_by_the_next() {
    let Some(server) = private_postgres::shared() else { return };
    import_that_fails_first(&server.database());
}

#[cfg(feature = "kurrentdb")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_an_import_into_kurrentdb_is_no_log_and_is_finished_by_the_next() {
    let database = kurrent_stand_in::StandIn::start().await;
    let url = database.url();
    tokio::task::spawn_blocking(move || import_that_fails_first(&url)).await.unwrap();
}

#[test]
fn half_a_copy_in_a_folder_is_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = [folder.path().join("here"), folder.path().join("there")];
    assert_eq!(run(reprise(&here, &["bench", "make-log", "--events", "60000", "--ends-now"])).0, 0);
    let [from, to] = [&here, &there].map(|place| format!("sqlite:{}", place.display()));
    let copy = ["log", "copy", "--from", &from, "--to", &to];
    let mut killed = reprise(folder.path(), &copy).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while there.join("log.db-wal").metadata().map_or(0, |wal| wal.len()) < 1_000_000 {
        assert!(killed.try_wait().unwrap().is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    is_refused(&there, "sqlite");
    assert_eq!(run(reprise(folder.path(), &copy)).0, 0);
    std::fs::copy(here.join("server.key"), there.join("server.key")).unwrap();
    Server::start_in(&there, &["--identity", "open"]);
}
