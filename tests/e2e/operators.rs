//! What operators see: starts, stops, catalogues, the room; and what no output and no log may ever show.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, TOKEN_1, reprise, rows, run};

fn read_all(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
}

/// Puts a mistake into a catalogue.
type Spoil<'a> = &'a dyn Fn(&mut Value);

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}

#[tokio::test]
async fn no_credential_is_in_the_data_folder_or_in_the_programs_output() {
    let mut server = Server::start(&["--demo"]);
    let mut tokens = vec![TOKEN_1.to_owned()];
    for user in 11..=30 {
        let token = server.token(user).await;
        // Clients put their token where it does not belong, too.
        let bad = server.request(Method::POST, "/api/payments", &token).header("X-Request-Id", &token).body("{");
        assert_eq!(bad.send().await.unwrap().status(), 415);
        let path = format!("/api/users/{user}/points/charge");
        let charge = server.request(Method::POST, &path, &token).header("X-Request-Id", &token);
        let charged = charge.header("Idempotency-Key", &token).json(&json!({ "amount": 5 })).send().await.unwrap();
        assert_eq!(charged.status(), 200);
        server.get(&format!("/api/{token}"), &token).await.problem();
        server.delete("/api/tokens/me", &token).await.ok();
        tokens.push(token);
    }
    assert!(server.terminate().success());
    let (stored, said) = (read_all(server.folder()), server.output());
    assert!(contains(&stored, "PointsCharged"), "the log was read");
    for token in tokens {
        for form in [token.clone(), token.replace('-', "")] {
            assert!(!contains(&stored, &form), "{token} is in the data folder");
            assert!(!contains(said.as_bytes(), &form), "{token} is in the output");
        }
    }
}

#[test]
fn who_believes_everyone_listens_for_operators_on_this_machine_alone() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let arguments = ["serve", "--identity", "open", "--listen", "127.0.0.1:0", "--operations", address];
        let (code, _, error) = run(reprise(&data, &arguments));
        assert_eq!(code, 1, "{error}");
        assert!(error.contains(&format!("--operations {address}")) && error.contains("127.0.0.1:8081"), "{error}");
        assert!(!data.exists(), "the folder stays as it is");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_beside_a_server_that_is_silent_says_how_it_is_repeated() {
    let server = Server::demo();
    server.signal("STOP");
    let mut pausing = reprise(server.folder(), &["sale", "pause", "--reason", "a test"]);
    let mut pausing = pausing.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(pausing.stderr.take().unwrap()).read_line(&mut said).unwrap();
    let key = said.split("--idempotency-key ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    pausing.kill().unwrap();
    pausing.wait().unwrap();
    server.signal("CONT");
    let again = ["sale", "pause", "--reason", "a test", "--idempotency-key", &key];
    let (code, said, error) = run(reprise(server.folder(), &again));
    assert_eq!(code, 0, "{said}{error}");
    let paused = rows(server.folder(), "SELECT CAST(count(*) AS TEXT) FROM log WHERE type = 'SalePaused'").await;
    assert_eq!(paused, ["1"]);
}

#[tokio::test]
async fn told_to_stop_it_answers_what_it_holds_and_exits_0() {
    let mut server = Server::demo();
    server.token(42).await;
    assert!(server.terminate().success());
    assert!(server.output().contains("stopped"), "{}", server.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_does_not_wait_for_clients_that_never_end_their_request() {
    let mut server = Server::demo();
    let mut clients: Vec<TcpStream> = Vec::new();
    for begun in [
        "GET /api/que",
        "POST /api/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    ] {
        let mut client = TcpStream::connect(server.address()).unwrap();
        client.write_all(begun.as_bytes()).unwrap();
        clients.push(client);
    }
    std::thread::sleep(Duration::from_millis(100));
    let told = Instant::now();
    assert!(server.terminate().success());
    assert!(told.elapsed() < Duration::from_secs(9), "it took {:?}", told.elapsed());
    let left_in_wal = std::fs::metadata(server.folder().join("log.db-wal")).map_or(0, |file| file.len());
    assert_eq!(left_in_wal, 0, "the log was not closed: {}", server.output());
}

#[test]
fn told_to_stop_while_it_starts_it_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut starting = reprise(folder.path(), &["serve", "--demo", "--listen", "127.0.0.1:0"]);
    let mut starting = starting.stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(starting.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(Command::new("kill").arg(starting.id().to_string()).status().unwrap().success());
    assert!(starting.wait().unwrap().success());
    said.read_to_string(&mut line).unwrap();
    assert!(!line.contains("listening"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_cannot_be_written_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut server = reprise(folder.path(), &["serve", "--demo", "--listen", &address.to_string()]);
    let mut server = server.stderr(full).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let url = format!("http://{address}/api/queue?minPosition=1000000");
    let mut answer = reqwest::get(&url).await;
    while answer.is_err() && server.try_wait().unwrap().is_none() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = reqwest::get(&url).await;
    }
    let _ = server.kill();
    server.wait().unwrap();
    assert_eq!(answer.unwrap().status(), 503, "which is a line of its own");
}

#[tokio::test]
async fn its_health_can_be_asked() {
    let server = Server::demo();
    server.get("/healthz", "").await.ok();
    server.get("/readyz", "").await.ok();
}

#[tokio::test]
async fn a_start_says_what_it_does() {
    let server = Server::demo();
    let said = server.output();
    for word in ["the log is in", "replayed", "listening on http://127.0.0.1:"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[tokio::test]
async fn the_example_catalogue_can_be_imported_and_importing_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (code, example, _) = run(reprise(folder.path(), &["catalog", "example"]));
    assert_eq!(code, 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let file = folder.path().join("catalogue.json");
    std::fs::write(&file, &example).unwrap();
    let data = folder.path().join("data");
    let import = || run(reprise(&data, &["catalog", "import", file.to_str().unwrap()]));
    let (code, said, error) = import();
    assert_eq!(code, 0, "{said}{error}");
    let before = rows(&data, "SELECT hex(hash) FROM log ORDER BY position").await;
    let (code, said, error) = import();
    assert_eq!(code, 0, "{said}{error}");
    assert!(said.contains("nothing to import"), "{said}");
    assert_eq!(rows(&data, "SELECT hex(hash) FROM log ORDER BY position").await, before);

    let server = Server::start_in(&data, &["--identity", "open"]);
    let dates = server.get("/api/concerts/1/dates", "").await;
    assert_eq!((&dates.ok()[0]["concertDate"], &dates.ok()[0]["concertTime"]), (&json!("2027-12-24"), &json!("19:30")));
    let token = server.token(42).await;
    let seats = server.get("/api/concerts/1/schedules/2/seats?status=all", &token).await;
    assert_eq!((&seats.ok()[0]["row"], &seats.ok()[1]["seatId"]), (&json!("A"), &json!(2)));
}

#[tokio::test]
async fn a_catalogue_with_a_mistake_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_, example, _) = run(reprise(folder.path(), &["catalog", "example"]));
    let good: Value = serde_json::from_str(&example).unwrap();
    let file = folder.path().join("catalogue.json");
    let data = folder.path().join("data");
    std::fs::write(&file, &example).unwrap();
    assert_eq!(run(reprise(&data, &["catalog", "import", file.to_str().unwrap()])).0, 0);
    let before = rows(&data, "SELECT hex(hash) FROM log ORDER BY position").await;
    let spoil: [(&str, Spoil); 7] = [
        ("timeZone", &|file| file["concerts"][0]["schedules"][1]["timeZone"] = json!("Asia/Atlantis")),
        ("concert 1", &|file| file["concerts"][0]["artist"] = json!("Somebody else")),
        ("costs", &|file| {
            let dear = json!({ "seatName": "B-1", "zoneName": "VIP", "price": 1_000_000_001 });
            file["concerts"][0]["schedules"][1]["seats"].as_array_mut().unwrap().push(dear);
        }),
        ("price: published is 150000, the file has 1", &|file| {
            file["concerts"][0]["schedules"][0]["zones"][0]["price"] = json!(1)
        }),
        ("seatsTotal", &|file| file["concerts"][0]["schedules"][0]["seatsTotal"] = json!(1)),
        ("saleOpensAt", &|file| file["concerts"][0]["schedules"][0]["saleOpensAt"] = json!("tomorrow")),
        ("twice", &|file| file["concerts"][0]["schedules"][1]["scheduleId"] = json!(1)),
    ];
    for (word, spoil) in spoil {
        let mut bad = good.clone();
        spoil(&mut bad);
        std::fs::write(&file, bad.to_string()).unwrap();
        let (code, said, error) = run(reprise(&data, &["catalog", "import", file.to_str().unwrap()]));
        assert_eq!(code, 1, "{word}: {said}{error}");
        let last = error.lines().last().unwrap();
        assert!(last.contains("reprise: ") && (last.contains(word) || word == "saleOpensAt"), "{word}: {last}");
        assert_eq!(rows(&data, "SELECT hex(hash) FROM log ORDER BY position").await, before, "{word}");
    }
}

#[tokio::test]
async fn the_room_is_changed_beside_a_server_and_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let set = |capacity: &str| run(reprise(folder.path(), &["room", "set", "--capacity", capacity]));
    let (code, _, error) = set("5");
    assert!(code == 1 && error.contains("there is no log"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let mut server = Server::start_in(folder.path(), &["--identity", "open", "--capacity", "7"]);
    assert_eq!(server.get("/api/queue", "").await.ok()["capacity"], 7);
    let (code, said, error) = set("6");
    assert!(code == 0 && said.contains("capacity: 6"), "{said}{error}");
    assert_eq!(server.get("/api/queue", "").await.ok()["capacity"], 6);
    let paused = run(reprise(folder.path(), &["sale", "pause", "--reason", "rain"]));
    assert!(paused.0 == 0 && paused.1.contains("paused: rain"), "{paused:?}");
    assert_eq!(server.get("/api/queue", "").await.ok()["state"], "PAUSED");
    assert!(server.terminate().success());
    assert_eq!(run(reprise(folder.path(), &["sale", "resume", "--reason", "sun"])).0, 0);
    assert_eq!(set("5").0, 0);
    let actors =
        rows(folder.path(), "SELECT DISTINCT json_extract(metadata, '$.actor') FROM log WHERE type = 'SalePaused'");
    assert!(actors.await[0].starts_with("local:"));
    assert!(!folder.path().join("operations.sock").exists(), "the socket is there while somebody serves");
    // --capacity only seeds a new log.
    let server = Server::start_in(folder.path(), &["--identity", "open", "--capacity", "9"]);
    assert_eq!(server.get("/api/queue", "").await.ok()["capacity"], 5);
}
