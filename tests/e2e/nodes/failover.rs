//! PostgreSQL dies under load, comes back, and is replaced by its standby.

use std::time::Duration;

use private_postgres::Postgres;

use super::cluster::Cluster;
use super::shopper::Shopper;

/// How often the server is killed, unless `REPRISE_TEST_KILLS` says otherwise; measured once with 10.
const KILLS: u32 = 3;

/// A list of two hosts, as it stands in `--log`.
fn both(one: &Postgres, other: &Postgres, database: &str) -> String {
    one.url(database).replace(&one.address(), &format!("{},{}", one.address(), other.address()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_under_load_loses_nothing_and_every_node_is_back_by_itself() {
    let Some(mut server) = Postgres::start() else { return };
    let cluster = Cluster::start(&server.database(), 3);
    let (load, stop) = cluster.load(24);
    let kills = std::env::var("REPRISE_TEST_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    for round in 0..kills {
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.kill();
        server.go();
        let back = std::time::Instant::now();
        for number in 0..3 {
            let shopper = Shopper::new(1_000 + u64::from(round), cluster.nodes()).only_on([number]);
            shopper.join().await;
            shopper.charge(5).await;
        }
        eprintln!("every node takes commands {} ms after the database does", back.elapsed().as_millis());
    }
    stop.send_replace(true);
    assert!(load.settle().await > 500, "the load was no load");
    cluster.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_after_a_synchronous_standby_was_promoted() {
    let Some(primary) = Postgres::start() else { return };
    primary.sql("postgres", "CREATE DATABASE sales");
    let standby = primary.standby();
    primary.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    primary.sql("postgres", "SELECT pg_reload_conf()");
    let cluster = Cluster::start(&both(&primary, &standby, "sales"), 3);
    let (load, stop) = cluster.load(24);
    tokio::time::sleep(Duration::from_secs(2)).await;
    drop(primary);
    standby.promote();
    let back = std::time::Instant::now();
    for number in 0..3 {
        let shopper = Shopper::new(1_000, cluster.nodes()).only_on([number]);
        shopper.join().await;
        shopper.charge(5).await;
    }
    eprintln!("every node takes commands {} ms after the promotion", back.elapsed().as_millis());
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.send_replace(true);
    assert!(load.settle().await > 200, "the load was no load");
    cluster.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_lagged_is_not_served_by_any_node_that_was_ahead_of_it() {
    let Some(primary) = Postgres::start() else { return };
    primary.sql("postgres", "CREATE DATABASE sales");
    let mut standby = primary.standby();
    let cluster = Cluster::start(&both(&primary, &standby, "sales"), 3);
    let shopper = Shopper::new(1, cluster.nodes());
    shopper.join().await;
    let replayed = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    while primary.sql("sales", replayed) != "1" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    standby.kill();
    // The standby misses these, and every node has seen them.
    for amount in 1..=3 {
        shopper.charge(amount).await;
    }
    let last = primary.sql("sales", "SELECT max(position) FROM log");
    for number in 0..3 {
        Shopper::new(1, cluster.nodes()).only_on([number]).join().await;
    }
    drop(primary);
    standby.go();
    standby.promote();
    for number in 0..3 {
        let said = cluster.stopped(number).await;
        assert!(said.contains("the log was rewound"), "{said}");
        assert!(said.contains(&format!("has served position {last}")), "{last} is named: {said}");
    }
    let head = standby.sql("sales", "SELECT max(position) FROM log");
    assert!(head.parse::<u64>().unwrap() < last.parse().unwrap(), "nothing was forked");
}
