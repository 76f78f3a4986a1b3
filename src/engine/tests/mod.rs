//! The engine on a log that fails as it is told to. Time is tokio's, paused: it moves when everyone waits.

mod clocks;
mod faults;
mod keys;
mod limits;
pub(crate) mod nodes;
mod openings;
mod pipeline;
mod repeats;
mod simulation;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::spec::*;
use domain::*;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::*;
use crate::log::memory::{Fault, MemoryLog};
use crate::log::{AppendError, ReadError};

/// The pause before a log that fails is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// One server on a log, with a clock of its own.
struct Node {
    engine: Engine,
    clock: Arc<AtomicI64>,
    sequencer: JoinHandle<Result<(), Fatal>>,
}

impl Node {
    async fn start(log: &Arc<dyn EventLog>) -> Self {
        let clock = Arc::new(AtomicI64::new(T0.millis()));
        let time = Arc::clone(&clock);
        let now: Clock = Arc::new(move || Timestamp::from_millis(time.load(Ordering::Relaxed)));
        let (engine, sequencer) = start(log, now).await;
        Self { engine, clock, sequencer }
    }

    async fn ask(&self, by: Credential, action: impl Into<Action>) -> Result<Reply, Undecided> {
        self.engine.submit(submission(by, action)).await
    }

    /// Ann's token, a concert, a schedule and ten seats.
    async fn open_sale(&self) {
        open_sale(&self.engine, times()).await;
        self.join(ANN).await;
    }

    async fn join(&self, user_id: UserId) {
        self.ask(user(user_id), joining(user_id)).await.unwrap().outcome.unwrap();
    }

    /// Why the sequencer stopped, once it has.
    async fn fatal(self) -> Fatal {
        self.sequencer.await.unwrap().unwrap_err()
    }
}

/// An engine on a log, and its sequencer, running.
async fn start(log: &Arc<dyn EventLog>, clock: Clock) -> (Engine, JoinHandle<Result<(), Fatal>>) {
    let replayed = loop {
        match replay(log, |_| {}).await {
            // A log that fails is read again, as a server does at its start.
            Err(StartError::Stream(StreamError::Unreadable(_))) => tokio::time::sleep(PAUSE).await,
            replayed => break replayed.unwrap(),
        }
    };
    let (engine, sequencer) = Engine::new(Arc::clone(log), replayed, clock, Uuid::new_v4());
    (engine, tokio::spawn(sequencer.run()))
}

/// A new log with a concert, a schedule and ten seats.
async fn open_sale(engine: &Engine, times: ScheduleTimes) {
    let seats = (1..=SEATS).map(seat).collect();
    let (concert_id, schedule_id) = (CONCERT, SCHEDULE);
    let named = |name: &str| name.to_owned();
    let (name, artist, venue) = (named("Concert"), named("Artist"), named("Venue"));
    let (local_date, local_time) = (named("2026-12-24"), named("19:30"));
    let actions: [Action; 4] = [
        CreateLog { log_id: Uuid::nil(), key_check: Hash::new([7; 32]), capacity: 1_000 }.into(),
        PublishConcert { concert_id, name, artist, venue }.into(),
        AddSeats { concert_id, schedule_id, seats }.into(),
        PublishSchedule { concert_id, schedule_id, times, local_date, local_time, seats_per_user: 4, import_id: None }
            .into(),
    ];
    for action in actions {
        let decided = loop {
            match engine.submit(submission(Credential::System, action.clone())).await {
                // A log that fails took nothing.
                Err(Undecided::LogUnavailable) => tokio::time::sleep(PAUSE).await,
                submitted => break submitted.unwrap(),
            }
        };
        decided.outcome.unwrap();
    }
}

fn joining(user_id: UserId) -> IssueToken {
    IssueToken { user_id: Some(user_id), seed: seed(user_id), token_hash: token_hash(user_id) }
}

fn submission(by: Credential, action: impl Into<Action>) -> Submission {
    Submission::new(Command { by, idempotency: None, action: action.into() }, None)
}

fn charge(user_id: UserId, amount: u64) -> ChargePoints {
    ChargePoints { user_id, amount: Points::new(amount) }
}

fn hold(user_id: UserId, seat: u64) -> HoldSeats {
    HoldSeats { user_id, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids: vec![seat_id(seat)] }
}

/// A sale on a log in memory.
async fn sale() -> (MemoryLog, Node) {
    let log = MemoryLog::new();
    let node = Node::start(&shared(&log)).await;
    node.open_sale().await;
    (log, node)
}

fn shared(log: &MemoryLog) -> Arc<dyn EventLog> {
    Arc::new(log.clone())
}

/// How many charges of this amount the log holds.
fn charges(log: &MemoryLog, amount: u64) -> usize {
    charges_in(&log.records(), amount)
}

fn charges_in(records: &[Record], amount: u64) -> usize {
    let is_charge = |record: &Record| {
        let event = record.decode().unwrap().event;
        matches!(event, Event::Points(PointsEvent::PointsCharged(PointsCharged { amount: charged, .. })) if charged.get() == amount)
    };
    records.iter().filter(|record| is_charge(record)).count()
}

/// A log that remembers each batch, and an empty one for each turn that was given back.
struct Spy {
    inner: MemoryLog,
    batches: Mutex<Vec<Vec<Record>>>,
}

#[async_trait]
impl EventLog for Spy {
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        self.batches.lock().unwrap().push(records.to_vec());
        self.inner.append(expected, records).await
    }

    async fn end_turn(&self) {
        self.batches.lock().unwrap().push(Vec::new());
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.inner.read(after, limit).await
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.inner.head().await
    }

    async fn wait_past(&self, after: Position) {
        self.inner.wait_past(after).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_is_in_the_log_and_in_the_read_models() {
    let (log, node) = sale().await;
    let reply = node.ask(token(ANN), charge(ANN, 500)).await.unwrap();
    let last = log.records().pop().unwrap();
    assert_eq!((last.position, last.decode().unwrap().event), (reply.position, charged(ANN, 500, 500)));
    assert_eq!(reply.outcome, Ok(charged(ANN, 500, 500).answer()));
    assert_eq!(node.engine.read_models().state.head.position, reply.position);
    assert_eq!(node.engine.read_models().state.wallets.balance(ANN), Points::new(500));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_writes_nothing_and_names_the_position_that_it_was_decided_on() {
    let (log, node) = sale().await;
    let before = log.records().len();
    let reply = node.ask(token(BOB), charge(BOB, 1)).await.unwrap();
    assert_eq!(reply.outcome, Err(Rejection::TokenUnknown));
    assert_eq!((reply.position.get() as usize, log.records().len()), (before, before));
}

#[tokio::test(start_paused = true)]
async fn fifty_users_at_once_on_one_seat_over_two_nodes_are_one_winner() {
    let (log, one) = sale().await;
    let users: Vec<UserId> = (10..60).map(user_id).collect();
    for user_id in &users {
        one.join(*user_id).await;
    }
    let two = Node::start(&shared(&log)).await;
    let asked = users.iter().enumerate().map(|(index, user_id)| {
        let node = if index % 2 == 0 { &one } else { &two };
        let engine = node.engine.clone();
        let submission = submission(token(*user_id), hold(*user_id, 1));
        tokio::spawn(async move { engine.submit(submission).await })
    });
    let mut won = 0;
    for reply in asked.collect::<Vec<_>>() {
        match reply.await.unwrap().unwrap().outcome {
            Ok(_) => won += 1,
            Err(rejection) => assert_eq!(rejection, Rejection::SeatTaken { seat_ids: vec![seat_id(1)] }),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_reorders_nothing_and_frees_nothing() {
    let (log, node) = sale().await;
    node.clock.store(T0.plus_seconds(60).millis(), Ordering::Relaxed);
    node.ask(token(ANN), charge(ANN, 1)).await.unwrap().outcome.unwrap();
    node.clock.store(T0.plus_seconds(-3_600).millis(), Ordering::Relaxed);
    node.ask(token(ANN), charge(ANN, 1)).await.unwrap().outcome.unwrap();
    let times: Vec<_> = log.records().iter().map(|record| record.recorded_at).collect();
    assert!(times.is_sorted());
    assert_eq!(*times.last().unwrap(), T0.plus_seconds(60));
}

#[tokio::test(start_paused = true)]
async fn the_tick_publishes_what_time_has_done() {
    let (log, node) = sale().await;
    node.ask(token(ANN), hold(ANN, 1)).await.unwrap().outcome.unwrap();
    node.clock.store(T0.plus_seconds(300).millis(), Ordering::Relaxed);
    tokio::time::sleep(3 * TICK_INTERVAL).await;
    let types: Vec<_> = log.records().iter().rev().take(1).map(|record| record.event_type.clone()).collect();
    assert_eq!(types, ["HoldExpired"]);
    let length = log.records().len();
    tokio::time::sleep(10 * TICK_INTERVAL).await;
    assert_eq!(log.records().len(), length, "a tick with nothing to do writes nothing");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_answers_what_was_taken() {
    let (log, node) = sale().await;
    log.fail(Fault::Delay(Duration::from_secs(1)));
    let asked: Vec<_> = (0..10)
        .map(|_| {
            let engine = node.engine.clone();
            tokio::spawn(async move { engine.submit(submission(token(ANN), charge(ANN, 7))).await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(node.engine);
    for reply in asked {
        reply.await.unwrap().unwrap().outcome.unwrap();
    }
    node.sequencer.await.unwrap().unwrap();
    assert_eq!(charges(&log, 7), 10);
}

#[tokio::test(start_paused = true)]
async fn a_restart_folds_to_the_same_answers() {
    let (log, node) = sale().await;
    let first = node.ask(token(ANN), hold(ANN, 1)).await.unwrap();
    let again = Node::start(&shared(&log)).await;
    let repeated = again.ask(token(ANN), hold(ANN, 1)).await.unwrap();
    assert_eq!(repeated.outcome, first.outcome);
    assert_eq!(node.engine.read_models().state.head, again.engine.read_models().state.head);
}
