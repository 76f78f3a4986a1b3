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
