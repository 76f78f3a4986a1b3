//! The process among others: signals, limits, whoever reads its lines, and a log that is not there yet.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{Answer, Server, TOKEN_1, reprise, run};

/// A process that is killed when the test is over.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap().success());
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Asks until somebody answers.
async fn answered(url: &str) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match Answer::try_of(reqwest::Client::new().get(url)).await {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_no_order_to_stop_stops_nothing_and_is_told() {
    let mut server = Server::demo();
    for name in ["HUP", "USR1", "USR2"] {
        signal(server.pid(), name);
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.get("/readyz", "").await.ok();
        assert!(server.output().contains(&format!("SIG{name}")), "{}", server.output());
    }
    signal(server.pid(), "QUIT");
    let ended = loop {
        match server.has_ended() {
            Some(ended) => break ended,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(ended.success(), "it stops in good order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_interrupt_stops_at_once() {
    let mut server = Server::demo();
    let mut never_ends = TcpStream::connect(server.address()).unwrap();
    never_ends.write_all(b"GET /api/que").unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    signal(server.pid(), "INT");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(server.has_ended().is_none(), "it waits for who has begun to ask");
    let told = Instant::now();
    signal(server.pid(), "INT");
    let ended = loop {
        match server.has_ended() {
            Some(ended) => break ended,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
    assert_eq!(ended.code(), Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_read_the_lines_keeps_nobody_waiting() {
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let mut server = reprise(folder.path(), &["serve", "--demo", "--listen", &address]);
    let server = server.env("REPRISE_LOG_LEVEL", "debug").stderr(Stdio::piped()).spawn().unwrap();
    let mut server = Running(server);
    let url = format!("http://{address}/healthz");
    answered(&url).await.ok();
    let client = reqwest::Client::new();
    for _ in 0..3_000 {
        Answer::of(client.get(&url)).await.ok();
    }
    let metrics = client.get(format!("http://{address}/metrics")).send().await.unwrap().text().await.unwrap();
    let lost = metrics.lines().find_map(|line| line.strip_prefix("reprise_lines_lost_total ")).unwrap();
    assert!(lost.parse::<u64>().unwrap() > 0, "{lost}");
    signal(server.0.id(), "TERM");
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if let Some(ended) = server.0.try_wait().unwrap() {
            assert!(ended.success());
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_a_file_s_size_is_a_full_disk() {
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let program = env!("CARGO_BIN_EXE_reprise");
    let data = folder.path().to_str().unwrap();
    // In blocks of 512 bytes, or of 1,024: more than the WAL takes, so that it is the database that comes to its end.
    let script = format!("ulimit -f 10000; exec {program} serve --identity open --listen {address} --data {data}");
    let mut server = Command::new("sh");
    let server = server.args(["-c", &script]).stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut server = Running(server);
    let base = format!("http://{address}");
    while answered(&format!("{base}/readyz")).await.status != 200 {}
    let client = reqwest::Client::new();
    let joined = Answer::of(client.post(format!("{base}/api/tokens")).json(&json!({ "userId": 9 }))).await;
    let token = joined.ok()["token"].as_str().unwrap().to_owned();
    let charge = || client.post(format!("{base}/api/users/9/points/charge")).header("Authorization", &token);
    let charges = |_| async {
        for _ in 0..20_000 {
            let answer = Answer::of(charge().json(&json!({ "amount": 1 }))).await;
            if answer.status != 200 {
                assert_eq!(answer.problem(), (503, "log-unavailable"));
                return;
            }
        }
        panic!("the file has no limit");
    };
    futures_util::future::join_all((0..16).map(charges)).await;
    answered(&format!("{base}/api/queue")).await.ok();
    assert_eq!(answered(&format!("{base}/readyz")).await.status, 503);
    assert!(server.0.try_wait().unwrap().is_none(), "it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_files_may_be_open_keep_nobody_out() {
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let program = env!("CARGO_BIN_EXE_reprise");
    let data = folder.path().to_str().unwrap();
    let script = format!("ulimit -n 128; exec {program} serve --demo --listen {address} --data {data}");
    let mut server = Command::new("sh");
    let server = server.args(["-c", &script]).stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _server = Running(server);
    answered(&format!("http://{address}/healthz")).await.ok();
    let _idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let begun = Instant::now();
    let client = reqwest::Client::new();
    let charge = client.post(format!("http://{address}/api/users/1/points/charge"));
    Answer::of(charge.header("Authorization", TOKEN_1).json(&json!({ "amount": 1 }))).await.ok();
    answered(&format!("http://{address}/api/queue")).await.ok();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_there_yet_is_waited_for_and_readiness_says_so() {
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let nowhere = format!("postgres://{}/sales", free_address());
    let arguments = ["serve", "--identity", "open", "--listen", &address, "--log", &nowhere, "--wait-for-log", "4"];
    let begun = Instant::now();
    let mut server = Running(reprise(folder.path(), &arguments).stderr(Stdio::null()).spawn().unwrap());
    answered(&format!("http://{address}/healthz")).await.ok();
    for path in ["readyz", "api/queue"] {
        let waits = answered(&format!("http://{address}/{path}")).await;
        assert_eq!(waits.problem(), (503, "log-unavailable"));
    }
    assert_eq!(server.0.wait().unwrap().code(), Some(1));
    assert!(begun.elapsed() >= Duration::from_secs(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_comes_is_served() {
    let Some(mut database) = private_postgres::Postgres::start() else { return };
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let url = database.database();
    database.kill();
    let mut server = reprise(folder.path(), &["serve", "--identity", "open", "--listen", &address, "--log", &url]);
    let _server = Running(server.stderr(Stdio::null()).spawn().unwrap());
    assert_eq!(answered(&format!("http://{address}/readyz")).await.status, 503);
    database.go();
    let deadline = Instant::now() + Duration::from_secs(30);
    while answered(&format!("http://{address}/readyz")).await.status != 200 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn a_key_that_cannot_be_made_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let no_folder = folder.path().join("missing/server.key");
    let key = no_folder.to_str().unwrap();
    let arguments = ["serve", "--identity", "open", "--listen", "127.0.0.1:0", "--key-file", key];
    let (code, _, error) = run(reprise(&folder.path().join("data"), &arguments));
    let last = error.lines().last().unwrap();
    assert!(code == 1 && last.contains("could not be made") && last.contains(key), "{error}");
    assert!(!Path::new(key).exists());
}

#[tokio::test]
async fn who_is_refused_is_told_the_position_that_it_was_found_out_at() {
    let server = Server::demo();
    let (ann, bob) = (server.token(41).await, server.token(42).await);
    let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": 42, "seatId": 1 });
    let held = server.post("/api/concerts/reservation", &bob, hold).await;
    let theirs = format!("/api/reservations/{}", held.ok()["reservationId"]);
    for round in 0..20 {
        let charged = server.post("/api/users/41/points/charge", &ann, json!({ "amount": 1 })).await;
        let position = |answer: &Answer| answer.header("log-position").parse::<u64>().unwrap();
        let path = if round % 2 == 0 { "/api/reservations/999999" } else { &theirs };
        let refused = server.get(path, &ann).await;
        assert_eq!(refused.status, if round % 2 == 0 { 404 } else { 403 });
        assert!(position(&refused) >= position(&charged), "{} {}", position(&refused), position(&charged));
    }
}
