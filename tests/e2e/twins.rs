//! What operators do by their routes, they do by commands, too: each command beside a server and without one, on SQLite and on the
//! PostgreSQL of two nodes, where any node's folder will do.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use serde_json::{Value, json};

use crate::nodes::cluster::Cluster;
use crate::nodes::shopper::Shopper;
use crate::server::{Answer, Server, reprise, run};

/// User 7 paid for seat 1 of schedule 1, in reservation 1.
const BUYER: u64 = 7;
const PRICE: u64 = 100;
const BEACON: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Every command, in an order in which each can be done: its exit code, and a part of what it says.
fn commands(file: &str) -> Vec<(Vec<&str>, i32, &'static str)> {
    let reason = ["--reason", "a word"];
    let with_reason = |command: &[&'static str]| [command, &reason].concat();
    let (opens, later) = ("2098-01-01T00:00:00Z", "2098-01-02T00:00:00Z");
    let (beacon, next_beacon) = ("2098-01-01T00:01:00Z", "2098-01-02T00:01:00Z");
    let announce = ["opening", "announce", "--prequeue-from", "2097-01-01T00:00:00Z", "--opens-at", opens];
    let announce = [&announce[..], &["--beacon-source", "a lottery", "--beacon-at", beacon]].concat();
    let put_off = ["opening", "move", "--opens-at", later, "--beacon-source", "the next", "--beacon-at", next_beacon];
    vec![
        (vec!["room", "set", "--capacity", "77", "--admissions-per-second", "5"], 0, "capacity: 77"),
        (with_reason(&["sale", "pause"]), 0, "the sale is paused: a word"),
        (with_reason(&["sale", "resume"]), 0, "the sale goes on"),
        (with_reason(&announce), 0, "opens at: 2098-01-01T00:00:00.000Z"),
        (with_reason(&announce), 1, "An opening is already announced"),
        (with_reason(&put_off), 0, "opens at: 2098-01-02T00:00:00.000Z"),
        (with_reason(&["opening", "beacon", BEACON]), 1, "The beacon appears at 2098-01-02T00:01:00.000Z"),
        (with_reason(&["opening", "withdraw"]), 0, "the opening is withdrawn"),
        (vec!["catalog", "import", "--dry-run", file], 0, "nothing"),
        (vec!["catalog", "import", file], 0, "nothing to import"),
        (with_reason(&["schedule", "window", "1", "--closes", "2099-01-01T00:00:00Z"]), 0, "2099-01-01T00:00:00.000Z"),
        (with_reason(&["schedule", "move", "1", "--starts", "2099-02-01T00:00:00Z"]), 0, "2099-02-01T00:00:00.000Z"),
        (with_reason(&["schedule", "price", "1", "--zone", "Z", "--price", "7"]), 0, "zone Z: 7 points"),
        (vec!["schedule", "show", "1"], 0, "zone Z: 7 points"),
        (vec!["users", "charge", "7", "--amount", "30"], 0, "the balance is 30 points"),
        (with_reason(&["users", "adjust", "7", "--amount", "-10"]), 0, "balance: 20 points"),
        (vec!["users", "show", "7"], 0, "reservation 1: PAID"),
        (vec!["users", "find", "--sub", "ann"], 1, "No user of this server has this"),
        (with_reason(&["reservation", "cancel", "1"]), 0, "REFUNDED, 100 points"),
        (with_reason(&["users", "expel", "8"]), 0, "token: EXPIRED"),
        (with_reason(&["schedule", "cancel", "1"]), 0, "called off at"),
        (with_reason(&["schedule", "cancel", "99"]), 1, "no schedule 99"),
        (vec!["projections", "rebuild", "sales"], 0, "rebuilt sales"),
        (vec!["projections", "repair", "balances", "--user", "7"], 0, "rows of user 7 were corrected"),
    ]
}

/// Does all of them, each by `by`, which is told which one it is. Tells the last position that one of them said.
fn all_work(file: &Path, by: impl Fn(usize, &[&str]) -> (i32, String, String)) -> u64 {
    let mut last = 0;
    for (number, (command, code, part)) in commands(file.to_str().unwrap()).into_iter().enumerate() {
        let (ended, said, error) = by(number, &command);
        assert_eq!(ended, code, "{command:?}: {said}{error}");
        assert!(format!("{said}{error}").contains(part), "{command:?} does not say {part:?}: {said}{error}");
        let position = said.lines().find_map(|line| line.strip_prefix("position: "));
        last = position.map_or(last, |position| position.parse().unwrap());
    }
    last
}

fn catalogue(folder: &Path) -> PathBuf {
    let zones = json!([{ "zoneName": "Z", "price": PRICE, "seats": 10 }]);
    let schedules = json!([{ "startsAt": "2099-12-24T10:30:00Z", "zones": zones }]);
    let concert = json!({ "concertName": "A", "artist": "B", "venue": "C", "schedules": schedules });
    let file = folder.join("catalogue.json");
    std::fs::write(&file, json!({ "concerts": [concert] }).to_string()).unwrap();
    file
}

/// What the buyer asks: a charge, a hold, its payment.
fn purchase() -> [(&'static str, Value); 3] {
    let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": BUYER, "seatId": 1 });
    let pay = json!({ "reservationId": 1, "userId": BUYER, "paymentAmount": PRICE });
    let charge = ("/api/users/7/points/charge", json!({ "amount": PRICE }));
    [charge, ("/api/concerts/reservation", hold), ("/api/payments", pay)]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_of_operators_works_beside_a_server_and_without_one() {
    for is_served in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (data, file) = (folder.path().join("data"), catalogue(folder.path()));
        let by = |_: usize, command: &[&str]| run(reprise(&data, command));
        assert_eq!(by(0, &["catalog", "import", file.to_str().unwrap()]).0, 0);
        let mut server = Server::start_in(&data, &["--identity", "open"]);
        let (token, _) = (server.token(BUYER).await, server.token(8).await);
        for (path, body) in purchase() {
            server.post(path, &token, body).await.ok();
        }
        if !is_served {
            assert!(server.terminate().success());
        }
        all_work(&file, by);
        assert_eq!(by(0, &["audit", "all"]).0, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_of_operators_works_at_any_of_two_nodes_and_without_them() {
    let Some(postgres) = private_postgres::shared() else { return };
    for is_served in [true, false] {
        let database = postgres.database();
        let folder = tempfile::tempdir().unwrap();
        let file = catalogue(folder.path());
        let cluster = Cluster::start_with(&database, 2, &["--read-models", &database]);
        cluster.import(&std::fs::read_to_string(&file).unwrap());
        let [buyer, other] = [BUYER, 8].map(|user| Shopper::new(user, cluster.nodes()));
        buyer.join().await;
        other.join().await;
        for (path, body) in purchase() {
            buyer.command(reqwest::Method::POST, path, body).await.ok();
        }
        let folders: Vec<PathBuf> = cluster.folders().collect();
        let key = cluster.key();
        let place = ["--log", &database, "--key-file", key.to_str().unwrap(), "--read-models", &database];
        if !is_served {
            assert!([0, 1].map(|number| cluster.terminate(number)).iter().all(ExitStatus::success));
        }
        let last = all_work(&file, |number, command| {
            let takes_read_models = command[0] == "projections";
            let place = if takes_read_models { &place[..] } else { &place[..4] };
            run(reprise(&folders[number % 2], &[command, place].concat()))
        });
        if is_served {
            for node in cluster.nodes().iter() {
                let url = format!("{}/api/queue?minPosition={last}", node.read().unwrap());
                assert_eq!(
                    Answer::of(reqwest::Client::new().get(url)).await.ok()["capacity"],
                    77,
                    "it has heard of all"
                );
            }
            cluster.audit();
        }
        let actors =
            "SELECT DISTINCT metadata::jsonb ->> 'actor' FROM log WHERE type IN ('ScheduleMoved', 'PointsAdjusted')";
        assert!(postgres.sql(database.rsplit('/').next().unwrap(), actors).starts_with("local:"));
    }
}
