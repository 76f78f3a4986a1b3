//! A log in KurrentDB, under the whole program: on a stand-in, which can be lost and told to refuse.

use std::time::{Duration, Instant};

use kurrent_stand_in::{StandIn, Wire};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Answer, Server, TOKEN_1, reprise, run};

mod official_client;

const SERVE: [&str; 4] = ["serve", "--demo", "--listen", "127.0.0.1:0"];
const CHARGE: &str = "/api/users/1/points/charge";

/// How long anything may take to happen.
const SOON: Duration = Duration::from_secs(30);

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
            run(reprise(folder.path(), &[&SERVE[..], &["--wait-for-log", "0", "--log", &url]].concat()));
        assert_ne!(code, 0);
        let told: Vec<_> = error.lines().filter(|line| line.contains(why)).collect();
        assert_eq!(told.len(), 1, "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_before_the_database_waits_for_it() {
    let mut database = StandIn::start().await;
    let url = database.url();
    database.stop(0).await;
    let starting = tokio::task::spawn_blocking(move || Server::start(&["--demo", "--log", &url]));
    tokio::time::sleep(Duration::from_secs(1)).await;
    database.restart(0).await.unwrap();
    let server = starting.await.unwrap();
    assert!(server.output().contains("waiting for the log"), "{}", server.output());
    assert_eq!(charge(&server, 500).await.ok()["currentBalance"], 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_records_before_an_event_of_somebody_else_can_be_got_out() {
    let (database, elsewhere) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let url = database.url();
    let mut server = Server::start(&["--demo", "--log", &url]);
    let charged = charge(&server, 500).await;
    assert!(server.terminate().success());
    let last = database.length("reprise");
    assert!(last as u64 >= charged.header("log-position").parse().unwrap());
    database.write("reprise", "OrderPlaced", "{}");
    let tool = |arguments: &[&str]| run(reprise(server.folder(), arguments));
    let way_out = format!("`reprise log export FILE --until {last}`");
    let path = |name: &str| elsewhere.path().join(name).display().to_string();
    let (file, copy) = (path("log.jsonl"), format!("sqlite:{}", path("copy")));
    for refused in [
        [&SERVE[..], &["--log", &url]].concat(),
        vec!["log", "verify", "--log", &url],
        vec!["log", "export", &file, "--log", &url],
        vec!["log", "copy", "--from", &url, "--to", &copy],
    ] {
        let (code, output, error) = tool(&refused);
        assert!(code != 0 && (output.clone() + &error).contains(&way_out), "{refused:?}: {output}{error}");
    }
    let until = last.to_string();
    let (code, output, error) = tool(&["log", "export", &file, "--until", &until, "--log", &url]);
    assert_eq!(code, 0, "{output}{error}");
    let (code, output, error) = tool(&["log", "copy", "--from", &url, "--to", &copy, "--until", &until]);
    assert_eq!(code, 0, "{output}{error}");
    for (data, key) in [("copy", true), ("imported", false)] {
        let data = elsewhere.path().join(data);
        if !key {
            let (code, output, error) = run(reprise(&data, &["log", "import", &file]));
            assert_eq!(code, 0, "{output}{error}");
        }
        std::fs::copy(server.folder().join("server.key"), data.join("server.key")).unwrap();
        let back = Server::start_in(&data, &["--demo"]);
        assert_eq!(balance(&back, &charged).await, 500);
    }
    let past = (last + 2).to_string();
    let (code, _, error) = tool(&["log", "copy", "--from", &url, "--to", &format!("{copy}2"), "--until", &past]);
    assert_ne!(code, 0, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_to_be_forgotten_is_named_while_the_node_runs() {
    let database = StandIn::start().await;
    let server = Server::start(&["--demo", "--log", &database.url()]);
    charge(&server, 500).await.ok();
    let readiness = async || {
        let told = server.request(Method::GET, "/readyz", "").send().await.unwrap();
        (told.status().as_u16(), told.text().await.unwrap())
    };
    database.write("$$reprise", "$metadata", r#"{"$maxCount":20}"#);
    let deadline = Instant::now() + SOON;
    while !server.output().contains("$maxCount") || readiness().await.0 != 503 {
        assert!(Instant::now() < deadline, "{:?}", readiness().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(readiness().await.0, 503);
    assert_eq!(charge(&server, 1).await.problem(), (503, "log-unavailable"));
    database.write("$$reprise", "$metadata", "{}");
    while readiness().await.0 != 200 {
        assert!(Instant::now() < deadline, "{:?}", readiness().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(charge(&server, 1).await.ok()["currentBalance"], 501);
}

/// While one waits for what became of its command, all others are told at once, however long the database says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_frozen_holds_up_those_only_who_were_under_way() {
    let database = StandIn::start().await;
    let wire = Wire::to(database.address(0)).await;
    let server = Server::start(&["--demo", "--log", &format!("kurrentdb://{}?tls=false", wire.address())]);
    charge(&server, 500).await.ok();
    wire.silence(true);
    charge(&server, 1).await.problem();
    for _ in 0..20 {
        let asked = Instant::now();
        assert_eq!(charge(&server, 1).await.problem(), (503, "log-unavailable"));
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    wire.silence(false);
    let deadline = Instant::now() + SOON;
    while charge(&server, 0).await.status == StatusCode::SERVICE_UNAVAILABLE {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn a_backup_is_refused_with_what_there_is_instead() {
    let folder = tempfile::tempdir().unwrap();
    for (url, instead) in [("kurrentdb://db", "KurrentDB is backed up by"), ("postgres://db/sales", "`pg_basebackup`")]
    {
        let (code, _, error) = run(reprise(folder.path(), &["backup", "nowhere", "--log", url]));
        assert!(code == 1 && error.contains(instead) && error.contains("`reprise log export`"), "{error}");
    }
}
