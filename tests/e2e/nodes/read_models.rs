//! Read models in PostgreSQL, of several nodes, under the whole program: one node writes them, each serves them, and the tools
//! look at them and build them anew beside.

use serde_json::Value;

use super::cluster::Cluster;
use super::shopper::Shopper;
use crate::server::{reprise, run};

/// Nodes on a log and read models, and whoever runs the tools on them.
struct House {
    cluster: Cluster,
    log: String,
    read_models: String,
}

impl House {
    fn open(log: String, read_models: String) -> Self {
        let cluster = Cluster::start_with(&log, 2, &["--read-models", &read_models]);
        Self { cluster, log, read_models }
    }

    fn projections(&self, folder: &std::path::Path, tool: &[&str]) -> Value {
        let addresses = ["--log", &self.log, "--read-models", &self.read_models, "--json"];
        let (code, said, error) = run(reprise(folder, &[&["projections"], tool, &addresses].concat()));
        assert_eq!(code, 0, "{tool:?}: {said}{error}");
        serde_json::from_str(&said).unwrap()
    }

    /// Every table is there, and says what the log says.
    fn verify(&self, folder: &std::path::Path) {
        let verified = self.projections(folder, &["verify"]);
        assert_eq!(verified["ok"], true, "{verified}");
        assert!(verified["projections"].as_array().unwrap().len() >= 4, "{verified}");
        let standing = self.projections(folder, &["status"]);
        for model in standing.as_array().unwrap() {
            assert!(["current", "behind"].contains(&model["state"].as_str().unwrap()), "{standing}");
        }
    }
}

async fn sell_beside(house: House) {
    let shopper = Shopper::new(7, house.cluster.nodes());
    shopper.join().await;
    let mut balances = Vec::new();
    let charge = async |amount: u64, balances: &mut Vec<u64>| {
        shopper.charge(amount).await;
        balances.insert(0, balances.first().unwrap_or(&0) + amount);
    };
    for amount in 1..=20 {
        charge(amount, &mut balances).await;
        // Each request goes to another node than the one before.
        assert_eq!(shopper.history().await, balances);
    }
    let folders: Vec<_> = house.cluster.folders().collect();
    house.verify(&folders[0]);
    let operator = tempfile::tempdir().unwrap();
    for (folder, by) in [(folders[1].as_path(), "server"), (operator.path(), "command")] {
        let rebuilt = house.projections(folder, &["rebuild", "all"]);
        assert_eq!(rebuilt["by"], by, "{rebuilt}");
        charge(100, &mut balances).await;
        assert_eq!(shopper.history().await, balances);
        house.verify(folder);
    }
    // Whichever of the two it is that writes: the other one goes on.
    for number in [0, 1] {
        house.cluster.kill(number);
        let shopper = Shopper::new(8 + number as u64, house.cluster.nodes()).only_on([1 - number]);
        shopper.join().await;
        shopper.charge(5).await;
        assert_eq!(shopper.history().await, [5]);
        house.cluster.restart(number);
    }
    assert_eq!(shopper.history().await, balances);
    house.verify(&folders[0]);
    house.cluster.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_lie_beside_the_log() {
    let Some(server) = private_postgres::shared() else { return };
    let database = server.database();
    sell_beside(House::open(database.clone(), database)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_lie_in_a_database_of_their_own() {
    let Some(server) = private_postgres::shared() else { return };
    sell_beside(House::open(server.database(), server.database())).await;
}
