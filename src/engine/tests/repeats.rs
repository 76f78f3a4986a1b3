//! Clients that repeat under their keys, at every moment of every fault: whatever they are told, no answer contradicts a later
//! one. More seeds: `REPRISE_TEST_SEEDS=1000 cargo test --lib repeats`.

use std::sync::atomic::AtomicBool;

use private_postgres::Postgres;

use super::simulation::random_fault;
use super::*;
use crate::data_folder::system_clock;
use crate::log::{LogAddress, PostgresLog, SqliteLog};

/// Seeds on a log in memory, and on one in SQLite or PostgreSQL, whose time is real, unless `REPRISE_TEST_SEEDS` says otherwise.
const SEEDS: u64 = 100;
const SQLITE_SEEDS: u64 = 4;
const POSTGRES_SEEDS: u64 = 3;
const CLIENTS: u64 = 6;
const KEYS: u64 = 4;
const ATTEMPTS: u64 = 6;

fn seeds(few: u64) -> u64 {
    std::env::var("REPRISE_TEST_SEEDS").map_or(few, |seeds| seeds.parse().unwrap())
}

/// What one key's attempts were told, in the order of their answers; `None` for those that were given up.
struct History {
    amount: u64,
    told: Vec<Option<Result<Reply, Undecided>>>,
}

fn keyed(user_id: UserId, amount: u64) -> Submission {
    let [key, request] = [1, 2].map(|part: u128| Fingerprint::new((u128::from(amount) << 8 | part).to_be_bytes()));
    let idempotency = Some(IdempotencyKey { key, request });
    Submission::new(Command { by: token(user_id), idempotency, action: charge(user_id, amount).into() }, None)
}

/// Charges amounts that are its own, each under a key, several times each: one after another, at once, given up midway.
async fn client(engines: Vec<Engine>, number: u64, longest_millis: u64, mut random: fastrand::Rng) -> Vec<History> {
    let user_id = user_id(100 + number);
    let mut histories = Vec::new();
    for key in 0..KEYS {
        let amount = 1_000 + number * KEYS + key;
        let mut told = Vec::new();
        for _ in 0..ATTEMPTS {
            tokio::time::sleep(Duration::from_millis(random.u64(0..longest_millis))).await;
            let engine = &engines[random.usize(0..engines.len())];
            let patience = Duration::from_millis(if random.bool() { 60_000 } else { random.u64(0..longest_millis) });
            let attempts = (0..=u64::from(random.u8(0..3) == 0)).map(|_| {
                let attempt = engine.submit(keyed(user_id, amount));
                async move { tokio::time::timeout(patience, attempt).await.ok() }
            });
            told.extend(futures_util::future::join_all(attempts).await);
        }
        histories.push(History { amount, told });
    }
    histories
}

/// No answer contradicts another, nor the log, in which this happened so many times.
fn assert_agrees(history: &History, times: usize, seed: u64) {
    let History { amount, told } = history;
    let why = format!("seed {seed}: {amount} happened {times} times, and was told {told:?}");
    assert!(times <= 1, "{why}");
    let replies: Vec<&Reply> = told.iter().flatten().flatten().collect();
    for reply in &replies {
        assert!(reply.outcome.is_ok(), "{why}");
        assert_eq!((&reply.outcome, reply.position), (&replies[0].outcome, replies[0].position), "{why}");
    }
    assert!(replies.iter().filter(|reply| !reply.replayed).count() <= 1, "{why}");
    if !replies.is_empty() {
        assert_eq!(times, 1, "{why}");
    }
    // Where each attempt is known to have written nothing, nothing happened.
    let is_certain = |told: &Option<Result<Reply, Undecided>>| {
        matches!(told, Some(Err(Undecided::Overloaded | Undecided::LogUnavailable)))
    };
    if told.iter().all(is_certain) {
        assert_eq!(times, 0, "{why}");
    }
}

async fn simulate(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (log, one) = sale().await;
    for number in 0..CLIENTS {
        one.join(user_id(100 + number)).await;
    }
    let two = Node::start(&shared(&log)).await;
    let engines = vec![one.engine.clone(), two.engine.clone()];
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(client(engines.clone(), number, 1_500, random.fork()))).collect();
    for _ in 0..random.u64(1..60) {
        tokio::time::sleep(Duration::from_millis(random.u64(0..300))).await;
        log.fail(random_fault(&mut random));
    }
    for histories in clients {
        for history in histories.await.unwrap() {
            assert_agrees(&history, charges(&log, history.amount), seed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_no_answer_to_a_repeated_request_contradicts_another() {
    for seed in 0..seeds(SEEDS) {
        simulate(seed).await;
    }
}

/// A real log, whose appends fail as they are told to, or as nobody knows.
struct Faulty {
    inner: Arc<dyn EventLog>,
    /// Nothing fails yet, or at random.
    faults: Mutex<Option<fastrand::Rng>>,
}

#[async_trait]
impl EventLog for Faulty {
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        let lost = || Err(AppendError::Unknown("injected".to_owned()));
        let fault = self.faults.lock().unwrap().as_mut().map_or(u8::MAX, |random| random.u8(0..12));
        match fault {
            0 => Err(AppendError::Unavailable("injected".to_owned())),
            1 => Err(AppendError::Full("injected".to_owned())),
            2 => lost(),
            3 => self.inner.append(expected, records).await.and_then(|()| lost()),
            4 => {
                tokio::time::sleep(Duration::from_millis(80)).await;
                self.inner.append(expected, records).await
            }
            _ => self.inner.append(expected, records).await,
        }
    }

    async fn compare_head(&self, expected: &Head) -> Result<(), AppendError> {
        self.inner.compare_head(expected).await
    }

    async fn end_turn(&self) {
        self.inner.end_turn().await;
    }

    async fn probe(&self, expected: &Head) -> Result<(), AppendError> {
        self.inner.probe(expected).await
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        // On a log of one node the tests' own time is right.
        if self.inner.is_shared() { self.inner.clock().await } else { Ok(None) }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_it_on_a_log_in_sqlite() {
    for seed in 0..seeds(SQLITE_SEEDS) {
        let (folder, mut random) = (tempfile::tempdir().unwrap(), fastrand::Rng::with_seed(seed));
        let inner = Arc::new(SqliteLog::open(folder.path()).await.unwrap());
        let faulty = Arc::new(Faulty { inner, faults: Mutex::default() });
        let log: Arc<dyn EventLog> = faulty.clone();
        let node = Node::start(&log).await;
        node.open_sale().await;
        for number in 0..CLIENTS {
            node.join(user_id(100 + number)).await;
        }
        *faulty.faults.lock().unwrap() = Some(random.fork());
        let clients = (0..CLIENTS).map(|number| client(vec![node.engine.clone()], number, 40, random.fork()));
        let histories = futures_util::future::join_all(clients).await;
        let records = log.read(Position::START, 100_000).await.unwrap();
        for history in histories.iter().flatten() {
            assert_agrees(history, charges_in(&records, history.amount), seed);
        }
    }
}

/// Ends the sessions of whoever uses the server, and now and then the server, until it is told to stop.
fn trouble(mut server: Postgres, mut random: fastrand::Rng, stop: &AtomicBool) -> Postgres {
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'reprise'";
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(random.u64(50..500)));
        if random.u8(0..8) == 0 {
            server.kill();
            server.go();
        } else {
            server.sql("postgres", end);
        }
    }
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_it_on_a_log_in_postgres_whose_sessions_are_ended_and_whose_server_is_killed() {
    let Some(mut server) = Postgres::start() else { return };
    for seed in 0..seeds(POSTGRES_SEEDS) {
        let mut random = fastrand::Rng::with_seed(seed);
        let LogAddress::Postgres(url) = server.database().parse().unwrap() else { unreachable!() };
        let (mut nodes, mut engines) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let inner = Arc::new(PostgresLog::open(&url).await.unwrap());
            let faulty = Arc::new(Faulty { inner, faults: Mutex::default() });
            let log: Arc<dyn EventLog> = faulty.clone();
            engines.push(start(&log, system_clock()).await.0);
            nodes.push(faulty);
        }
        let create = CreateLog { log_id: Uuid::nil(), key_check: Hash::new([7; 32]), capacity: 1_000 };
        engines[0].submit(submission(Credential::System, create)).await.unwrap().outcome.unwrap();
        for user_id in (0..CLIENTS).map(|number| user_id(100 + number)) {
            engines[0].submit(submission(user(user_id), joining(user_id))).await.unwrap().outcome.unwrap();
        }
        for node in &nodes {
            *node.faults.lock().unwrap() = Some(random.fork());
        }
        let (stop, troubles) = (Arc::new(AtomicBool::new(false)), random.fork());
        let stopped = Arc::clone(&stop);
        let troubling = tokio::task::spawn_blocking(move || trouble(server, troubles, &stopped));
        let clients = (0..CLIENTS).map(|number| client(engines.clone(), number, 250, random.fork()));
        let histories = futures_util::future::join_all(clients).await;
        stop.store(true, Ordering::Relaxed);
        server = troubling.await.unwrap();
        // A write that was on its way is over once the log is opened anew.
        let log = PostgresLog::open(&url).await.unwrap();
        let records = log.read(Position::START, 100_000).await.unwrap();
        for history in histories.iter().flatten() {
            assert_agrees(history, charges_in(&records, history.amount), seed);
        }
    }
}
