//! A catalogue that is imported while the sale goes on.

use super::*;

const CATALOG: &str = "/api/operations/catalog";
const JSON: &str = "application/json";

fn file(name: &str, seats: u64) -> Value {
    let zones = json!([{ "zoneName": "Z", "price": 100, "seats": seats }]);
    let schedules = json!([{ "startsAt": "2099-12-24T10:30:00Z", "zones": zones }]);
    json!({ "concerts": [{ "concertName": name, "artist": "B", "venue": "C", "schedules": schedules }] })
}

impl Server {
    async fn import(&self, query: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answered {
        let path = format!("{CATALOG}{query}");
        Answered::of(self.operators(Method::POST, &path, headers, body.into()).await).await
    }

    async fn import_json(&self, query: &str, body: &Value) -> Answered {
        self.import(query, &[("content-type", JSON)], body.to_string()).await
    }
}

#[tokio::test]
async fn a_catalogue_is_imported_whole_and_the_log_names_who_did_it_and_why() {
    let server = Server::start(10).await;
    let imported = server.import_json("?reason=autumn%20shows", &file("A", 3)).await;
    assert_eq!(imported.status, StatusCode::OK, "{imported:?}");
    assert_eq!(imported.body["added"], json!({ "concerts": 1, "schedules": 1, "seats": 3 }));
    let last = server.log.records().pop().unwrap();
    assert_eq!(
        (&*last.event_type, imported.header("log-position")),
        ("CatalogImported", Some(&*last.position.to_string()))
    );
    assert!(last.data.contains("autumn shows") && last.metadata.contains(r#""actor":"operator""#), "{last:?}");
    assert_eq!(server.get("/api/concerts/2/dates", "").await.body[0]["seatsTotal"], 3);

    let again = server.import_json("?reason=autumn", &file("A", 3)).await;
    assert_eq!(again.body, json!({ "importId": null, "added": { "concerts": 0, "schedules": 0, "seats": 0 } }));
    assert_eq!(again.header("log-position"), Some(&*last.position.to_string()));
    assert_eq!(server.log.records().pop().unwrap(), last, "again, it adds nothing");
}

#[tokio::test]
async fn a_plan_is_told_and_nothing_is_written() {
    let server = Server::start(10).await;
    let before = server.log.head().await.unwrap();
    let plan = server.import_json("?dryRun=true", &file("A", 3)).await;
    assert_eq!((plan.status, &plan.body["concerts"][0]["status"]), (StatusCode::OK, &json!("NEW")));
    assert_eq!(plan.body["added"], json!({ "concerts": 1, "schedules": 1, "seats": 3 }));
    assert!(plan.body["words"].as_str().unwrap().contains("to import: 1 concert, 1 date, 3 seats"), "{plan:?}");
    assert_eq!((&plan.body["refusal"], server.log.head().await.unwrap()), (&Value::Null, before));
    server.import_json("", &file("A", 3)).await;
    let differs = server.import_json("?dryRun=true", &file("A", 5)).await;
    assert!(differs.body["refusal"].as_str().unwrap().contains("\"Z-4\""), "{differs:?}");
}

#[tokio::test]
async fn an_import_under_the_same_key_has_the_first_answer_again() {
    let server = Server::start(10).await;
    let import = async |name: &str| {
        let headers = [("content-type", JSON), ("idempotency-key", "a")];
        server.import("?reason=autumn", &headers, file(name, 3).to_string()).await
    };
    let first = import("A").await;
    assert_eq!(first.header("idempotent-replayed"), None);
    // What has happened since is no part of it.
    server.token(ANN).await;
    let again = import("A").await;
    assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &first.body));
    assert_eq!(again.header("log-position"), first.header("log-position"));
    assert_eq!(import("D").await.problem(), "idempotency-key-reused");
}

#[tokio::test]
async fn what_cannot_be_imported_is_told_and_nothing_is_written() {
    let server = Server::start(10).await;
    server.import_json("", &file("A", 3)).await;
    let before = server.log.head().await.unwrap();
    let mut wrong_zone = file("B", 3);
    wrong_zone["concerts"][0]["schedules"][0]["timeZone"] = json!("Asia/Atlantis");
    for (body, code) in [
        ("{", "malformed-body"),
        ("", "malformed-body"),
        (r#"{"concert":[]}"#, "invalid-request"),
        (&*wrong_zone.to_string(), "invalid-request"),
        (&*file("A", 5).to_string(), "catalog-conflict"),
        (&*file("D", 3).to_string(), "catalog-conflict"),
    ] {
        let refused = server.import("?reason=x", &[("content-type", JSON)], body.to_owned()).await;
        assert_eq!(refused.problem(), code, "{refused:?}");
    }
    for query in ["?reason=", "?dryRun=yes", "?new=1", &format!("?reason={}", "x".repeat(201))] {
        assert_eq!(server.import_json(query, &file("B", 3)).await.problem(), "invalid-request", "{query}");
    }
    for headers in [&[("content-type", "text/plain")][..], &[("content-type", JSON), ("content-encoding", "gzip")]] {
        assert_eq!(server.import("", headers, "{}").await.problem(), "unsupported-media-type", "{headers:?}");
    }
    assert_eq!(server.log.head().await.unwrap(), before);
    assert_eq!(server.import_json("?new=true", &file("D", 3)).await.status, StatusCode::OK, "as it is said to be new");
}

#[tokio::test]
async fn a_file_of_64_mib_is_read_and_one_byte_more_is_too_large() {
    let server = Server::start(10).await;
    let filled = |bytes: usize| {
        let mut file = file("A", 3).to_string();
        file.push_str(&" ".repeat(bytes - file.len()));
        file
    };
    let too_large = server.import("", &[("content-type", JSON)], filled(64 * 1024 * 1024 + 1)).await;
    assert_eq!(too_large.problem(), "body-too-large");
    assert_eq!(server.import("", &[("content-type", JSON)], filled(64 * 1024 * 1024)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_csv_of_seats_is_imported_too() {
    let server = Server::start(10).await;
    let sheet = "concertName,artist,venue,startsAt,timeZone,zoneName,seatName,price\r\nA,B,C,2099-07-04T20:00:00,Asia/Seoul,VIP,A-1,200000\r\n";
    let imported = server.import("", &[("content-type", "text/csv")], sheet).await;
    assert_eq!((imported.status, &imported.body["added"]["seats"]), (StatusCode::OK, &json!(1)), "{imported:?}");
}
