//! The database's own client reads and follows what the program wrote, record by record: on a real server where
//! `REPRISE_TEST_KURRENTDB` names one, else on the stand-in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use eventstore::{
    Client, ClientSettings, ReadStreamOptions, RecordedEvent, StreamPosition, SubscribeToStreamOptions,
    SubscriptionEvent,
};

use super::*;

/// A URL without and with the stream, and the stand-in that serves it.
async fn place(stream: &str) -> (String, String, Option<StandIn>) {
    let (url, stand_in) = match std::env::var("REPRISE_TEST_KURRENTDB") {
        Ok(url) => (url, None),
        Err(_) => {
            println!("REPRISE_TEST_KURRENTDB names no real server: on the stand-in");
            let stand_in = StandIn::start().await;
            (stand_in.url(), Some(stand_in))
        }
    };
    let log = format!("{url}{}stream={stream}", if url.contains('?') { "&" } else { "?" });
    (url, log, stand_in)
}

/// An event as a line of `reprise log export` has the record.
fn line(event: &RecordedEvent) -> Value {
    let envelope = std::str::from_utf8(&event.custom_metadata).unwrap();
    let members: Value = serde_json::from_str(envelope).unwrap();
    let (_, metadata) = envelope.split_once(",\"metadata\":").unwrap();
    let hash = STANDARD_NO_PAD.decode(members["hash"].as_str().unwrap()).unwrap();
    assert_eq!(event.id.as_bytes(), &hash[..16], "an event is known by its record's hash");
    assert!(event.is_json);
    json!({
        "position": event.revision + 1,
        "recordedAt": members["at"],
        "type": event.event_type,
        "typeVersion": members["v"],
        "data": std::str::from_utf8(&event.data).unwrap(),
        "metadata": metadata.strip_suffix('}').unwrap(),
        "hash": hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_databases_own_client_reads_and_follows_what_was_written_record_by_record() {
    let stream = format!("reprise-test-{}", uuid::Uuid::new_v4());
    let (url, log, _stand_in) = place(&stream).await;
    let client = Client::new(url.parse::<ClientSettings>().unwrap()).unwrap();
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Start);
    let mut following = client.subscribe_to_stream(stream.as_str(), &options).await;
    let mut server = Server::start(&["--demo", "--log", &log]);
    for amount in 1..=50 {
        charge(&server, amount).await.ok();
    }
    assert!(server.terminate().success());
    let file = server.folder().join("log.jsonl");
    let (code, output, error) =
        run(reprise(server.folder(), &["log", "export", file.to_str().unwrap(), "--log", &log]));
    assert_eq!(code, 0, "{output}{error}");
    let exported = std::fs::read_to_string(&file).unwrap();
    let exported: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // What ends the file is no record.
    let exported: Vec<Value> = exported.into_iter().filter(|line| line["metadata"].is_string()).collect();
    assert!(exported.len() > 50);

    let options = ReadStreamOptions::default().position(StreamPosition::Start);
    let (mut read, mut events) = (Vec::new(), client.read_stream(stream.as_str(), &options).await.unwrap());
    while let Some(event) = events.next().await.unwrap() {
        read.push(line(event.get_original_event()));
    }
    assert_eq!(read, exported);

    let mut followed = Vec::new();
    while followed.len() < exported.len() {
        let next = tokio::time::timeout(SOON, following.next_subscription_event()).await;
        if let SubscriptionEvent::EventAppeared(event) = next.unwrap().unwrap() {
            followed.push(line(event.get_original_event()));
        }
    }
    assert_eq!(followed, exported);
}
