//! The read models in SQL, from outside: killed while they are filled or built anew, and made by a newer program.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Answer, Server, made, reprise, rows_in};
use crate::tools::{document, found, tamper_in};
use projections::sql::MODELS;

const FILE: &str = "read-models.db";
const OPEN: [&str; 2] = ["--identity", "open"];
const REBUILD: [&str; 3] = ["projections", "rebuild", "all"];
/// How long anything may take to happen.
const SOON: Duration = Duration::from_secs(60);

/// Builds all read models anew, from another process.
fn rebuild(folder: &Path) -> Child {
    reprise(folder, &REBUILD).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// What stands beside the live tables: tables and checkpoints of what is not finished.
async fn unfinished(folder: &Path) -> Vec<String> {
    let query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN (SELECT name FROM checkpoints) \
                 AND name NOT IN ('checkpoints', '_sqlx_migrations') \
                 UNION ALL SELECT name FROM checkpoints WHERE slot <> 'live'";
    rows_in(folder, FILE, query).await
}

/// Waits until every read model has all of the log.
pub async fn current(folder: &Path) {
    let deadline = Instant::now() + SOON;
    loop {
        let (_, standing) = document(folder, &["projections", "status"]);
        let standing = standing.as_array().unwrap();
        if standing.len() == MODELS.len() && standing.iter().all(|one| one["state"] == "current") {
            return;
        }
        assert!(Instant::now() < deadline, "{standing:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// That every table that is there equals a fresh fold; tells up to which position.
fn positions_of_what_is_right(folder: &Path) -> Vec<u64> {
    let verified = found(folder, &["projections", "verify"]);
    verified["projections"].as_array().unwrap().iter().map(|one| one["position"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_projects_a_server_leaves_rows_as_a_fresh_fold_makes_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut behind = 0;
    for round in 0..10 {
        let server = Arc::new(Server::start_in(folder.path(), &OPEN));
        let people = (1..=8).map(|user| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                let token = server.token(user).await;
                let path = format!("/api/users/{user}/points/charge");
                let charge = || server.request(reqwest::Method::POST, &path, &token).json(&json!({ "amount": 1 }));
                while charge().send().await.is_ok_and(|answer| answer.status() == 200) {}
            })
        });
        let people: Vec<_> = people.collect();
        tokio::time::sleep(Duration::from_millis(250 + 37 * round)).await;
        let killed = std::process::Command::new("kill").args(["-9", &server.pid().to_string()]).status();
        assert!(killed.unwrap().success());
        for person in people {
            // Some had no token yet.
            let _ = person.await;
        }
        drop(server);
        let head = found(folder.path(), &["log", "stat"])["position"].as_u64().unwrap();
        behind += positions_of_what_is_right(folder.path()).iter().filter(|position| **position < head).count();
    }
    assert!(behind > 0, "no kill came while it projected");
    let _server = Server::start_in(folder.path(), &OPEN);
    current(folder.path()).await;
    positions_of_what_is_right(folder.path());
    assert_eq!(unfinished(folder.path()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_killed_leaves_the_old_rows_and_nothing_half() {
    let folder = made(15_000);
    found(folder.path(), &REBUILD);
    let (mut halves, mut millis) = (0, 20);
    loop {
        let mut tool = rebuild(folder.path());
        tokio::time::sleep(Duration::from_millis(millis)).await;
        tool.kill().unwrap();
        let ended = tool.wait().unwrap().code();
        assert_eq!(positions_of_what_is_right(folder.path()), [15_000; MODELS.len()]);
        if ended == Some(0) {
            break;
        }
        halves += usize::from(!unfinished(folder.path()).await.is_empty());
        millis += 40;
    }
    assert!(halves > 1, "no kill came while it built");
    assert_eq!(unfinished(folder.path()).await, Vec::<String>::new());

    let mut tool = rebuild(folder.path());
    let deadline = Instant::now() + SOON;
    while unfinished(folder.path()).await.is_empty() {
        assert!(Instant::now() < deadline, "it does not build");
    }
    tool.kill().unwrap();
    tool.wait().unwrap();
    // Whoever opens the read models next throws away what was left, also where another one is built.
    found(folder.path(), &["projections", "rebuild", "sales"]);
    assert_eq!(unfinished(folder.path()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_while_it_rebuilds_leaves_nothing_half_and_rebuilds_when_it_is_asked_again() {
    let folder = made(15_000);
    let (mut killed, mut millis) = (0, 30);
    loop {
        assert!(millis < 60_000, "no kill came while it was rebuilt");
        // The first time, what is killed is the first build.
        let mut server = Server::start_in(folder.path(), &OPEN);
        if killed > 0 {
            current(folder.path()).await;
        }
        let tool = reprise(folder.path(), &REBUILD).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(millis)).await;
        server.kill();
        let said = tool.wait_with_output().unwrap();
        // Of a first build that was killed there is nothing yet, and that is told.
        if killed > 0 {
            positions_of_what_is_right(folder.path());
        }
        if said.status.success() {
            if String::from_utf8(said.stdout).unwrap().contains("by the server") {
                break;
            }
            // The server was gone before it was asked, so the command did it by itself.
            millis += millis / 2;
            continue;
        }
        let error = String::from_utf8(said.stderr).unwrap();
        assert!(error.contains("the server did not answer") || error.contains("cannot be reached"), "{error}");
        (killed, millis) = (killed + 1, millis + millis / 4);
    }
    assert!(killed > 0, "no kill came while it was rebuilt");

    // A command that is gone keeps nobody from asking.
    let server = Server::start_in(folder.path(), &OPEN);
    let mut tool = rebuild(folder.path());
    tokio::time::sleep(Duration::from_millis(50)).await;
    tool.kill().unwrap();
    tool.wait().unwrap();
    assert_eq!(found(folder.path(), &REBUILD)["by"], "server");
    current(folder.path()).await;
    let head = found(folder.path(), &["log", "stat"])["position"].as_u64().unwrap();
    assert_eq!(positions_of_what_is_right(folder.path()), [head; MODELS.len()]);
    assert_eq!(unfinished(folder.path()).await, Vec::<String>::new());
    assert!(!server.output().contains("ERROR") && !server.output().contains("WARN  reprise::projector"));
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_of_a_newer_program_are_left_alone_and_all_else_goes_on() {
    let operations = ["--demo", "--operations", "127.0.0.1:0"];
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path(), &operations);
    let token = server.token(42).await;
    let charge = async |server: &Server| {
        let answer = server.post("/api/users/42/points/charge", &token, json!({ "amount": 500 })).await;
        (answer.ok()["currentBalance"].clone(), answer.header("log-position").to_owned())
    };
    charge(&server).await;
    current(server.folder()).await;
    let newer = "UPDATE checkpoints SET version = 1000 WHERE name IN ('reservations', 'payments')";
    // Once beneath a running server, as a newer one beside it would; once before a start.
    tamper_in(server.folder(), FILE, newer).await;
    for restarted in [false, true] {
        if restarted {
            assert!(server.terminate().success());
            server = Server::start_in(folder.path(), &operations);
        }
        let (balance, position) = charge(&server).await;
        let at = format!("?minPosition={position}");
        for list in ["reservations", "payments"] {
            let behind = server.get(&format!("/api/users/42/{list}{at}"), &token).await;
            assert_eq!(behind.problem(), (503, "read-model-behind"), "{list}, restarted: {restarted}");
            assert!(behind.headers.contains_key("retry-after"));
        }
        let history = server.get(&format!("/api/users/42/points/history{at}"), &token).await;
        assert_eq!(history.ok()[0]["balanceAfter"], balance);
        assert_eq!(server.get("/api/users/42/points/balance", &token).await.ok()["balance"], balance);
        assert_eq!(Answer::of(server.ask_operations(&format!("/api/operations/sales{at}"))).await.status, 200);
        let (code, refused) = document(server.folder(), &REBUILD);
        assert!(code == 1 && refused["error"].as_str().unwrap().contains("newer program"), "{refused}");
        assert_eq!(unfinished(server.folder()).await, Vec::<String>::new());
        let (code, standing) = document(server.folder(), &["projections", "status"]);
        let state = |name: &str| -> Value {
            standing.as_array().unwrap().iter().find(|one| one["projection"] == name).unwrap()["state"].clone()
        };
        assert_eq!((code, state("payments"), state("sales")), (1, json!("newer"), json!("current")));
        let versions = "SELECT name FROM checkpoints WHERE version = 1000 ORDER BY name";
        assert_eq!(rows_in(server.folder(), FILE, versions).await, ["payments", "reservations"]);
    }
}
