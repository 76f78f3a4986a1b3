//! A log that does not hold what was served from a folder is not served: whatever became of it, whenever the server was
//! killed, and whichever log it is. More rounds than the few that run always: `REPRISE_TEST_ROUNDS=300 cargo test --test e2e
//! served`.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::server::{Answer, Server, reprise, run};

const OPEN: [&str; 2] = ["--identity", "open"];
/// What the program ends with where only a person can decide.
const NEEDS_A_PERSON: i32 = 78;
/// How often each loop goes round, unless `REPRISE_TEST_ROUNDS` says otherwise.
const ROUNDS: u64 = 4;

fn rounds() -> u64 {
    std::env::var("REPRISE_TEST_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

async fn sql(folder: &Path, statement: String) {
    let mut connection = SqliteConnectOptions::new().filename(folder.join("log.db")).connect().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}

/// Has people charge their wallets until the server is killed, so many milliseconds later: the last position that any of them was
/// told of.
async fn killed_under_load(mut server: Server, millis: u64) -> u64 {
    let charging = (1..=4).map(|user| {
        let (token, charge) = (server.request(reqwest::Method::POST, "/api/tokens", ""), json!({ "userId": user }));
        let path = format!("/api/users/{user}/points/charge");
        let request = server.request(reqwest::Method::POST, &path, "").json(&json!({ "amount": 1 }));
        tokio::spawn(async move {
            let mut last = 0;
            let Ok(joined) = Answer::try_of(token.json(&charge)).await else { return last };
            let token = joined.ok()["token"].as_str().unwrap().to_owned();
            while let Ok(answer) = Answer::try_of(request.try_clone().unwrap().header("Authorization", &token)).await {
                if answer.status == 200 {
                    last = last.max(answer.header("log-position").parse().unwrap());
                }
            }
            last
        })
    });
    let charging: Vec<_> = charging.collect();
    tokio::time::sleep(Duration::from_millis(millis)).await;
    server.kill();
    let mut last = 0;
    for person in charging {
        last = last.max(person.await.unwrap());
    }
    last
}

fn serve(folder: &Path, more: &[&str]) -> (i32, String) {
    let arguments = [&["serve", "--listen", "127.0.0.1:0"], &OPEN[..], more].concat();
    let (code, _, error) = run(reprise(folder, &arguments));
    (code, error)
}

/// A start is refused: what it says.
fn refused(folder: &Path, more: &[&str]) -> String {
    let (code, error) = serve(folder, more);
    assert_eq!(code, NEEDS_A_PERSON, "{error}");
    error.lines().last().unwrap().to_owned()
}

/// The record that a refusal says is to be accepted.
fn printed(refusal: &str) -> &str {
    refusal.rsplit("--accept-rewind ").next().unwrap().trim()
}

/// The folder of a server that somebody charged points at, and that was stopped in good order.
async fn charged_and_stopped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path(), &OPEN);
    let token = server.token(1).await;
    server.post("/api/users/1/points/charge", &token, json!({ "amount": 1 })).await.ok();
    assert!(server.terminate().success());
    folder
}

fn random_millis() -> u64 {
    300 + u64::from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos()) % 300
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_rewound_by_one_by_many_or_to_nothing_after_a_kill_is_refused_until_it_is_accepted() {
    for round in 0..rounds() {
        let folder = tempfile::tempdir().unwrap();
        let told = killed_under_load(Server::start_in(folder.path(), &OPEN), random_millis()).await;
        assert!(told > 5, "the load was no load");
        let left = [told - 1, told / 2, 0][round as usize % 3];
        sql(folder.path(), format!("DELETE FROM log WHERE position > {left}")).await;
        let refusal = refused(folder.path(), &[]);
        for word in ["rewound", "/served", &format!("head is position {left}")] {
            assert!(refusal.contains(word), "{word}: {refusal}");
        }
        let never = format!("{}:{}", told + 1_000, "ab".repeat(32));
        assert!(refused(folder.path(), &["--accept-rewind", &never]).contains("does not hold this record"));
        let mut server =
            Server::start_in(folder.path(), &[&OPEN[..], &["--accept-rewind", printed(&refusal)]].concat());
        server.token(9).await;
        server.kill();
        Server::start_in(folder.path(), &OPEN).token(9).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_only_killed_is_never_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = 0;
    for _ in 0..rounds() {
        let server = Server::start_in(folder.path(), &OPEN);
        let found: u64 = server.get("/api/queue", "").await.header("log-position").parse().unwrap();
        assert!(found >= told, "{found} is less than {told}, which was answered");
        told = killed_under_load(server, random_millis() / 4).await.max(told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_is_killed_at_any_moment_is_only_begun_again() {
    for millis in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let mut starting = reprise(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--identity", "open"]);
        let mut starting = starting.stderr(std::process::Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(2 * millis)).await;
        starting.kill().unwrap();
        starting.wait().unwrap();
        Server::start_in(folder.path(), &OPEN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_whose_log_is_gone_is_refused_and_every_file_that_says_so_is_named() {
    let folder = charged_and_stopped().await;
    for name in ["log.db", "log.db-wal", "log.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(name));
    }
    let refusal = refused(folder.path(), &[]);
    for word in ["/served", "/server.key", "/read-models.db"] {
        assert!(refusal.contains(word), "{word}: {refusal}");
    }
    let copy = folder.path().join("copy.db").display().to_string();
    for command in [
        &["sale", "pause", "--reason", "a test"][..],
        &["room", "set", "--capacity", "7"],
        &["users", "show", "1"],
        &["projections", "rebuild", "all"],
        &["log", "verify"],
        &["audit", "all"],
        &["backup", &copy],
    ] {
        let (code, _, error) = run(reprise(folder.path(), command));
        assert_eq!(code, NEEDS_A_PERSON, "{command:?}: {error}");
        assert!(error.contains("/served"), "{command:?}: {error}");
    }
    assert!(!folder.path().join("log.db").exists(), "nothing was made");
    // Without its mark the key still says that there was a log.
    std::fs::remove_file(folder.path().join("served")).unwrap();
    assert!(refused(folder.path(), &[]).contains("/server.key"));
    let zeros = format!("0:{}", "00".repeat(32));
    assert_eq!(printed(&refusal), zeros);
    Server::start_in(folder.path(), &[&OPEN[..], &["--accept-rewind", &zeros]].concat()).token(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_log_that_was_rewound_no_read_model_is_made() {
    let folder = charged_and_stopped().await;
    let rows = || std::fs::read(folder.path().join("read-models.db")).unwrap();
    let before = rows();
    sql(folder.path(), "DELETE FROM log WHERE position > 3".to_owned()).await;
    let (code, _, error) = run(reprise(folder.path(), &["projections", "rebuild", "all"]));
    assert_eq!(code, NEEDS_A_PERSON, "{error}");
    assert!(error.contains("rewound") && rows() == before, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_logs_key_only_a_person_can_go_on() {
    let folder = charged_and_stopped().await;
    let key = folder.path().join("server.key");
    for harm in [|key: &Path| std::fs::remove_file(key), |key: &Path| std::fs::write(key, "")] {
        harm(&key).unwrap();
        assert!(refused(folder.path(), &[]).contains("without the key that it was made with"));
        let (code, _, error) = run(reprise(folder.path(), &["sale", "pause", "--reason", "a test"]));
        assert_eq!(code, NEEDS_A_PERSON, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_replaced_or_removed_while_it_is_served_stops_the_server() {
    let replace: fn(&Path) = |folder| {
        std::fs::copy(folder.join("log.db"), folder.join("other.db")).unwrap();
        std::fs::rename(folder.join("other.db"), folder.join("log.db")).unwrap();
    };
    let remove: fn(&Path) = |folder| {
        for name in ["log.db", "log.db-wal", "log.db-shm"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
    };
    let cut: fn(&Path) = |folder| {
        std::fs::File::options().write(true).open(folder.join("log.db")).unwrap().set_len(0).unwrap();
    };
    let cut_wal: fn(&Path) = |folder| {
        let wal = std::fs::File::options().write(true).open(folder.join("log.db-wal")).unwrap();
        wal.set_len(wal.metadata().unwrap().len() / 2).unwrap();
    };
    // The server writes on: a file that it makes meanwhile is removed by the next try.
    let remove_all: fn(&Path) = |folder| while folder.exists() && std::fs::remove_dir_all(folder).is_err() {};
    for (harm, is_asked, is_short) in [
        (replace, true, false),
        (remove, true, false),
        (remove_all, true, false),
        (cut, true, false),
        (cut_wal, true, true),
        (remove, false, false),
        (remove_all, false, false),
        (cut, false, false),
        (cut_wal, false, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut server = Server::start_in(&data, &OPEN);
        let token = server.token(1).await;
        server.post("/api/users/1/points/charge", &token, json!({ "amount": 1 })).await.ok();
        harm(&data);
        if is_asked {
            let charge = server.request(reqwest::Method::POST, "/api/users/1/points/charge", &token);
            let answer = Answer::try_of(charge.json(&json!({ "amount": 1 }))).await;
            assert!(answer.is_err() || answer.unwrap().status == 503, "nothing is answered that no start will find");
        }
        let ended = loop {
            if let Some(ended) = server.has_ended() {
                break ended;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(!ended.success(), "{}", server.output());
        // What is left of the WAL is not all that was served, and the server has not made it worse at its end.
        if is_short {
            assert!(refused(&data, &[]).contains("--accept-rewind"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_postgres_lost_what_it_served_is_not_started_again() {
    let Some(server) = private_postgres::shared() else { return };
    for round in 0..rounds() {
        let (folder, database) = (tempfile::tempdir().unwrap(), server.database());
        let name = database.rsplit('/').next().unwrap().to_owned();
        let more = [&OPEN[..], &["--log", &database]].concat();
        let told = killed_under_load(Server::start_in(folder.path(), &more), random_millis()).await;
        let loss = match round % 3 {
            0 => format!("DELETE FROM log WHERE position >= {told}"),
            1 => "TRUNCATE log".to_owned(),
            _ => format!("DELETE FROM log WHERE position > {}", told / 2),
        };
        // What the killed node had sent lands before it, or not at all.
        server.sql(&name, &format!("LOCK TABLE log IN ACCESS EXCLUSIVE MODE; {loss}"));
        let refusal = refused(folder.path(), &["--log", &database]);
        assert!(refusal.contains("/served") && refusal.contains("--accept-rewind"), "{refusal}");
        let (code, _, error) = run(reprise(folder.path(), &["audit", "all", "--log", &database]));
        let is_empty = round % 3 == 1;
        assert_eq!((code == NEEDS_A_PERSON, error.contains("rewound")), (is_empty, is_empty), "{error}");
        let accepting = [&more[..], &["--accept-rewind", printed(&refusal)]].concat();
        Server::start_in(folder.path(), &accepting).token(9).await;
    }
}

#[cfg(feature = "kurrentdb")]
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_stream_lost_what_it_served_is_not_started_again() {
    for round in 0..rounds() {
        let (folder, database) = (tempfile::tempdir().unwrap(), kurrent_stand_in::StandIn::start().await);
        let url = database.url();
        let more = [&OPEN[..], &["--log", &url]].concat();
        let told = killed_under_load(Server::start_in(folder.path(), &more), random_millis()).await;
        database.rewind("reprise", [told - 1, told / 2, 0][round as usize % 3]);
        let refusal = refused(folder.path(), &["--log", &url]);
        assert!(refusal.contains("/served") && refusal.contains("--accept-rewind"), "{refusal}");
        let accepting = [&more[..], &["--accept-rewind", printed(&refusal)]].concat();
        Server::start_in(folder.path(), &accepting).token(9).await;
    }
}
