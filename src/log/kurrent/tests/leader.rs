//! The leader moves, goes, and comes back; the log may be another one then.

use kurrent_stand_in::Wire;
use tonic::Request;
use tonic::client::Grpc;
use tonic::codec::ProstCodec;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::tokio_stream::{self, StreamExt};
use tonic::metadata::MetadataValue;
use tonic::transport::Endpoint;

use super::protocol::{
    APPEND, AppendContent, AppendOptions, AppendReq, AppendResp, Empty, Expected, REQUIRES_LEADER, StreamIdentifier,
};
use super::*;
use crate::log::conformance::chain;

async fn cluster() -> (Stream, KurrentLog) {
    let stream = Stream::on(StandIn::cluster(3).await);
    let log = stream.log().await;
    (stream, log)
}

async fn append_one(log: &KurrentLog, all: &mut Vec<Record>) -> Result<(), AppendError> {
    let head = all.last().map_or(Head::EMPTY, Record::head);
    let records = chain(&head, 1);
    log.append(&head, &records).await?;
    all.extend(records);
    Ok(())
}

#[tokio::test]
async fn appends_and_reads_follow_the_leader_without_an_error() {
    let (stream, log) = cluster().await;
    let mut all = Vec::new();
    for leader in [0, 1, 2, 0, 2, 1] {
        stream.stand_in().lead(leader);
        append_one(&log, &mut all).await.unwrap();
        stream.stand_in().lead((leader + 1) % 3);
        assert_eq!(log.head().await.unwrap(), all.last().unwrap().head());
    }
    assert_eq!(whole(&log).await, all);
}

#[tokio::test]
async fn a_leader_that_goes_is_left_for_the_next_one() {
    let (mut stream, log) = cluster().await;
    let mut all = Vec::new();
    append_one(&log, &mut all).await.unwrap();
    let stand_in = stream.stand_in.as_mut().unwrap();
    stand_in.stop(0).await;
    stand_in.lead(2);
    // The broken connection may be noticed while the append is under way, or before.
    let head = all[0].head();
    let records = chain(&head, 1);
    assert_eq!(settle(&log, &head, &records).await, Settled::Written);
    all.extend(records);
    append_one(&log, &mut all).await.unwrap();
    assert_eq!(whole(&log).await, all);
}

#[tokio::test]
async fn a_server_that_is_lost_refuses_and_is_found_again() {
    let mut stream = Stream::on(StandIn::start().await);
    let log = stream.log().await;
    let mut all = Vec::new();
    append_one(&log, &mut all).await.unwrap();
    let stand_in = stream.stand_in.as_mut().unwrap();
    stand_in.stop(0).await;
    while !matches!(append_one(&log, &mut all).await, Err(AppendError::Unavailable(_))) {}
    assert!(matches!(log.head().await, Err(ReadError::Unavailable(_))));
    stand_in.restart(0).await.unwrap();
    append_one(&log, &mut all).await.unwrap();
    assert_eq!(whole(&log).await, all);
}

#[tokio::test]
async fn a_peer_that_goes_silent_is_given_up() {
    let mut stream = Stream::on(StandIn::start().await);
    let wire = Wire::to(stream.stand_in().address(0)).await;
    stream.url = format!("kurrentdb://{}?tls=false", wire.address());
    let log = KurrentLog::open_with(&stream.url(), QUICK).await.unwrap();
    let mut all = Vec::new();
    append_one(&log, &mut all).await.unwrap();
    wire.silence(true);
    assert!(matches!(log.read(Position::START, 9).await, Err(ReadError::Unavailable(_))));
    let head = all[0].head();
    let records = chain(&head, 1);
    let unheard = log.append(&head, &records).await;
    assert!(matches!(unheard, Err(AppendError::Unavailable(_) | AppendError::Unknown(_))), "{unheard:?}");
    wire.silence(false);
    assert_eq!(settle(&log, &head, &records).await, Settled::Written);
}

#[tokio::test]
async fn after_a_reconnect_the_hash_at_the_head_is_compared() {
    let mut stream = Stream::on(StandIn::start().await);
    let (name, log) = (stream.name.clone(), stream.log().await);
    let mut all = Vec::new();
    for _ in 0..3 {
        append_one(&log, &mut all).await.unwrap();
    }
    // A backup of the first record is restored, and another node goes on from there, to the same length.
    let stand_in = stream.stand_in.as_mut().unwrap();
    stand_in.stop(0).await;
    stand_in.rewind(&name, 1);
    stand_in.restart(0).await.unwrap();
    let others = chain(&all[0].head(), 2);
    stream.log().await.append(&all[0].head(), &others).await.unwrap();
    // The connection of before may take one more append with it when it breaks.
    let told = loop {
        match append_one(&log, &mut all).await {
            Err(AppendError::Unknown(_) | AppendError::Unavailable(_)) => {}
            told => break told,
        }
    };
    assert_eq!(told, Err(AppendError::Conflict));
    assert_eq!(whole(&log).await, [&all[..1], &others].concat());
}

/// It may not look like the log's end: whoever took it for that would decide on less than there is.
#[tokio::test]
async fn a_reading_that_breaks_off_is_not_taken_for_all() {
    let stream = Stream::on(StandIn::start().await);
    let (log, mut all) = (stream.log().await, Vec::new());
    for _ in 0..3 {
        append_one(&log, &mut all).await.unwrap();
    }
    while !log.follower.lives() {
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
    stream.stand_in().tear_readings(2);
    assert!(matches!(log.read(Position::START, 9).await, Err(ReadError::Unavailable(_))));
    assert!(matches!(log.head().await, Err(ReadError::Unavailable(_))));
    assert_eq!(whole(&log).await, all);
    // A reading of nothing is whole.
    assert_eq!(log.read(Position::new(3), 9).await, Ok(vec![]));
}

/// A node gives up an append that takes too long. The stand-in has a part of the records then, and may not write it: no
/// server does.
#[tokio::test]
async fn an_append_that_is_given_up_midway_writes_nothing() {
    let stream = Stream::on(StandIn::start().await);
    let node = Endpoint::from_shared(format!("http://{}", stream.stand_in().address(0))).unwrap();
    let mut grpc = Grpc::new(node.connect().await.unwrap());
    grpc.ready().await.unwrap();
    let identifier = StreamIdentifier { stream_name: stream.name.clone().into() };
    let options = AppendOptions { stream: Some(identifier), expected: Some(Expected::NoStream(Empty {})) };
    let first = AppendContent::Proposed(propose(&chain(&Head::EMPTY, 1)[0]));
    let begun = [AppendContent::Options(options), first].map(|content| AppendReq { content: Some(content) });
    let mut request = Request::new(tokio_stream::iter(begun).chain(tokio_stream::pending()));
    request.metadata_mut().insert(REQUIRES_LEADER, MetadataValue::from_static("true"));
    let codec = ProstCodec::<AppendReq, AppendResp>::default();
    let appending = grpc.client_streaming(request, PathAndQuery::from_static(APPEND), codec);
    assert!(tokio::time::timeout(QUICK.append, appending).await.is_err());
    tokio::time::sleep(QUICK.append).await;
    assert_eq!(stream.stand_in().length(&stream.name), 0);
}

#[tokio::test]
async fn a_subscription_that_ends_is_made_again_and_holds_nobody_up() {
    let stream = Stream::on(StandIn::start().await);
    let (log, other) = (stream.log().await, stream.log().await);
    let mut all = Vec::new();
    for _ in 0..3 {
        while !log.follower.lives() {
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
        append_one(&other, &mut all).await.unwrap();
        // Only the subscription can tell: this handle reads nothing.
        while log.follower.clock().is_none() {
            log.wait_past(Position::new(all.len() as u64 - 1)).await;
        }
        stream.stand_in().end_subscriptions();
        while log.follower.lives() {
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }
}

#[tokio::test]
async fn the_clock_is_the_servers_once_something_was_written() {
    let stream = Stream::on(StandIn::start().await);
    let (log, other) = (stream.log().await, stream.log().await);
    while !log.follower.lives() {
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
    assert_eq!(log.clock().await, Ok(None));
    const AHEAD_MS: i64 = 3_600_000;
    stream.stand_in().set_clock_ahead(AHEAD_MS);
    append_one(&other, &mut Vec::new()).await.unwrap();
    let told = loop {
        match log.clock().await.unwrap() {
            Some(told) => break told,
            None => tokio::time::sleep(SETTLE_PAUSE).await,
        }
    };
    let now = jiff::Timestamp::now().as_millisecond();
    assert!((told.millis() - now - AHEAD_MS).abs() < AHEAD_MS / 2, "{} is not an hour past {now}", told.millis());
}
