//! A thousand seeds of random faults, in the server and on the wire to it.

use std::collections::HashSet;

use kurrent_stand_in::{Fault, Wire};

use super::*;
use crate::log::conformance::chain;

const SEEDS: u64 = 1_000;
/// So many seeds run side by side.
const SIDE_BY_SIDE: u64 = 16;
/// So many batches each of two nodes appends.
const BATCHES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_lose_nothing_and_double_nothing_whatever_fails() {
    let seeds = Arc::new(tokio::sync::Mutex::new(0..SEEDS));
    let running = (0..SIDE_BY_SIDE).map(|_| {
        let seeds = Arc::clone(&seeds);
        tokio::spawn(async move {
            loop {
                let Some(seed) = seeds.lock().await.next() else { return };
                let survived = tokio::spawn(two_nodes(seed)).await;
                assert!(survived.is_ok(), "seed {seed}: {survived:?}");
            }
        })
    });
    for run in running.collect::<Vec<_>>() {
        run.await.unwrap();
    }
}

/// What a node was told.
#[derive(Default)]
struct Told {
    written: Vec<Record>,
    not_written: Vec<Record>,
}

async fn two_nodes(seed: u64) {
    let mut stream = Stream::on(StandIn::start().await);
    let wire = Wire::to(stream.stand_in().address(0)).await;
    stream.url = format!("kurrentdb://{}?tls=false", wire.address());
    let (stream, wire) = (Arc::new(stream), Arc::new(wire));
    let node = |index: u64| {
        let random = fastrand::Rng::with_seed(2 * seed + index);
        tokio::spawn(node(Arc::clone(&stream), Arc::clone(&wire), random))
    };
    let nodes = [node(0), node(1)];
    let mut told = Told::default();
    for node in nodes {
        let Told { written, not_written } = node.await.unwrap();
        told.written.extend(written);
        told.not_written.extend(not_written);
    }
    wire.cut_after(None, None);
    told.written.sort_by_key(|record| record.position);
    let log = open(&stream).await;
    assert_eq!(whole(&log).await, told.written);
    let hashes: HashSet<_> = told.written.iter().map(|record| record.hash).collect();
    assert!(told.not_written.iter().all(|record| !hashes.contains(&record.hash)));
}

/// A handle, however often it takes: what was to be cut may be this.
async fn open(stream: &Stream) -> KurrentLog {
    loop {
        if let Ok(log) = KurrentLog::open_with(&stream.url(), QUICK).await {
            return log;
        }
    }
}

async fn node(stream: Arc<Stream>, wire: Arc<Wire>, mut random: fastrand::Rng) -> Told {
    let log = open(&stream).await;
    let mut told = Told::default();
    while told.written.len() < BATCHES {
        let head = persist(|| log.head()).await;
        let records = chain(&head, random.u64(1..4));
        fail(&stream, &wire, &mut random);
        match settle(&log, &head, &records).await {
            Settled::Written => told.written.extend(records),
            Settled::NotWritten => told.not_written.extend(records),
        }
    }
    told
}

/// Something goes wrong, or nothing.
fn fail(stream: &Stream, wire: &Wire, random: &mut fastrand::Rng) {
    let stand_in = stream.stand_in();
    match random.u8(..16) {
        0 => stand_in.fail(Fault::ReplyLost),
        1 => stand_in.fail(Fault::LandsLate(Duration::from_millis(random.u64(..20)))),
        2 => stand_in.fail(Fault::TimedOut),
        3 => stand_in.fail(Fault::NotReady),
        4 => stand_in.fail(Fault::Conflict),
        5 if random.bool() => stand_in.fail(Fault::Silent),
        6 => stand_in.cut(),
        7 => stand_in.end_subscriptions(),
        8 | 9 => wire.cut_after(Some(random.u64(..2_000)), None),
        10 => wire.cut_after(None, Some(random.u64(..200))),
        _ => {}
    }
}
