//! An opening from the command line, beside a server and without one.

use std::path::Path;

use serde_json::Value;

use crate::server::{Server, reprise, rows, run};

/// So many seconds from now.
fn time(seconds: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).to_string()
}

fn opening(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    run(reprise(folder, &[&["opening"], arguments, &["--reason", "spring & all"]].concat()))
}

fn refused(folder: &Path, arguments: &[&str], word: &str) {
    let (code, said, error) = opening(folder, arguments);
    let last = error.lines().last().unwrap_or_default();
    assert!(code == 1 && last.starts_with("reprise: ") && last.contains(word), "{arguments:?}: {said}{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_is_run_from_the_command_line_beside_a_server_and_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let announce = |prequeue: i64, opens: i64| {
        let times = (time(prequeue), time(opens));
        opening(folder, &["announce", "--prequeue-from", &times.0, "--opens-at", &times.1])
    };
    let (code, _, error) = announce(60, 120);
    assert!(code == 1 && error.contains("there is no log"), "{error}");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);

    let mut server = Server::start_in(folder, &["--identity", "open"]);
    refused(folder, &["withdraw"], "No opening is announced");
    let (code, said, error) = announce(600, 1_200);
    assert!(code == 0 && said.contains("commitment: ") && said.contains("position: 3"), "{said}{error}");
    let queue = server.get("/api/queue", "").await.ok().clone();
    assert!(said.contains(queue["opening"]["commitment"].as_str().unwrap()), "{said}{queue}");
    assert_eq!(announce(600, 1_200).0, 1, "there is one at a time");
    let (code, said, error) = opening(folder, &["move", "--opens-at", &time(1_800)]);
    let moved = server.get("/api/queue", "").await.ok()["opensAt"].clone();
    assert!(code == 0 && said.contains(moved.as_str().unwrap()), "{said}{error}");
    refused(
        folder,
        &["beacon", &"a".repeat(64)],
        "No opening is announced, or the opening does not wait for this request",
    );
    let (code, said, error) = opening(folder, &["withdraw"]);
    assert!(code == 0 && said.contains("withdrawn"), "{said}{error}");
    assert_eq!(server.get("/api/queue", "").await.ok()["opening"], Value::Null);
    assert!(server.terminate().success());

    let times = (time(30), time(70), time(90));
    refused(folder, &["announce", "--prequeue-from", &times.1, "--opens-at", &times.0], "prequeueFrom");
    let beacon = ["--beacon-source", "drand 4242", "--beacon-at", &times.2];
    let asked = [&["announce", "--prequeue-from", &times.0, "--opens-at", &times.1][..], &beacon].concat();
    let (code, said, error) = opening(folder, &asked);
    assert!(code == 0 && said.contains("beacon: drand 4242, at "), "{said}{error}");
    refused(folder, &["beacon", &"a".repeat(64)], "The beacon appears at ");
    refused(folder, &["beacon", "a"], "`value` must be 64 hexadecimal digits");
    assert!(!folder.join("operations.sock").exists(), "the socket is there while somebody serves");
    let reasons = "SELECT DISTINCT json_extract(data, '$.reason') FROM log WHERE type LIKE 'Opening%'";
    assert_eq!(rows(folder, reasons).await, ["spring & all"]);
}
