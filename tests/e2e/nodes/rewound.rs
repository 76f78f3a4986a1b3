//! A log that is not what it was, under nodes that nobody asks: each of them stops, and names the position.

use super::cluster::Cluster;
use super::shopper::Shopper;

/// Nodes that have all served the log's last position.
async fn idle(log: &str) -> Cluster {
    let cluster = Cluster::start(log, 2);
    let shopper = Shopper::new(1, cluster.nodes());
    shopper.join().await;
    // Each charge is seen at the node that was not asked for it.
    shopper.charge(10).await;
    shopper.charge(20).await;
    cluster
}

async fn each_stops_at(cluster: Cluster, last: &str) {
    for number in cluster.folders().enumerate().map(|(number, _)| number) {
        let said = cluster.stopped(number).await;
        assert!(said.contains("the log was rewound"), "{said}");
        assert!(said.contains(&format!("has served position {last}")), "{last} is named: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_nobody_asks_notice_what_became_of_their_log_in_postgres() {
    let Some(server) = private_postgres::shared() else { return };
    for harm in [
        "DELETE FROM log WHERE position = (SELECT max(position) FROM log)",
        "TRUNCATE log",
        // Another history of the same length: nothing but its last hash tells.
        "UPDATE log SET hash = sha256(hash) WHERE position = (SELECT max(position) FROM log)",
    ] {
        let database = server.database();
        let name = database.rsplit('/').next().unwrap();
        let cluster = idle(&database).await;
        let last = server.sql(name, "SELECT max(position) FROM log");
        server.sql(name, harm);
        each_stops_at(cluster, &last).await;
    }
}

#[cfg(feature = "kurrentdb")]
mod in_kurrentdb {
    use kurrent_stand_in::StandIn;

    use super::*;

    /// The stream that holds a log, unless its URL says otherwise.
    const STREAM: &str = "reprise";

    #[tokio::test(flavor = "multi_thread")]
    async fn nodes_that_nobody_asks_notice_what_became_of_their_stream() {
        let fewer = |database: &StandIn, last: u64| database.rewind(STREAM, last - 1);
        let none = |database: &StandIn, _| database.rewind(STREAM, 0);
        let deleted = |database: &StandIn, _| database.delete(STREAM);
        for harm in [fewer as fn(&StandIn, u64), none, deleted] {
            let database = StandIn::start().await;
            let cluster = idle(&database.url()).await;
            let last = database.length(STREAM) as u64;
            harm(&database, last);
            each_stops_at(cluster, &last.to_string()).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nodes_that_nobody_asks_notice_that_an_older_backup_was_restored() {
        let mut database = StandIn::start().await;
        let cluster = idle(&database.url()).await;
        let last = database.length(STREAM) as u64;
        database.stop(0).await;
        database.rewind(STREAM, last - 1);
        database.restart(0).await.unwrap();
        each_stops_at(cluster, &last.to_string()).await;
    }
}
