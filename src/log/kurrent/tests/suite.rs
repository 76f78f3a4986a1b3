//! The conformance suite: as it is, and on a server that fails.

use std::sync::Mutex;

use kurrent_stand_in::Fault;

use super::*;
use crate::log::conformance::passes;

#[tokio::test]
async fn the_log_in_kurrentdb_conforms() {
    passes(Stream::fresh).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_sell_from_one_log_in_kurrentdb() {
    crate::engine::tests::nodes::pass(Stream::fresh).await;
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
        match settle(&self.log, expected, records).await {
            Settled::Written => Ok(()),
            Settled::NotWritten => Err(AppendError::Conflict),
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
        let log = KurrentLog::open_with(&self.stream.url(), QUICK).await.unwrap();
        Arc::new(Settling { log, stand_in: Arc::clone(&self.stream), random: Arc::clone(&self.random) })
    }

    async fn alter(&self, position: Position) {
        self.stream.alter(position).await;
    }

    async fn remove(&self, position: Position) {
        self.stream.remove(position).await;
    }
}

#[tokio::test]
async fn it_conforms_on_a_server_whose_appends_fail() {
    for seed in 0..4 {
        let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
        let fresh = async || {
            let stream = Arc::new(Stream::on(StandIn::start().await));
            Failing { stream, random: Arc::clone(&random) }
        };
        passes(fresh).await.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

#[tokio::test]
async fn what_is_answered_as_refused_is_not_there_and_what_is_unknown_is_settled() {
    for (fault, expected, written) in [
        (Fault::NotReady, "unavailable", 0),
        (Fault::Conflict, "conflict", 0),
        (Fault::TimedOut, "unknown", 0),
        (Fault::LandsLate(Duration::from_secs(600)), "unknown", 0),
        (Fault::ReplyLost, "unknown", 2),
        (Fault::Silent, "unknown", 2),
    ] {
        let stream = Stream::on(StandIn::start().await);
        let log = KurrentLog::open_with(&stream.url(), QUICK).await.unwrap();
        let records = crate::log::conformance::chain(&Head::EMPTY, 2);
        stream.stand_in().fail(fault);
        let outcome = log.append(&Head::EMPTY, &records).await.unwrap_err();
        assert_eq!(
            (outcome.name(), stream.stand_in().length(&stream.name)),
            (expected, written),
            "{fault:?}: {outcome}"
        );
        assert_eq!(settle(&log, &Head::EMPTY, &records).await, Settled::Written, "{fault:?}");
        assert_eq!(whole(&log).await, records, "{fault:?}");
    }
}
