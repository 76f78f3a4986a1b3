//! Disks that fail: a shim before the C library answers for calls on the files that a test names, by the error that it names.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::server::{Answer, Server, made, reprise, run};

const EIO: u32 = 5;
const ENOSPC: u32 = 28;
const EDQUOT: u32 = 122;
const SHIM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/failing_disk/shim.c");
/// How long anything may take to happen.
const SOON: Duration = Duration::from_secs(60);

/// What files are on that fail as they are told to.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// One that does not fail yet; `None` where there is no C compiler, which is said in one line.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let shim = folder.path().join("shim.so");
        let compiled =
            Command::new("cc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(shim).args([SHIM, "-ldl"]).status();
        if compiled.is_ok_and(|compiled| compiled.success()) {
            return Some(Self { folder });
        }
        assert!(std::env::var("CI").is_err(), "the gate has a C compiler");
        eprintln!("left out: there is no C compiler, so no disk fails");
        None
    }

    fn faults(&self) -> PathBuf {
        self.folder.path().join("faults")
    }

    /// From now on these calls fail, and no others: what is asked, how the path ends, the error, after how many milliseconds.
    fn fails(&self, faults: &[(&str, &str, u32, u64)]) {
        let line = |(asked, end, error, millis): &(&str, &str, u32, u64)| format!("{asked} {end} {error} {millis}\n");
        let next = self.folder.path().join("next");
        std::fs::write(&next, faults.iter().map(line).collect::<String>()).unwrap();
        std::fs::rename(next, self.faults()).unwrap();
    }

    fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [("LD_PRELOAD", self.folder.path().join("shim.so")), ("FAULTS", self.faults())]
    }

    fn server(&self, folder: &Path) -> Server {
        Server::start_as(folder, &["--identity", "open"], &self.environment())
    }

    /// Runs a command on a folder of this disk.
    fn run(&self, folder: &Path, arguments: &[&str]) -> (i32, String, String) {
        let mut command = reprise(folder, arguments);
        command.envs(self.environment());
        run(command)
    }
}

fn charge(server: &Server, token: &str, key: &str) -> reqwest::RequestBuilder {
    let request = server.request(Method::POST, "/api/users/9/points/charge", token);
    request.header("Idempotency-Key", key).json(&json!({ "amount": 1 }))
}

/// Whoever was not looked up under its key is told nothing of what happened before.
fn assert_tells_nothing(answer: &Answer) {
    let (status, code) = answer.problem();
    let detail = answer.body["detail"].as_str().unwrap();
    assert_eq!(status, 503, "{detail}");
    match code {
        "outcome-unknown" => {}
        "overloaded" | "log-unavailable" => assert!(detail.contains("An earlier request"), "{detail}"),
        _ => panic!("{code}: {detail}"),
    }
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn until_ready(server: &Server) {
    until("ready", async || (server.get("/readyz", "").await.status == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_takes_long_leaves_an_outcome_unknown_until_the_key_is_asked_again() {
    let Some(disk) = Disk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server =
        Server::start_as(folder.path(), &["--identity", "open", "--operations", "127.0.0.1:0"], &disk.environment());
    let token = server.token(9).await;
    let by_user = |key: &str| charge(&server, &token, key);
    let by_operator = |key: &str| {
        let request = server.request_operations(Method::POST, "/api/operations/users/9/charges");
        request.header("Idempotency-Key", key).json(&json!({ "amount": 1 }))
    };
    let mut balance = 0;
    for (first, other) in
        [(&by_user as &dyn Fn(&str) -> _, &by_operator as &dyn Fn(&str) -> _), (&by_operator, &by_user)]
    {
        let key = format!("once-{balance}");
        disk.fails(&[("sync", "log.db-wal", 0, 11_000)]);
        let sent = Answer::of(first(&key));
        // Whoever comes while that is on its way waits behind it.
        let waits = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Answer::of(other("never")).await
        };
        let (sent, waits) = tokio::join!(sent, waits);
        assert_eq!((sent.problem(), waits.problem()), ((503, "outcome-unknown"), (503, "overloaded")));
        disk.fails(&[]);
        let told = until("the outcome", async || {
            let again = Answer::of(first(&key)).await;
            if again.status != 200 {
                assert_tells_nothing(&again);
            }
            (again.status == 200).then_some(again)
        });
        let told = told.await;
        balance += 1;
        assert_eq!(told.header("idempotent-replayed"), "true");
        assert_eq!(told.ok()["currentBalance"], balance);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_stops_the_server_and_nobody_is_told_what_is_not_so() {
    let Some(disk) = Disk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut server = disk.server(folder.path());
    let token = server.token(9).await;
    Answer::of(charge(&server, &token, "before")).await.ok();
    disk.fails(&[("sync", "log.db-wal", EIO, 300)]);
    let repeats = (0..8).map(async |number| {
        let key = format!("key-{}", number % 4);
        while let Ok(answer) = Answer::try_of(charge(&server, &token, &key)).await {
            // What was never synced is never a success.
            assert_tells_nothing(&answer);
        }
    });
    futures_util::future::join_all(repeats).await;
    let ended = until("it stops", async || server.has_ended()).await;
    assert_eq!(ended.code(), Some(1), "{}", server.output());
    assert!(server.output().contains("the log's storage failed, the server stops"), "{}", server.output());

    disk.fails(&[]);
    let server = disk.server(folder.path());
    for key in ["key-0", "key-1", "key-2", "key-3", "before", "key-0"] {
        Answer::of(charge(&server, &token, key)).await.ok();
    }
    assert_eq!(server.get("/api/users/9/points/balance", &token).await.ok()["balance"], 5, "each happened once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_fails_stops_the_server_in_one_line() {
    let Some(disk) = Disk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut server = disk.server(folder.path());
    let token = server.token(9).await;
    disk.fails(&[("sync", "/log.db", EIO, 0)]);
    let charges = (0..16).map(async |client| {
        for number in 0.. {
            if Answer::try_of(charge(&server, &token, &format!("{client}-{number}"))).await.is_err() {
                return;
            }
        }
    });
    tokio::time::timeout(SOON, futures_util::future::join_all(charges)).await.expect("it goes on");
    let ended = until("it stops", async || server.has_ended()).await;
    assert_eq!(ended.code(), Some(1));
    assert!(server.output().contains("a checkpoint failed"), "{}", server.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_reached_is_a_full_disk() {
    let Some(disk) = Disk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = disk.server(folder.path());
    let token = server.token(9).await;
    for error in [EDQUOT, ENOSPC] {
        disk.fails(&[("write", "log.db-wal", error, 0)]);
        let refused = Answer::of(charge(&server, &token, &error.to_string())).await;
        assert_eq!(refused.problem(), (503, "log-unavailable"), "{error}");
        server.get("/api/users/9/points/balance", &token).await.ok();
        assert_eq!(server.get("/readyz", "").await.status, 503);
        disk.fails(&[]);
        until_ready(&server).await;
        Answer::of(charge(&server, &token, &error.to_string())).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_while_read_models_are_built_is_over_when_the_disk_is_well_again() {
    let Some(disk) = Disk::new() else { return };
    for error in [ENOSPC, EIO] {
        let folder = tempfile::tempdir().unwrap();
        disk.fails(&[]);
        let server = disk.server(folder.path());
        let token = server.token(9).await;
        let charged = Answer::of(charge(&server, &token, "once")).await;
        let history = format!("/api/users/9/points/history?minPosition={}", charged.header("log-position"));
        let whole = async || (server.get(&history, &token).await.status == 200).then_some(());
        until("histories", whole).await;
        disk.fails(&[("write", "read-models.db-wal", error, 0)]);
        let rebuilding = std::thread::scope(|scope| {
            let rebuilding = scope.spawn(|| run(reprise(folder.path(), &["projections", "rebuild", "all"])));
            std::thread::sleep(Duration::from_millis(1_500));
            disk.fails(&[]);
            rebuilding.join().unwrap()
        });
        assert_eq!(rebuilding.0, 0, "{rebuilding:?}");
        until("histories, after a rebuild that failed at first", whole).await;
    }
}

#[test]
fn a_read_that_fails_is_told_with_the_system_s_word_and_is_no_damage() {
    let Some(disk) = Disk::new() else { return };
    let folder = made(5_000);
    disk.fails(&[("read", "log.db", EIO, 0)]);
    for arguments in [["log", "verify"].as_slice(), &["serve", "--identity", "open", "--listen", "127.0.0.1:0"]] {
        let (code, output, error) = disk.run(folder.path(), arguments);
        let said = format!("{output}{error}");
        assert!(code != 0 && said.contains("Input/output error"), "{code} {said}");
        assert!(!said.contains("damaged"), "{said}");
    }
    disk.fails(&[]);
    assert_eq!(disk.run(folder.path(), &["log", "verify"]).0, 0);
}

#[test]
fn an_import_that_fails_in_the_end_leaves_no_log_and_is_made_again() {
    let Some(disk) = Disk::new() else { return };
    let (folder, to) = (made(500), tempfile::tempdir().unwrap());
    let file = to.path().join("log.jsonl");
    let (data, file) = (to.path().join("data"), file.to_str().unwrap());
    assert_eq!(disk.run(folder.path(), &["log", "export", file]).0, 0);
    for (asked, end) in [("sync", "import.partial/log.db"), ("write", "import.partial/log.db"), ("sync", "/data")] {
        disk.fails(&[(asked, end, EIO, 0)]);
        let (code, _, error) = disk.run(&data, &["log", "import", file]);
        assert!(code == 1 && !data.join("log.db").exists(), "{asked} {end}: {error}");
        disk.fails(&[]);
    }
    let (code, _, error) = disk.run(&data, &["log", "import", file]);
    assert_eq!(code, 0, "{error}");
}
