//! Several nodes that sell from one log in PostgreSQL or KurrentDB: killed, frozen, and left without their database.

mod as_set_up;
pub mod cluster;
mod copy;
mod failover;
#[cfg(feature = "kurrentdb")]
mod on_kurrentdb;
mod opening;
mod outdated;
mod read_models;
mod rewound;
mod sale;
pub mod shopper;

use std::time::Duration;

use serde_json::json;

use self::cluster::Cluster;
use self::shopper::Shopper;
use crate::server::{reprise, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_key_is_refused_and_one_key_is_made_for_all() {
    let Some(database) = private_postgres::shared().map(|server| server.database()) else { return };
    let cluster = Cluster::start(&database, 3);
    let [folder, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let keyless = [&["serve", "--demo"][..], &["--listen", "127.0.0.1:0", "--log", &database]].concat();
    let (code, _, error) = run(reprise(folder.path(), &keyless));
    assert_eq!(code, 78);
    assert!(error.contains("server.key") && error.contains("cannot be served without the key"), "{error}");
    let another = other.path().join("key");
    std::fs::write(&another, format!("{}\n", "ab".repeat(32))).unwrap();
    let wrong = [&keyless[..], &["--key-file", another.to_str().unwrap()]].concat();
    let (code, _, error) = run(reprise(folder.path(), &wrong));
    assert_eq!(code, 78);
    assert!(error.contains("this key is not the one that the log was made with"), "{error}");
    // The password is in no message, and none of the nodes has a key of its own.
    let password = database.split(['@', ':']).nth(2).unwrap();
    assert!(!error.contains(password) && !cluster.output().contains(password));
    assert!(cluster.folders().all(|folder| !folder.join("server.key").exists()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_frozen_in_its_turn_holds_the_others_up_no_longer_than_its_turn_lasts() {
    let Some(server) = private_postgres::shared() else { return };
    let database = server.database();
    let cluster = Cluster::start(&database, 3);
    let (load, stop) = cluster.load(24);
    let turn = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted \
                AND state = 'idle in transaction' AND datname = current_database()";
    let name = database.rsplit('/').next().unwrap();
    // Frozen and let go, until it is frozen with the turn in its hands.
    loop {
        cluster.signal(0, "STOP");
        tokio::time::sleep(Duration::from_millis(150)).await;
        if server.sql(name, turn) == "1" {
            break;
        }
        cluster.signal(0, "CONT");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // However long it stays frozen, the others go on.
    for round in 0..2 {
        let shopper = Shopper::new(900 + round, cluster.nodes()).only_on([1, 2]);
        shopper.join().await;
        shopper.charge(700).await;
    }
    cluster.signal(0, "CONT");
    stop.send_replace(true);
    load.settle().await;
    cluster.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reading_tool_reads_a_log_in_postgres_and_a_backup_names_other_tools() {
    let Some(database) = private_postgres::shared().map(|server| server.database()) else { return };
    let cluster = Cluster::start(&database, 3);
    let shopper = Shopper::new(42, cluster.nodes());
    shopper.join().await;
    shopper.charge(500).await;
    for (number, folder) in cluster.folders().enumerate() {
        for tool in [
            &["log", "verify"][..],
            &["log", "stat"],
            &["log", "tail", "--lines", "2"],
            &["audit", "all"],
            &["audit", "points", "--user", "42"],
            &["show", "wallet", "--user", "42"],
            &["show", "sales"],
        ] {
            let (code, output, error) = run(reprise(&folder, &[tool, &["--log", &database, "--json"]].concat()));
            assert_eq!(code, 0, "{tool:?} on node {number}: {output}{error}");
            let said: serde_json::Value = serde_json::from_str(&output).unwrap();
            if tool == ["show", "wallet", "--user", "42"] {
                assert_eq!(said["balance"], json!(500));
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (code, _, error) = run(reprise(folder.path(), &["backup", "./elsewhere", "--log", &database]));
    assert_eq!(code, 1);
    assert!(error.contains("pg_basebackup") && error.contains("pg_dump"), "{error}");
    // Carried away and brought back, it has the same head.
    let exported = folder.path().join("log.jsonl");
    let exported = exported.to_str().unwrap();
    drop(cluster);
    assert_eq!(run(reprise(folder.path(), &["log", "export", exported, "--log", &database])).0, 0);
    let other = private_postgres::shared().unwrap().database();
    let stat = |log: &str| run(reprise(folder.path(), &["log", "stat", "--json", "--log", log])).1;
    assert_eq!(run(reprise(folder.path(), &["log", "import", exported, "--log", &other])).0, 0);
    assert_eq!(stat(&database), stat(&other));
    let (code, _, error) = run(reprise(folder.path(), &["log", "import", exported, "--log", &other]));
    assert!(code == 1 && error.contains("there is a log already"), "{error}");
}
