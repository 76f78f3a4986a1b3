//! The server's own client holds the stand-in to the protocol: what it appends, reads and hears is what it would of a server.

use std::time::Duration;

use eventstore::operations;
use eventstore::{
    AppendToStreamOptions, Client, ClientSettings, Credentials, Error, EventData, ReadStreamOptions, StreamPosition,
    StreamState, SubscribeToStreamOptions, SubscriptionEvent,
};

use crate::{Fault, StandIn};

const STREAM: &str = "a-stream";

fn settings(url: &str) -> ClientSettings {
    url.parse().unwrap()
}

fn client(stand_in: &StandIn) -> Client {
    Client::new(settings(&stand_in.url())).unwrap()
}

fn event(id: u128, data: &str) -> EventData {
    EventData::binary("Happened", data.to_owned().into_bytes().into()).id(uuid::Uuid::from_u128(id))
}

async fn append(client: &Client, expected: StreamState, ids: &[u128]) -> eventstore::Result<u64> {
    let options = AppendToStreamOptions::default().stream_state(expected);
    let events: Vec<EventData> = ids.iter().map(|id| event(*id, &format!("number {id}"))).collect();
    Ok(client.append_to_stream(STREAM, &options, events).await?.next_expected_version)
}

async fn read(client: &Client, options: ReadStreamOptions) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let mut events = client.read_stream(STREAM, &options).await.unwrap();
    while let Some(event) = events.next().await.unwrap() {
        let event = event.get_original_event();
        assert_eq!(event.event_type, "Happened");
        assert!(event.created.timestamp() > 1_700_000_000, "{}", event.created);
        found.push((event.revision, String::from_utf8(event.data.to_vec()).unwrap()));
    }
    found
}

#[tokio::test]
async fn it_appends_and_reads_both_ways() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    assert_eq!(append(&client, StreamState::NoStream, &[1, 2, 3]).await.unwrap(), 2);
    assert_eq!(append(&client, StreamState::StreamRevision(2), &[4]).await.unwrap(), 3);
    let forwards = ReadStreamOptions::default().position(StreamPosition::Position(1)).max_count(2);
    let found = read(&client, forwards).await;
    assert_eq!(found, [(1, "number 2".to_owned()), (2, "number 3".to_owned())]);
    let last = ReadStreamOptions::default().position(StreamPosition::End).max_count(1);
    assert_eq!(read(&client, last).await, [(3, "number 4".to_owned())]);
    let nowhere = client.read_stream("elsewhere", &ReadStreamOptions::default()).await;
    let nowhere = match nowhere {
        Ok(mut events) => events.next().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(matches!(nowhere, Err(Error::ResourceNotFound)));
}

#[tokio::test]
async fn it_tells_a_conflict() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    append(&client, StreamState::NoStream, &[1, 2]).await.unwrap();
    for (expected, ids) in
        [(StreamState::NoStream, [7]), (StreamState::StreamRevision(0), [7]), (StreamState::StreamRevision(2), [7])]
    {
        let answer = append(&client, expected, &ids).await;
        assert!(matches!(answer, Err(Error::WrongExpectedVersion { .. })), "{answer:?}");
    }
    assert_eq!(stand_in.length(STREAM), 2);
}

/// As measured on a real server.
#[tokio::test]
async fn the_same_ids_succeed_again_at_the_same_revision_only() {
    let mut stand_in = StandIn::start().await;
    let before = client(&stand_in);
    append(&before, StreamState::NoStream, &[1]).await.unwrap();
    append(&before, StreamState::StreamRevision(0), &[2, 3]).await.unwrap();
    append(&before, StreamState::StreamRevision(2), &[4]).await.unwrap();
    assert_eq!(append(&before, StreamState::Any, &[2, 3]).await.unwrap(), 3);
    for _ in 0..2 {
        let client = client(&stand_in);
        assert_eq!(append(&client, StreamState::StreamRevision(0), &[2, 3]).await.unwrap(), 2);
        let mixed = append(&client, StreamState::StreamRevision(0), &[2, 9]).await;
        assert!(matches!(mixed, Err(Error::WrongExpectedVersion { .. })), "{mixed:?}");
        assert_eq!(stand_in.length(STREAM), 4);
        stand_in.stop(0).await;
        stand_in.restart(0).await.unwrap();
    }
    let after = client(&stand_in);
    assert_eq!(append(&after, StreamState::StreamRevision(3), &[4]).await.unwrap(), 4, "at the tip: again");
    assert_eq!(append(&after, StreamState::Any, &[2, 3]).await.unwrap(), 6, "with any after a restart: again");
}

#[tokio::test]
async fn a_stream_that_was_deleted_refuses_everything() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    append(&client, StreamState::NoStream, &[1]).await.unwrap();
    stand_in.delete(STREAM);
    let appended = append(&client, StreamState::StreamRevision(0), &[2]).await;
    assert!(matches!(appended, Err(Error::ResourceDeleted)), "{appended:?}");
    let read = match client.read_stream(STREAM, &ReadStreamOptions::default()).await {
        Ok(mut events) => events.next().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(matches!(read, Err(Error::ResourceDeleted)), "{read:?}");
}

#[tokio::test]
async fn it_refuses_more_than_a_mebibyte() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    let options = AppendToStreamOptions::default().stream_state(StreamState::NoStream);
    let filled = |bytes: usize| vec![event(1, &"x".repeat(bytes - 2 * "Happened".len()))];
    let over = client.append_to_stream(STREAM, &options, filled(1024 * 1024 + 1)).await;
    assert!(matches!(&over, Err(Error::Grpc { message, .. }) if message.contains("Maximum Append Size")), "{over:?}");
    client.append_to_stream(STREAM, &options, filled(1024 * 1024)).await.unwrap();
}

#[tokio::test]
async fn a_subscription_hears_of_what_comes() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    append(&client, StreamState::NoStream, &[1]).await.unwrap();
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Start);
    let mut subscription = client.subscribe_to_stream(STREAM, &options).await;
    let mut heard = Vec::new();
    while heard.len() < 3 {
        let next = tokio::time::timeout(Duration::from_secs(10), subscription.next_subscription_event());
        if let SubscriptionEvent::EventAppeared(event) = next.await.unwrap().unwrap() {
            let revision = event.get_original_event().revision;
            heard.push(revision);
            append(&client, StreamState::StreamRevision(revision), &[u128::from(revision) + 2]).await.unwrap();
        }
    }
    assert_eq!(heard, [0, 1, 2]);
}

#[tokio::test]
async fn it_wants_the_credentials_that_it_was_told_to() {
    let stand_in = StandIn::start().await;
    stand_in.demand("ann", "secret");
    let client = client(&stand_in);
    let denied = append(&client, StreamState::NoStream, &[1]).await;
    assert!(matches!(denied, Err(Error::AccessDenied)), "{denied:?}");
    let options = AppendToStreamOptions::default()
        .stream_state(StreamState::NoStream)
        .authenticated(Credentials::new("ann", "secret"));
    client.append_to_stream(STREAM, &options, vec![event(1, "")]).await.unwrap();
}

#[tokio::test]
async fn a_cluster_names_its_leader() {
    let stand_in = StandIn::cluster(3).await;
    stand_in.lead(2);
    let follower = Client::new(settings(&format!("kurrentdb://{}?tls=false", stand_in.address(0)))).unwrap();
    let options = AppendToStreamOptions::default().requires_leader(true);
    let sent_on = follower.append_to_stream(STREAM, &options, vec![event(1, "")]).await.unwrap_err();
    assert!(
        matches!(sent_on, Error::NotLeaderException(leader) if leader.port == u32::from(stand_in.address(2).port()))
    );
    let url = format!("{}&nodePreference=leader", stand_in.url());
    let found = operations::Client::new(settings(&url)).unwrap().current_selected_node().await.unwrap();
    assert_eq!(found.port, u32::from(stand_in.address(2).port()));
}

#[tokio::test]
async fn a_server_that_is_not_ready_says_so() {
    let stand_in = StandIn::start().await;
    stand_in.fail(Fault::NotReady);
    let refused = append(&client(&stand_in), StreamState::NoStream, &[1]).await;
    assert!(matches!(&refused, Err(Error::ServerError(why)) if why.contains("Server Is Not Ready")), "{refused:?}");
}
