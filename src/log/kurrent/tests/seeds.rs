//! Random faults, in the server and on the wire to it: the conformance suite, several nodes, and two that only append.
//!
//! `REPRISE_TEST_SEEDS` says how many seeds each of them is run with, side by side; measured once with 1,000.

use std::collections::HashSet;
use std::sync::Mutex;

use kurrent_stand_in::{Fault, Wire};
use tokio::task::{JoinSet, LocalSet, spawn_local};

use super::*;
use crate::log::conformance::{chain, passes};

/// How many seeds run at once.
const SIDE_BY_SIDE: usize = 16;
/// How many seeds with engines run at once. All share one core, and a command must be decided within its deadline.
const NODES_SIDE_BY_SIDE: usize = 4;
/// The longest pause between two things that go wrong.
const MAX_PAUSE: Duration = Duration::from_millis(40);
/// So many batches each of two nodes appends.
const BATCHES: usize = 4;

/// Runs with as many seeds as usual, unless the environment says otherwise.
async fn each_seed<F: Future<Output = ()> + 'static>(usual: u64, side_by_side: usize, run: impl Fn(u64) -> F) {
    let seeds = std::env::var("REPRISE_TEST_SEEDS").map_or(usual, |seeds| seeds.parse().unwrap());
    let seeding = async {
        let mut running = JoinSet::new();
        for seed in 0..seeds {
            if running.len() == side_by_side {
                running.join_next().await.unwrap().unwrap();
            }
            let run = run(seed);
            running.spawn_local(async move {
                let survived = spawn_local(run).await;
                assert!(survived.is_ok(), "seed {seed}: {survived:?}");
            });
        }
        while let Some(ended) = running.join_next().await {
            ended.unwrap();
        }
    };
    LocalSet::new().run_until(seeding).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_lose_nothing_and_double_nothing_whatever_fails() {
    each_seed(1_000, SIDE_BY_SIDE, two_nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_on_a_server_whose_appends_fail() {
    each_seed(8, SIDE_BY_SIDE, |seed| async move {
        let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
        let fresh = async || {
            let stream = Arc::new(Stream::on(StandIn::start().await));
            Failing { stream, random: Arc::clone(&random) }
        };
        passes(fresh).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_sell_from_one_log_whatever_fails() {
    each_seed(16, NODES_SIDE_BY_SIDE, |seed| async move {
        let seeds = Mutex::new(fastrand::Rng::with_seed(seed));
        let fresh = async || {
            let random = seeds.lock().unwrap().fork();
            Troubled::start(random).await
        };
        crate::engine::tests::nodes::pass(fresh).await;
    })
    .await;
}

/// A log on a server whose appends fail at random, used as the sequencer uses it.
struct Settling {
    log: KurrentLog,
    stand_in: Arc<Stream>,
    random: Arc<Mutex<fastrand::Rng>>,
}

#[async_trait]
impl EventLog for Settling {
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        if self.random.lock().unwrap().u8(..) < 64 {
            let faults =
                [Fault::ReplyLost, Fault::TimedOut, Fault::LandsLate(SETTLE_PAUSE), Fault::Silent, Fault::Conflict];
            let fault = self.random.lock().unwrap().usize(..faults.len());
            self.stand_in.stand_in().fail(faults[fault]);
        }
        loop {
            match settle(&self.log, expected, records).await {
                Settled::Written => return Ok(()),
                Settled::NotWritten => return Err(AppendError::Conflict),
                Settled::NotSent => {}
            }
        }
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        Ok(persist(|| self.log.read(after, limit)).await)
    }

    async fn head(&self) -> Result<Head, ReadError> {
        Ok(persist(|| self.log.head()).await)
    }

    async fn wait_past(&self, after: Position) {
        self.log.wait_past(after).await;
    }
}

struct Failing {
    stream: Arc<Stream>,
    random: Arc<Mutex<fastrand::Rng>>,
}

#[async_trait]
impl Fixture for Failing {
    async fn open(&self) -> Arc<dyn EventLog> {
        let log = open(&self.stream).await;
        Arc::new(Settling { log, stand_in: Arc::clone(&self.stream), random: Arc::clone(&self.random) })
    }

    fn carries_on_unasked(&self) -> bool {
        false
    }

    async fn alter(&self, position: Position) {
        self.stream.alter(position).await;
    }

    async fn remove(&self, position: Position) {
        self.stream.remove(position).await;
    }
}

/// A log on a server, and over a wire, with which things go wrong once they are told to.
struct Troubled {
    stream: Arc<Stream>,
    wire: Arc<Wire>,
    random: Mutex<fastrand::Rng>,
    failing: Mutex<Option<JoinHandle<()>>>,
}

impl Troubled {
    async fn start(random: fastrand::Rng) -> Self {
        let (stream, wire) = over_a_wire().await;
        Self { stream, wire, random: Mutex::new(random), failing: Mutex::default() }
    }
}

#[async_trait]
impl Fixture for Troubled {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(open(&self.stream).await)
    }

    fn trouble(&self) -> bool {
        let (stream, wire, mut random) =
            (Arc::clone(&self.stream), Arc::clone(&self.wire), self.random.lock().unwrap().fork());
        let failing = tokio::spawn(async move {
            loop {
                tokio::time::sleep(MAX_PAUSE.mul_f64(random.f64())).await;
                fail(&stream, &wire, &mut random);
            }
        });
        *self.failing.lock().unwrap() = Some(failing);
        true
    }

    fn carries_on_unasked(&self) -> bool {
        false
    }

    async fn alter(&self, position: Position) {
        self.stream.alter(position).await;
    }

    async fn remove(&self, position: Position) {
        self.stream.remove(position).await;
    }
}

impl Drop for Troubled {
    fn drop(&mut self) {
        let failing = self.failing.lock().unwrap().take();
        if let Some(failing) = failing {
            failing.abort();
        }
    }
}

async fn over_a_wire() -> (Arc<Stream>, Arc<Wire>) {
    let mut stream = Stream::on(StandIn::start().await);
    let wire = Wire::to(stream.stand_in().address(0)).await;
    stream.url = format!("kurrentdb://{}?tls=false", wire.address());
    (Arc::new(stream), Arc::new(wire))
}

/// What a node was told.
#[derive(Default)]
struct Told {
    written: Vec<Record>,
    not_written: Vec<Record>,
}

async fn two_nodes(seed: u64) {
    let (stream, wire) = over_a_wire().await;
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
            Settled::NotWritten | Settled::NotSent => told.not_written.extend(records),
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
