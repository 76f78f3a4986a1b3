//! What the server counts of itself, as Prometheus reads it, after a sale.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use projections::sql::MODELS;

use crate::server::Server;

/// What must be there, of which type.
const FAMILIES: [(&str, &str); 22] = [
    ("reprise_http_requests_total", "counter"),
    ("reprise_http_request_duration_seconds", "histogram"),
    ("reprise_commands_total", "counter"),
    ("reprise_lane_length", "gauge"),
    ("reprise_batch_commands", "histogram"),
    ("reprise_batch_records", "histogram"),
    ("reprise_batch_decide_duration_seconds", "histogram"),
    ("reprise_batch_append_duration_seconds", "histogram"),
    ("reprise_append_failures_total", "counter"),
    ("reprise_log_position", "gauge"),
    ("reprise_ready", "gauge"),
    ("reprise_room_waiting", "gauge"),
    ("reprise_room_active", "gauge"),
    ("reprise_room_capacity", "gauge"),
    ("reprise_room_admitted_total", "counter"),
    ("reprise_projection_lag_events", "gauge"),
    ("reprise_projection_lag_seconds", "gauge"),
    ("process_cpu_seconds_total", "gauge"),
    ("process_resident_memory_bytes", "gauge"),
    ("process_open_fds", "gauge"),
    ("process_threads", "gauge"),
    ("process_start_time_seconds", "gauge"),
];

/// A scrape: of each family its help, its type, and its samples by name and labels.
#[derive(Default)]
struct Family {
    help: String,
    kind: String,
    samples: BTreeMap<String, f64>,
}

async fn scrape(server: &Server) -> BTreeMap<String, Family> {
    let response = server.request(Method::GET, "/metrics", "").send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = response.text().await.unwrap();
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            name.clone_into(&mut current);
            families.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(sample.starts_with(&current), "{sample} stands under {current}");
            families.get_mut(&current).unwrap().samples.insert(sample.to_owned(), value.parse().unwrap());
        }
    }
    families
}

/// A seat is sold, a charge is refused, and another's wallet is asked for.
async fn sell(server: &Server) {
    let token = server.token(42).await;
    let hold = json!({ "concertId": 1, "scheduleId": 296, "userId": 42, "seatId": 1 });
    let held = server.post("/api/concerts/reservation", &token, hold).await;
    let pay = json!({ "reservationId": held.ok()["reservationId"], "userId": 42, "paymentAmount": 200_000 });
    server.post("/api/payments", &token, pay.clone()).await.problem();
    server.post("/api/users/42/points/charge", &token, json!({ "amount": 0 })).await.problem();
    server.post("/api/users/42/points/charge", &token, json!({ "amount": 200_000 })).await.ok();
    server.post("/api/payments", &token, pay).await.ok();
    server.token(43).await;
}

#[tokio::test]
async fn what_it_does_is_counted() {
    let server = Server::demo();
    sell(&server).await;
    let families = scrape(&server).await;
    for (family, sample, expected) in [
        ("reprise_commands_total", r#"{kind="pay-reservation",outcome="accepted"}"#, 1.0),
        ("reprise_commands_total", r#"{kind="pay-reservation",outcome="rejected"}"#, 1.0),
        ("reprise_commands_total", r#"{kind="pay-reservation",outcome="overloaded"}"#, 0.0),
        ("reprise_http_requests_total", r#"{method="POST",route="/api/payments",status="409"}"#, 1.0),
        (
            "reprise_http_requests_total",
            r#"{method="POST",route="/api/users/{userId}/points/charge",status="422"}"#,
            1.0,
        ),
        ("reprise_append_failures_total", r#"{why="conflict"}"#, 0.0),
        ("reprise_append_failures_total", r#"{why="unknown"}"#, 0.0),
        ("reprise_lane_length", r#"{lane="inside"}"#, 0.0),
        ("reprise_lane_length", r#"{lane="joining"}"#, 0.0),
        ("reprise_room_active", "", 1.0),
        ("reprise_room_waiting", "", 0.0),
        ("reprise_room_admitted_total", "", 2.0),
        ("reprise_ready", "", 1.0),
    ] {
        let found = families[family].samples.get(&format!("{family}{sample}"));
        assert_eq!(found, Some(&expected), "{family}{sample}");
    }
    for projection in MODELS.map(|model| model.name) {
        for unit in ["events", "seconds"] {
            let family = format!("reprise_projection_lag_{unit}");
            assert!(families[&family].samples.contains_key(&format!(r#"{family}{{projection="{projection}"}}"#)));
        }
    }
}

#[tokio::test]
async fn every_family_is_there_from_the_first_sale_on_and_says_what_it_is() {
    let server = Server::demo();
    sell(&server).await;
    let families = scrape(&server).await;
    for (name, kind) in FAMILIES {
        let family = families.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(family.kind, kind, "{name}");
        assert!(!family.samples.is_empty(), "{name}");
    }
    for (name, family) in &families {
        assert!(!family.help.is_empty(), "{name} has no help");
        assert!(family.kind != "counter" || name.ends_with("_total"), "{name} is a counter");
        assert!(!["_ms", "_millis", "_percent", "_mb"].iter().any(|unit| name.ends_with(unit)), "{name}");
    }
}

/// A duration in buckets that are not seconds, or counted in another unit, is no latency.
#[tokio::test]
async fn durations_are_in_seconds_and_sizes_in_what_they_count() {
    let server = Server::demo();
    sell(&server).await;
    let families = scrape(&server).await;
    for (name, family) in families.iter().filter(|(_, family)| family.kind == "histogram") {
        let bound = |bound: &str| family.samples.keys().any(|sample| sample.contains(&format!("le=\"{bound}\"")));
        let is_duration = name.ends_with("_seconds");
        assert_eq!((bound("0.0001"), bound("1024")), (is_duration, !is_duration), "{name}");
    }
    for name in ["reprise_batch_commands", "reprise_batch_records"] {
        let sample = |end: &str| families[name].samples[&format!("{name}_{end}")];
        assert!(sample("sum") >= sample("count") && sample("count") > 0.0, "{name}: each batch has one at least");
    }
    let memory = families["process_resident_memory_bytes"].samples["process_resident_memory_bytes"];
    assert!(memory > 1e6, "{memory} bytes");
    let cpu = families["process_cpu_seconds_total"].samples["process_cpu_seconds_total"];
    assert!(cpu > 0.0, "{cpu} s of CPU");
}
