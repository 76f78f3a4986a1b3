//! An opening with a beacon on three nodes, one of which is killed when it opens: it is closed once and drawn once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::cluster::Cluster;
use super::shopper::Shopper;
use crate::server::{reprise, run};

/// How many take part.
const ENTRANTS: u64 = 30;
/// From now to the opening, in milliseconds: a minute is the least.
const NOTICE: i64 = 61_500;

#[tokio::test(flavor = "multi_thread")]
async fn at_the_opening_time_three_nodes_close_once_and_draw_once_though_one_of_them_is_killed_then() {
    let Some(server) = private_postgres::shared() else { return };
    let database = server.database();
    let cluster = Cluster::start(&database, 3);
    let folders: Vec<_> = cluster.folders().collect();
    // Each is asked of another node.
    let opening = |node: usize, arguments: &[&str]| {
        let more = ["--reason", "spring", "--log", &database];
        run(reprise(&folders[node], &[&["opening"], arguments, &more].concat()))
    };
    let beacon = |node: usize, digit: &str| opening(node, &["beacon", &digit.repeat(64)]);
    let at = |milliseconds: i64| (Timestamp::now() + SignedDuration::from_millis(milliseconds)).to_string();
    let (prequeue_from, opens_at, beacon_at) = (at(1_000), at(NOTICE), at(NOTICE + 3_000));
    let times = ["announce", "--prequeue-from", &prequeue_from, "--opens-at", &opens_at];
    let (code, _, error) = opening(1, &[&times[..], &["--beacon-source", "drand", "--beacon-at", &beacon_at]].concat());
    assert_eq!(code, 0, "{error}");

    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let shoppers: Vec<Shopper> = (1..=ENTRANTS).map(|user| Shopper::new(user, cluster.nodes())).collect();
    for shopper in &shoppers {
        shopper.join().await;
    }
    let (code, _, error) = beacon(2, "a");
    assert!(code == 1 && error.contains("The beacon appears at"), "{error}");
    let until = |moment: &str| {
        let left = moment.parse::<Timestamp>().unwrap().duration_since(Timestamp::now());
        tokio::time::sleep(left.try_into().unwrap_or_default())
    };
    until(&opens_at).await;
    cluster.kill(0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    cluster.restart(0);

    let name = database.rsplit('/').next().unwrap();
    let count = |event: &str| server.sql(name, &format!("SELECT count(*) FROM log WHERE type = '{event}'"));
    assert_eq!(
        (count("EntryClosed"), count("QueueDrawn"), count("TokenAdmitted")),
        ("1".into(), "0".into(), "0".into())
    );
    until(&beacon_at).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for node in [0, 1] {
        let (code, said, error) = beacon(node, "a");
        assert!(code == 0 && said.contains("the beacon is in the log"), "{error}");
    }
    let (code, _, error) = beacon(2, "b");
    assert!(code == 1 && error.contains("it is another value"), "{error}");
    while count("TokenAdmitted") != ENTRANTS.to_string() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let counts = ["EntryClosed", "BeaconReceived", "QueueDrawn"].map(count);
    assert_eq!(counts, ["1", "1", "1"]);
    for tool in [&["draw", "verify"][..], &["draw", "verify", "--token-id", "7"]] {
        let (code, said, error) = run(reprise(&folders[0], &[tool, &["--log", &database]].concat()));
        assert_eq!(code, 0, "{said}{error}");
    }
    cluster.audit();
}
