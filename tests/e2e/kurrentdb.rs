//! A log in KurrentDB, under the whole program: on a stand-in, which can be lost and told to refuse.

use kurrent_stand_in::StandIn;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Answer, Server, TOKEN_1, reprise, run};

const CHARGE: &str = "/api/users/1/points/charge";

/// Two servers on one log, with one key.
struct Pair {
    one: Server,
    two: Server,
}

impl Pair {
    fn start(url: &str) -> Self {
        let one = Server::start(&["--demo", "--log", url]);
        let key = one.folder().join("server.key");
        let two = Server::start(&["--demo", "--log", url, "--key-file", key.to_str().unwrap()]);
        Self { one, two }
    }
}

async fn charge(server: &Server, amount: u64) -> Answer {
    server.post(CHARGE, TOKEN_1, json!({ "amount": amount })).await
}

async fn balance(server: &Server, of: &Answer) -> Value {
    let path = format!("/api/users/1/points/balance?minPosition={}", of.header("log-position"));
    server.get(&path, TOKEN_1).await.ok()["balance"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_sell_from_one_log_and_a_lost_database_is_found_again() {
    let mut database = StandIn::start().await;
    let url = database.url();
    let mut pair = Pair::start(&url);
    let first = charge(&pair.one, 500).await;
    assert_eq!(first.ok()["currentBalance"], 500);
    assert_eq!(balance(&pair.two, &first).await, 500);
    let second = charge(&pair.two, 70).await;
    assert_eq!(balance(&pair.one, &second).await, 570);

    database.stop(0).await;
    let mut unknown = 0;
    while charge(&pair.one, 1).await.problem() != (503, "log-unavailable") {
        unknown += 1;
    }
    assert_eq!(balance(&pair.one, &second).await, 570, "queries go on");
    database.restart(0).await.unwrap();
    let third = loop {
        let request = pair.one.request(Method::POST, CHARGE, TOKEN_1).header("Idempotency-Key", "third");
        let answer = Answer::of(request.json(&json!({ "amount": 9 }))).await;
        if answer.status == StatusCode::OK {
            break answer;
        }
    };
    // What was refused never happened; what was not known may have.
    let balance_after = third.ok()["currentBalance"].as_u64().unwrap();
    assert!((579..=579 + unknown).contains(&balance_after), "{balance_after}");

    pair.one.kill();
    let back = Server::start_in(pair.one.folder(), &["--demo", "--log", &url]);
    assert_eq!(balance(&back, &third).await, balance_after);
    let (code, output, error) = run(reprise(back.folder(), &["log", "verify", "--log", &url]));
    assert_eq!(code, 0, "{output}{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_served_is_one_sentence_without_a_password() {
    let database = StandIn::start().await;
    database.demand("ann", "another");
    let address = database.address(0);
    let gone = StandIn::start().await.address(0);
    for (url, why) in [
        (format!("kurrentdb://ann:s3cret@{address}?tls=false"), "does not accept these credentials"),
        (format!("kurrentdb://ann:s3cret@{gone}?tls=false"), "KurrentDB cannot be reached"),
        (format!("kurrentdb://ann:s3cret@{address}?tls=perhaps"), "the log's URL cannot be used"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, _, error) =
            run(reprise(folder.path(), &["serve", "--demo", "--listen", "127.0.0.1:0", "--log", &url]));
        assert_ne!(code, 0);
        let told: Vec<_> = error.lines().filter(|line| line.contains(why)).collect();
        assert_eq!(told.len(), 1, "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
