//! Several nodes on one log: what they take together, whether each has its share, and what becomes of a slow one.
//!
//! Over HTTP each node is a process of its own. Without, all run in this one, each with an engine and connections of its own;
//! they share nothing but the log.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Head, Position, Record, Timestamp};
use reprise::key::KEY_FILE;
use reprise::log::{AppendError, EventLog, LogAddress, ReadError};

use crate::http::alternation::{Side, WARM_UP};
use crate::http::child::Server;
use crate::http::requests;
use crate::http::scripts::Again;
use crate::node::Node;
use crate::process::Cpu;
use crate::sale::{self, Guest};
use crate::sample::Sample;
use crate::scenarios::engine::charge;
use crate::scenarios::one_each;
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

const NAME: &str = "nodes";
const NODES: usize = 3;
/// What a node takes of a processor for a record that another node wrote, in microseconds.
const FOLLOWING_MICROS: f64 = 5.0;
/// What they take together, against one node on the same machine.
const SUM_OF_ONE: f64 = 0.7;
/// What each takes, against an equal share.
const OF_FAIR_SHARE: f64 = 0.7;
/// How much longer each cycle of the slow node takes.
const SLOWER_BY: Duration = Duration::from_millis(5);
/// What the slow node takes, against an equal share.
const SLOW_OF_FAIR_SHARE: f64 = 0.5;
/// The 99th percentile is at most so many times the median.
const P99_OF_P50: f64 = 10.0;

/// Runs it, where the log is one that several nodes can share.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    if options.log == LogAddress::Sqlite {
        eprintln!("left out: a log in SQLite has one node; --log postgres://… or kurrentdb://… can have several");
        return Ok(Vec::new());
    }
    let folder = options.folder()?;
    let guests =
        sale::prepare(options.open_log(folder.path()).await?.as_ref(), folder.path(), one_each(options)).await?;
    let mut rows = Vec::new();
    for clients in options.connections.iter().copied().filter(|clients| *clients >= NODES) {
        let guests = &guests[..clients];
        rows.extend(over_http(options, folder.path(), guests).await?);
        let one = together(options, folder.path(), guests, &[Duration::ZERO]).await?;
        let all = together(options, folder.path(), guests, &[Duration::ZERO; NODES]).await?;
        rows.push(Row::of(NAME, "without HTTP, one node", clients, &one[0]));
        rows.extend(shares("without HTTP", &all, &one[0], clients));
        let slow = together(options, folder.path(), guests, &[SLOWER_BY, Duration::ZERO, Duration::ZERO]).await?;
        let row = share("without HTTP", &slow[0], sum(&slow), clients / NODES);
        rows.push(
            row.noting("its cycle is 5 ms longer than the others'").must(Bound::RatioAtLeast(SLOW_OF_FAIR_SHARE)),
        );
    }
    Ok(rows)
}

/// The same load on one node, then on one of three, and then a third of it on each of three.
async fn over_http(options: &Options, folder: &Path, guests: &[Guest]) -> Result<Vec<Row>, BenchError> {
    let key = folder.join(KEY_FILE);
    let start = |name: &str| Server::node(&folder.join(name), &options.log, &key);
    let one = start("one")?;
    let charge = |number: usize| Again(requests::charge(&guests[number]));
    let mut alone = Side::of(&one, guests.len(), charge).await?;
    alone.turn(WARM_UP).await?;
    let alone = alone.turn(options.round()).await?;
    let servers = [one, start("two")?, start("three")?];
    let mut seller = Side::of(&servers[0], guests.len(), charge).await?;
    seller.turn(WARM_UP).await?;
    let before = Cpu::of(servers[1].pid());
    let mut followed = seller.turn(options.round()).await?;
    let sold_micros = followed.cpu_micros();
    followed.cpu = Cpu::of(servers[1].pid()).since(&before);
    let mut sides = Vec::new();
    let share = guests.len() / NODES;
    for (server, first) in servers.iter().zip((0..).step_by(share)) {
        sides.push(Side::of(server, share, |number| charge(first + number)).await?);
    }
    let [first, second, third] = sides.as_mut_slice() else { return Ok(Vec::new()) };
    tokio::try_join!(first.turn(WARM_UP), second.turn(WARM_UP), third.turn(WARM_UP))?;
    let round = options.round();
    let all: [Sample; NODES] = tokio::try_join!(first.turn(round), second.turn(round), third.turn(round))?.into();
    let mut rows = vec![Row::of(NAME, "over HTTP, one node", guests.len(), &alone)];
    let what = "over HTTP, a node that is not asked: its CPU a record of another; against the other's";
    let row = Row::figure(NAME, what, followed.cpu_micros(), "us").against_figure(sold_micros);
    rows.push(row.noting(followed.cpu_parts()).must(Bound::Below(FOLLOWING_MICROS)));
    let mut together = shares("over HTTP", &all, &alone, guests.len());
    if let Some(row) = together.first_mut() {
        *row = std::mem::take(row).must(Bound::RatioAtLeast(SUM_OF_ONE));
    }
    rows.extend(together);
    Ok(rows)
}

/// What all take together against one alone, and each of them against an equal share.
fn shares(how: &str, all: &[Sample], one: &Sample, clients: usize) -> Vec<Row> {
    let mut rows =
        vec![Row::figure(NAME, format!("{how}, {NODES} nodes together"), sum(all), "/s").against_figure(one.rate())];
    for sample in all {
        rows.push(share(how, sample, sum(all), clients / NODES).must(Bound::RatioAtLeast(OF_FAIR_SHARE)));
        let spread = sample.quantile_ms(0.99) / sample.quantile_ms(0.5).max(f64::EPSILON);
        rows.push(Row::figure(NAME, "its p99 against its p50", spread, "times").must(Bound::Below(P99_OF_P50)));
    }
    rows
}

fn sum(all: &[Sample]) -> f64 {
    all.iter().map(Sample::rate).sum()
}

/// What one of the nodes takes, against an equal share of all.
fn share(how: &str, sample: &Sample, sum: f64, clients: usize) -> Row {
    Row::of(NAME, format!("{how}, one of {NODES}, against an equal share"), clients, sample)
        .against_figure(sum / NODES as f64)
}

/// One node for each delay, with an equal part of the guests: what each took.
async fn together(
    options: &Options,
    folder: &Path,
    guests: &[Guest],
    delays: &[Duration],
) -> Result<Vec<Sample>, BenchError> {
    let mut nodes = Vec::new();
    for delay in delays {
        let log: Arc<dyn EventLog> = Arc::new(Slow { log: options.open_log(folder).await?, delay: *delay });
        nodes.push(Node::start(log, folder).await?);
    }
    let share = guests.len() / nodes.len();
    let mut running = Vec::new();
    for (node, guests) in nodes.iter().zip(guests.chunks_exact(share)) {
        let (engine, guests, lasting) = (node.engine.clone(), guests.to_vec(), options.round());
        running.push(tokio::spawn(async move { charge(&engine, &guests, lasting).await }));
    }
    let mut samples = Vec::new();
    for node in running {
        samples.push(node.await??);
    }
    for node in nodes {
        node.stop().await?;
    }
    Ok(samples)
}

/// A log that a node is this much later at with each append.
struct Slow {
    log: Arc<dyn EventLog>,
    delay: Duration,
}

#[async_trait]
impl EventLog for Slow {
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.log.append(expected, records).await
    }

    async fn compare_head(&self, expected: &Head) -> Result<(), AppendError> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.log.compare_head(expected).await
    }

    async fn end_turn(&self) {
        self.log.end_turn().await;
    }

    async fn probe(&self, expected: &Head) -> Result<(), AppendError> {
        self.log.probe(expected).await
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.log.read(after, limit).await
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.log.head().await
    }

    async fn wait_past(&self, after: Position) {
        self.log.wait_past(after).await;
    }

    fn is_shared(&self) -> bool {
        self.log.is_shared()
    }

    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        self.log.clock().await
    }

    async fn close(&self) {
        self.log.close().await;
    }
}
