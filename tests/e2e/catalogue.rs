//! Importing a catalogue, as operators do it: files of every kind, plans, corrections, imports that are killed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Server, reprise, rows, run};

const STARTS: &str = "2099-12-24T10:30:00Z";

/// A folder for a log, with files beside it.
struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn file(&self, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.folder.path().join("file");
        std::fs::write(&file, content).unwrap();
        file
    }

    fn run(&self, content: impl AsRef<[u8]>, options: &[&str]) -> (i32, String, String) {
        let file = self.file(content);
        let arguments = [&["catalog", "import", file.to_str().unwrap()], options].concat();
        run(reprise(&self.data(), &arguments))
    }

    /// Imports what must be imported.
    fn import(&self, content: impl AsRef<[u8]>) -> String {
        let (code, said, error) = self.run(content, &[]);
        assert_eq!(code, 0, "{said}{error}");
        said
    }

    /// What is said of what must not be imported; nothing is written.
    fn refused(&self, content: impl AsRef<[u8]>) -> String {
        let (code, said, error) = self.run(content, &[]);
        assert_eq!(code, 1, "{said}{error}");
        error
    }

    async fn dates(&self) -> Vec<Value> {
        let server = Server::start_in(&self.data(), &["--identity", "open"]);
        let concerts = server.get("/api/concerts", "").await;
        let mut dates = Vec::new();
        for concert in concerts.ok().as_array().unwrap() {
            let of = server.get(&format!("/api/concerts/{}/dates", concert["concertId"]), "").await;
            dates.extend(of.ok().as_array().unwrap().iter().cloned());
        }
        dates
    }

    /// The seats of every date on sale.
    async fn on_sale(&self) -> Vec<u64> {
        self.dates().await.iter().map(|date| date["seatsTotal"].as_u64().unwrap()).collect()
    }
}

fn catalogue(name: &str, starts: &str, seats: u64) -> String {
    let zones = json!([{ "zoneName": "Z", "price": 100, "seats": seats }]);
    let schedules = json!([{ "startsAt": starts, "zones": zones }]);
    json!({ "concerts": [{ "concertName": name, "artist": "B", "venue": "C", "schedules": schedules }] }).to_string()
}

/// Waits until the import has written something of its seats, and kills it there.
async fn kill_an_import(data: &Path, file: &Path) -> bool {
    let arguments = ["catalog", "import", file.to_str().unwrap()];
    let mut child = reprise(data, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let log = data.join("log.db");
    loop {
        let is_begun = log.exists() && {
            let count = "SELECT CAST(count(*) AS TEXT) FROM log WHERE type = 'SeatsAdded'";
            rows(data, count).await.first().is_some_and(|count| count != "0")
        };
        if is_begun {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if child.try_wait().unwrap().is_some() || Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_killed_import_is_finished_by_its_file_or_never_sold() {
    let (large, small) = (catalogue("A", STARTS, 200_000), catalogue("A", STARTS, 10));
    for finish in [true, false] {
        let house = House::new();
        // The log is there before, so that it can be looked at.
        house.import(catalogue("Another", "2099-01-01T10:00:00Z", 1));
        assert!(kill_an_import(&house.data(), &house.file(&large)).await);
        assert_eq!(house.on_sale().await, [1], "what was begun is not sold");
        if finish {
            house.import(&large);
            assert_eq!(house.on_sale().await, [1, 200_000]);
        } else {
            house.import(&small);
            assert_eq!(house.on_sale().await, [1, 10]);
            assert!(house.import(&small).contains("nothing to import"));
        }
        let (code, said, error) = run(reprise(&house.data(), &["audit", "all"]));
        assert_eq!(code, 0, "{said}{error}");
    }
}

#[tokio::test]
async fn a_correction_is_asked_about_and_imported_as_new_where_that_is_said() {
    let house = House::new();
    house.import(catalogue("A", STARTS, 3));
    for corrected in [catalogue("D", STARTS, 3), catalogue("A", "2099-12-25T10:30:00Z", 3)] {
        let said = house.refused(&corrected);
        assert!(said.contains("--new") && said.contains("Id"), "{said}");
    }
    assert_eq!(house.on_sale().await, [3]);
    let (code, said, error) =
        house.run(catalogue("A", "2099-12-25T10:30:00Z", 3), &["--new", "--reason", "a second night"]);
    assert_eq!(code, 0, "{said}{error}");
    assert_eq!(house.on_sale().await, [3, 3]);
    let reasons = rows(&house.data(), "SELECT data FROM log WHERE type = 'CatalogImported' ORDER BY position").await;
    assert!(reasons[0].contains("\"reason\":null") && reasons[1].contains("a second night"), "{reasons:?}");
}

#[tokio::test]
async fn a_plan_is_told_and_nothing_is_written() {
    let house = House::new();
    let (code, said, error) = house.run(catalogue("A", STARTS, 3), &["--dry-run"]);
    assert_eq!(code, 0, "{said}{error}");
    assert!(said.contains("new concert 1") && said.contains("to import: 1 concert, 1 date, 3 seats"), "{said}");
    assert!(!house.data().join("log.db").exists());
    house.import(catalogue("A", STARTS, 3));
    let before = rows(&house.data(), "SELECT hex(hash) FROM log ORDER BY position").await;
    let (code, said, _) = house.run(catalogue("A", STARTS, 3), &["--dry-run", "--json"]);
    let plan: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &plan["concerts"][0]["schedules"][0]["status"]), (0, &json!("KNOWN")));
    let (code, said, error) = house.run(catalogue("A", STARTS, 5), &["--dry-run"]);
    assert_eq!(code, 1);
    assert!(said.contains("differs:") && error.contains("\"Z-4\""), "{said}{error}");
    assert_eq!(rows(&house.data(), "SELECT hex(hash) FROM log ORDER BY position").await, before);
}

#[tokio::test]
async fn a_mark_before_the_text_is_read_over_and_utf_16_is_named() {
    let house = House::new();
    let text = catalogue("A", STARTS, 3);
    let utf_16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert!(house.refused(utf_16).contains("UTF-16"));
    house.import(format!("\u{feff}{text}"));
    assert_eq!(house.on_sale().await, [3]);
}

#[tokio::test]
async fn a_csv_of_seats_is_imported_from_standard_input() {
    let house = House::new();
    let sheet = "concertName,artist,venue,startsAt,timeZone,zoneName,seatName,price,row,number\r\n\
                 A,B,C,2099-07-04T20:00:00,America/New_York,VIP,A-1,200000,A,1\r\n\
                 A,B,C,2099-07-04T20:00:00,America/New_York,VIP,A-2,200000,A,2\r\n";
    let mut child = reprise(&house.data(), &["catalog", "import", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(sheet.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let date = &house.dates().await[0];
    assert_eq!((&date["concertTime"], &date["timeZone"]), (&json!("20:00"), &json!("America/New_York")));
    assert_eq!((&date["startsAt"], &date["seatsTotal"]), (&json!("2099-07-05T00:00:00.000Z"), &json!(2)));
}

#[tokio::test]
async fn a_zone_in_brackets_is_the_venues_and_a_contradiction_is_refused() {
    let house = House::new();
    let starts = "2027-07-04T20:00:00-04:00[America/New_York]";
    let contradicting = catalogue("A", starts, 3).replace("\"zones\"", "\"timeZone\":\"Asia/Seoul\",\"zones\"");
    assert!(house.refused(contradicting).contains("America/New_York"));
    assert!(house.refused(catalogue("A", &starts.replace("-04", "-05"), 3)).contains("startsAt"));
    let late = catalogue("A", STARTS, 3).replace("\"zones\"", "\"saleOpensAt\":\"2100-01-01T00:00:00Z\",\"zones\"");
    assert!(house.refused(late).contains("saleOpensAt"));
    house.import(catalogue("A", &starts.replace("2027", "2099"), 3));
    let date = &house.dates().await[0];
    assert_eq!((&date["concertTime"], &date["timeZone"]), (&json!("20:00"), &json!("America/New_York")));
}

#[tokio::test]
async fn names_are_compared_as_people_see_them_and_those_that_show_nothing_are_refused() {
    let house = House::new();
    let seats = |names: [&str; 2]| {
        let seat = |name: &str| json!({ "seatName": name, "zoneName": "Z", "price": 1 });
        let schedules = json!([{ "startsAt": STARTS, "seats": names.map(seat) }]);
        json!({ "concerts": [{ "concertName": "A", "artist": "B", "venue": "C", "schedules": schedules }] }).to_string()
    };
    for twice in [["A-1", "A-1 "], ["\u{c9}1", "E\u{301}1"]] {
        assert!(house.refused(seats(twice)).contains("named twice"), "{twice:?}");
    }
    for nothing in [" ", "\u{200b}", "\u{202e}"] {
        house.refused(seats(["A-1", nothing]));
        house.refused(catalogue(nothing, STARTS, 1));
    }
}

#[tokio::test]
async fn one_concert_that_is_named_twice_has_the_dates_of_both_and_is_known_again() {
    let house = House::new();
    let concert =
        |starts: &str| serde_json::from_str::<Value>(&catalogue("A", starts, 3)).unwrap()["concerts"][0].clone();
    let twice = json!({ "concerts": [concert(STARTS), concert("2099-12-25T10:30:00Z")] }).to_string();
    house.import(&twice);
    assert_eq!(house.on_sale().await, [3, 3]);
    assert!(house.import(&twice).contains("nothing to import"));
}

#[tokio::test]
async fn many_dates_are_imported_with_few_syncs() {
    let house = House::new();
    let concerts = (0..350).map(|number| {
        let zones = json!([{ "zoneName": "Z", "price": 100, "seats": 5 }]);
        let schedules: Vec<Value> =
            (1..=3).map(|day| json!({ "startsAt": format!("2099-12-0{day}T10:30:00Z"), "zones": zones })).collect();
        json!({ "concertName": format!("Concert {number}"), "artist": "B", "venue": "C", "schedules": schedules })
    });
    let said = house.import(json!({ "concerts": concerts.collect::<Vec<_>>() }).to_string());
    assert!(said.contains("350 concerts, 1050 dates, 5250 seats"), "{said}");
    let commands = "SELECT CAST(count(DISTINCT json_extract(metadata, '$.command_id')) AS TEXT) FROM log WHERE type LIKE 'Seat%' \
                    OR type LIKE 'Catalog%' OR type LIKE '%Published'";
    let commands: u64 = rows(&house.data(), commands).await[0].parse().unwrap();
    assert!(commands <= 12, "{commands}");
}

#[tokio::test]
async fn an_event_is_written_in_the_oldest_version_that_says_all_of_it() {
    let house = House::new();
    house.import(catalogue("A", STARTS, 3));
    let seat = json!({ "seatName": "1", "zoneName": "Z", "price": 1, "x": 1.5, "y": 2 });
    let schedules = json!([{ "startsAt": STARTS, "seatsPerUser": 2, "seats": [seat] }]);
    house.import(
        json!({ "concerts": [{ "concertName": "Other", "artist": "D", "venue": "E", "schedules": schedules }] })
            .to_string(),
    );
    let versions =
        "SELECT type || type_version FROM log WHERE type IN ('SeatsAdded', 'SchedulePublished') ORDER BY position";
    assert_eq!(
        rows(&house.data(), versions).await,
        ["SeatsAdded1", "SchedulePublished2", "SeatsAdded2", "SchedulePublished2"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_is_imported_beside_a_running_server_and_again_adds_nothing() {
    let house = House::new();
    let server = Server::start_in(&house.data(), &["--identity", "open"]);
    let (code, said, error) = house.run(catalogue("A", STARTS, 3), &["--dry-run"]);
    assert!(code == 0 && said.contains("to import: 1 concert, 1 date, 3 seats"), "{said}{error}");
    assert_eq!(server.count("CatalogImported").await, 0);
    let keyed = ["--reason", "autumn", "--idempotency-key", "autumn-1"];
    for _ in 0..2 {
        let (code, said, error) = house.run(catalogue("A", STARTS, 3), &keyed);
        assert!(code == 0 && said.contains("imported 1 concert, 1 date, 3 seats"), "{said}{error}");
    }
    assert!(house.import(catalogue("A", STARTS, 3)).contains("nothing to import"));
    assert_eq!(server.count("CatalogImported").await, 1);
    assert_eq!(server.get("/api/concerts/1/dates", "").await.ok()[0]["seatsTotal"], 3);
    assert!(house.refused(catalogue("A", STARTS, 5)).contains("\"Z-4\""));
    let (code, said, error) = house.run(catalogue("A", STARTS, 5), &["--dry-run"]);
    assert!(code == 1 && said.contains("differs:") && error.contains("\"Z-4\""), "{said}{error}");
    let actors = "SELECT json_extract(metadata, '$.actor') FROM log WHERE type = 'CatalogImported'";
    assert!(rows(&house.data(), actors).await[0].starts_with("local:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_server_is_killed_is_finished_by_its_file_or_never_sold() {
    let house = House::new();
    let mut server = Server::start_in(&house.data(), &["--identity", "open"]);
    let large = catalogue("A", STARTS, 200_000);
    let file = house.file(&large);
    let arguments = ["catalog", "import", file.to_str().unwrap()];
    let mut import = reprise(&house.data(), &arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while server.count("SeatsAdded").await == 0 {
        assert!(import.try_wait().unwrap().is_none(), "it ended before it began");
    }
    server.kill();
    let ended = import.wait_with_output().unwrap();
    let error = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && error.contains("--idempotency-key"), "{error}");
    let server = Server::start_in(&house.data(), &["--identity", "open"]);
    assert_eq!(server.get("/api/concerts/1/dates", "").await.ok(), &json!([]), "what was begun is not sold");
    house.import(&large);
    assert_eq!(server.get("/api/concerts/1/dates", "").await.ok()[0]["seatsTotal"], 200_000);
}
