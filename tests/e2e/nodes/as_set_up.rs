//! PostgreSQL as others have set it up: not there yet, behind a pooler, with several logs in one database.

use private_postgres::{Pooler, Postgres};
use serde_json::Value;

use super::cluster::Cluster;
use super::shopper::Shopper;
use crate::server::{Server, reprise, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_start_before_the_database_waits_for_it() {
    let Some(mut server) = Postgres::start() else { return };
    let database = server.database();
    server.kill();
    let starting = tokio::task::spawn_blocking(move || Server::start(&["--demo", "--log", &database]));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    server.go();
    let node = starting.await.unwrap();
    assert!(node.output().contains("waiting for the log"), "{}", node.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_session_mode_is_no_hindrance() {
    let Some(server) = private_postgres::shared() else { return };
    let Some(pooler) = Pooler::before(server, "session") else { return };
    let database = server.database();
    let url = pooler.url(server, database.rsplit('/').next().unwrap());
    let cluster = Cluster::start(&url, 2);
    let shopper = Shopper::new(7, cluster.nodes());
    shopper.join().await;
    let mut balances = Vec::new();
    for amount in 1..=10 {
        shopper.charge(amount).await;
        balances.insert(0, balances.first().unwrap_or(&0) + amount);
        assert_eq!(shopper.history().await, balances);
    }
    cluster.audit();
}

#[test]
fn a_pooler_that_changes_sessions_is_refused_in_words() {
    let Some(server) = private_postgres::shared() else { return };
    for mode in ["transaction", "statement"] {
        let Some(pooler) = Pooler::before(server, mode) else { return };
        let database = server.database();
        let url = pooler.url(server, database.rsplit('/').next().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let (code, _, error) = run(reprise(
            folder.path(),
            &["serve", "--demo", "--wait-for-log", "0", "--listen", "127.0.0.1:0", "--log", &url],
        ));
        assert_ne!(code, 0);
        let is_told = error.contains("`pool_mode = session`") || (mode == "statement" && error.contains("transaction"));
        assert!(is_told, "{mode}: {error}");
    }
}

/// Two logs in two schemas of one database, each found by its `search_path`.
#[tokio::test(flavor = "multi_thread")]
async fn two_logs_in_one_database_leave_each_other_alone() {
    let Some(server) = private_postgres::shared() else { return };
    let database = server.database();
    let sales = ["opera", "circus"].map(|schema| {
        server.sql(database.rsplit('/').next().unwrap(), &format!("CREATE SCHEMA {schema}"));
        let url = format!("{database}?options=-csearch_path%3D{schema}");
        let cluster = Cluster::start(&url, 1);
        (url, cluster)
    });
    for round in 1..=5 {
        for (number, (_, cluster)) in (1..).zip(&sales) {
            let shopper = Shopper::new(round, cluster.nodes());
            shopper.join().await;
            shopper.charge(100 * number + round).await;
            assert_eq!(shopper.history().await, [100 * number + round]);
        }
    }
    for (url, cluster) in &sales {
        let folder = cluster.folders().next().unwrap();
        let (code, said, error) = run(reprise(&folder, &["projections", "verify", "--json", "--log", url]));
        assert_eq!(code, 0, "{said}{error}");
        let verified: Value = serde_json::from_str(&said).unwrap();
        assert!(verified["projections"].as_array().unwrap().iter().all(|one| one["position"].as_u64() > Some(5)));
        assert!(!cluster.output().contains("is built: it is of"), "{}", cluster.output());
        cluster.audit();
    }
}
