//! Three nodes on a cluster of KurrentDB whose leader moves, breaks off, answers late or not at all.

use std::time::Duration;

use kurrent_stand_in::{Fault, StandIn};

use super::cluster::Cluster;

/// The pause between two things that go wrong.
const PAUSE: Duration = Duration::from_millis(150);

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_from_node_to_node_is_known_everywhere_whatever_becomes_of_the_database() {
    let mut database = StandIn::cluster(3).await;
    let cluster = Cluster::start(&database.url(), 3);
    let (load, stop) = cluster.load(24);
    let late = Fault::LandsLate(Duration::from_millis(30));
    for round in 0..4 {
        tokio::time::sleep(PAUSE).await;
        for fault in [Fault::ReplyLost, late, Fault::NotReady, Fault::TimedOut, Fault::Conflict, Fault::Silent] {
            database.fail(fault);
            tokio::time::sleep(PAUSE).await;
        }
        let leader = round % 3;
        database.stop(leader).await;
        database.lead((leader + 1) % 3);
        tokio::time::sleep(PAUSE).await;
        database.restart(leader).await.unwrap();
        cluster.restart(round % 3);
        database.cut();
    }
    stop.send_replace(true);
    assert!(load.settle().await > 200, "the load was no load");
    cluster.audit();
}
