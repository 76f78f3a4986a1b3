//! A connection that is cut at every byte of an append.

use kurrent_stand_in::Wire;

use super::*;
use crate::log::conformance::chain;

/// A log over a wire that can be cut, without a subscription: every byte on the wire is an append's.
async fn over_a_wire(stream: &mut Stream) -> (KurrentLog, Wire) {
    let server = Settings::parse(&stream.url).unwrap().nodes.remove(0);
    let address = tokio::net::lookup_host((server.host, server.port)).await.unwrap().next().unwrap();
    let wire = Wire::to(address).await;
    stream.url = format!("kurrentdb://{}?tls=false", wire.address());
    let log = stream.log().await;
    log.tasks.iter().for_each(JoinHandle::abort);
    (log, wire)
}

/// A wire cannot stand between the ends of TLS, and a cluster's leader is named past it: there the stand-in serves.
async fn reachable_by_wire() -> Stream {
    let stream = Stream::fresh().await;
    let Settings { nodes, tls, authorization, .. } = Settings::parse(&stream.url).unwrap();
    if nodes.len() == 1 && tls.is_none() && authorization.is_none() {
        return stream;
    }
    println!("on the stand-in, since the server that was named is a cluster or lets in only some");
    Stream::on(StandIn::start().await)
}

/// Appends one record after another; the wire is cut one byte later each time, until it no longer is within an append.
async fn cut_at_every_byte(cut: impl Fn(&Wire, u64)) -> u64 {
    let mut stream = reachable_by_wire().await;
    let (log, wire) = over_a_wire(&mut stream).await;
    let mut written: Vec<Record> = Vec::new();
    for bytes in 1.. {
        let head = written.last().map_or(Head::EMPTY, Record::head);
        cut(&wire, bytes);
        loop {
            let records = chain(&head, 1);
            if settle(&log, &head, &records).await == Settled::Written {
                written.extend(records);
                break;
            }
        }
        if wire.will_be_cut() {
            wire.cut_after(None, None);
            assert_eq!(whole(&log).await, written);
            return bytes;
        }
    }
    unreachable!("an append has an end")
}

#[tokio::test]
async fn a_request_cut_at_any_byte_loses_nothing_and_doubles_nothing() {
    let bytes = cut_at_every_byte(|wire, bytes| wire.cut_after(Some(bytes), None)).await;
    // Less would mean that it was not the append that was cut: a charge alone has more.
    assert!(bytes > 400, "{bytes}");
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_loses_nothing_and_doubles_nothing() {
    let bytes = cut_at_every_byte(|wire, bytes| wire.cut_after(None, Some(bytes))).await;
    assert!(bytes > 20, "{bytes}");
}
