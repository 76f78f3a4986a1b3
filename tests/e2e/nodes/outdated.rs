//! Nodes that are upgraded one after the other: a later program writes an event that this one does not know. What the later program
//! would write is put into the log by hand, in its turn and with its hash.

use std::time::Duration;

use serde_json::json;

use super::cluster::Cluster;
use super::shopper::Shopper;
use crate::server::{Answer, reprise, run};

/// The turn of the nodes, then one more record: of an event of a later program, chained to the last one.
const LATER_EVENT: &str = "
    SELECT pg_advisory_xact_lock(8243118329669313839);
    INSERT INTO log (position, recorded_at, type, type_version, data, metadata, hash)
    SELECT position + 1, recorded_at, later.type, 1, later.data, later.metadata,
           sha256(convert_to('reprise/1', 'UTF8') || hash || int8send(position + 1) || int8send(recorded_at)
               || int8send(length(later.type)) || convert_to(later.type, 'UTF8') || int8send(1)
               || sha256(convert_to(later.data, 'UTF8')) || sha256(convert_to(later.metadata, 'UTF8')))
    FROM (SELECT * FROM log ORDER BY position DESC LIMIT 1) AS last,
         LATERAL (SELECT 'SeatsSwapped' AS type, '{}' AS data,
                         jsonb_set(last.metadata::jsonb, '{program}', '\"99.1.0\"')::text AS metadata) AS later";
const CHARGERS: u64 = 8;

/// Charges one point again and again, until it is refused: how often it was answered, and the refusal.
async fn charge_until_refused(base: String, user: u64) -> (u64, Answer) {
    let client = reqwest::Client::new();
    let joined = Answer::of(client.post(format!("{base}/api/tokens")).json(&json!({ "userId": user }))).await;
    let token = joined.ok()["token"].as_str().unwrap().to_owned();
    let charge = format!("{base}/api/users/{user}/points/charge");
    for answered in 0.. {
        let answer =
            Answer::of(client.post(&charge).header("Authorization", &token).json(&json!({ "amount": 1 }))).await;
        if answer.status != 200 {
            return (answered, answer);
        }
    }
    unreachable!("it is refused before long");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_first_event_that_they_do_not_know_nodes_take_no_more_commands_and_go_on_answering_queries() {
    let Some(server) = private_postgres::shared() else { return };
    let database = server.database();
    let name = database.rsplit('/').next().unwrap();
    let cluster = Cluster::start(&database, 2);
    let shopper = Shopper::new(99, cluster.nodes());
    shopper.join().await;
    shopper.charge(500).await;
    let base = |number: usize| cluster.nodes()[number].read().unwrap().clone();
    let charging: Vec<_> =
        (1..=CHARGERS).map(|user| tokio::spawn(charge_until_refused(base(user as usize % 2), user))).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.sql(name, LATER_EVENT);

    let mut answered = 1;
    for charging in charging {
        let (count, refusal) = charging.await.unwrap();
        assert_eq!(refusal.problem(), (503, "log-unavailable"));
        assert!(count > 0, "they were selling until then");
        answered += count;
    }
    let last: u64 = server.sql(name, "SELECT max(position) FROM log WHERE type = 'SeatsSwapped'").parse().unwrap();
    for number in [0, 1] {
        let url = |path: &str| format!("{}{path}", base(number));
        let get = async |path: &str| Answer::of(reqwest::Client::new().get(url(path))).await;
        let not_ready = get("/readyz").await;
        assert_eq!(not_ready.problem(), (503, "log-unavailable"));
        let detail = not_ready.body["detail"].as_str().unwrap().to_owned();
        for word in [&last.to_string(), "SeatsSwapped", "99.1.0", env!("CARGO_PKG_VERSION")] {
            assert!(detail.contains(word), "{word}: {detail}");
        }
        assert!(cluster.output_of(number).contains(&detail), "its line says so, too");
        get("/healthz").await.ok();
        let queue = get("/api/queue").await;
        assert_eq!((queue.status.as_u16(), queue.header("log-position")), (200, &*(last - 1).to_string()));
        let behind = get(&format!("/api/queue?minPosition={last}")).await;
        assert_eq!(behind.problem(), (503, "read-model-behind"));
    }
    assert_eq!(shopper.balance(&(last - 1).to_string()).await, 500);

    // Nothing is lost, and nothing was added.
    assert_eq!(server.sql(name, "SELECT max(position) FROM log"), last.to_string());
    let charges = server.sql(name, "SELECT count(*) FROM log WHERE type = 'PointsCharged'");
    assert_eq!(charges, answered.to_string());
    let folder = tempfile::tempdir().unwrap();
    let (code, said, error) = run(reprise(folder.path(), &["log", "verify", "--log", &database]));
    assert!(code == 1 && format!("{said}{error}").contains("SeatsSwapped"), "{said}{error}");
    // Each ends in good order when it is taken away.
    for number in [0, 1] {
        assert!(cluster.terminate(number).success());
    }
}
