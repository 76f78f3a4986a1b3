//! The projector on a log in memory, each time once with a file and once with a server for the read models.

mod faults;
mod nodes;
mod rebuilds;
mod repairs;

use std::time::Duration;

use domain::spec::{ANN, charged, metadata};
use domain::{Event, Head, LogCreated, Record, Timestamp};
use projections::sql::{MODELS, READ_MODELS_FILE};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::log::memory::MemoryLog;

/// How long anything may take to happen, on a machine that does much else.
const SOON: Duration = Duration::from_secs(120);

/// The log, where there is only one.
const LOG_ID: Uuid = Uuid::from_u128(1);

/// A data folder, and where the read models are.
struct Place {
    folder: TempDir,
    location: Location,
}

impl Place {
    fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join(READ_MODELS_FILE));
        Self { folder, location }
    }

    fn server(url: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), location: Location::Servers(vec![url.parse().unwrap()]) }
    }

    /// One of each kind that there is here.
    fn each() -> impl Iterator<Item = Self> {
        let server = private_postgres::shared().map(|server| Self::server(&server.database()));
        [Self::file()].into_iter().chain(server)
    }

    fn start(&self, log: &MemoryLog) -> Node {
        self.start_with(log, &MODELS)
    }

    fn start_with(&self, log: &MemoryLog, models: &[&'static SqlModel]) -> Node {
        let log = Arc::new(log.clone());
        let projector = Projector::of(self.location.clone(), log, models.to_vec());
        Node { running: tokio::spawn(projector.clone().run()), projector }
    }

    /// That every table is there, up to the log's head, as a fresh fold makes it, and nothing is left beside them.
    async fn assert_right(&self, log: &MemoryLog) {
        let head = log.head().await.unwrap().position.get();
        let found = verify(&self.location, log, &MODELS, |_, _| {}).await.unwrap();
        assert_eq!(found.len(), MODELS.len());
        assert!(found.iter().all(|found| found.fault.is_none() && found.position == head), "{found:?}");
        let log_id = log.id().await.unwrap().unwrap();
        let mut looking = self.location.look(log_id).await.unwrap().unwrap();
        let mut looking = looking.begin_reading().await.unwrap();
        for model in MODELS {
            assert_eq!(store::checkpoint(&mut looking, model, store::Slot::Building).await.unwrap(), None);
        }
    }
}

/// What became of a rebuild in the end.
async fn built(rebuilding: Rebuilding) -> Result<u64, String> {
    let done = tokio::time::timeout(SOON, rebuilding.done()).await.expect("nobody carries it out");
    done.map(Position::get)
}

/// A running projector.
struct Node {
    projector: Projector,
    running: JoinHandle<()>,
}

impl Node {
    /// Waits until a read model is in this phase.
    async fn wait_for(&self, model: &SqlModel, phase: impl Fn(&Phase) -> bool) -> Status {
        let mut statuses = self.projector.0.statuses.subscribe();
        let waiting = statuses.wait_for(|statuses| phase(&statuses[model.name].phase));
        let found = tokio::time::timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("{} is not", model.name));
        found.unwrap()[model.name].clone()
    }

    /// Waits until every read model can be asked for what the log says now.
    async fn catches_up(&self, log: &MemoryLog) {
        for model in MODELS {
            self.catches_up_in(log, model).await;
        }
    }

    async fn catches_up_in(&self, log: &MemoryLog, model: &SqlModel) -> Snapshot {
        let position = log.head().await.unwrap().position;
        let deadline = Instant::now() + SOON;
        loop {
            // What was hopeless for a moment may still come.
            match self.projector.snapshot(model, position, deadline).await {
                Ok(snapshot) => return snapshot,
                Err(_) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(behind) => panic!("{}: {behind:?} {:?}", model.name, self.projector.statuses()),
            }
        }
    }

    /// Asks for a rebuild.
    fn rebuild(&self, name: &str) -> Rebuilding {
        self.projector.rebuild(name).unwrap()
    }

    async fn stop(self) {
        self.running.abort();
        let _ = self.running.await;
        self.projector.close().await;
    }
}

/// Appends these events, after the record that names the log.
async fn append(log: &MemoryLog, events: impl IntoIterator<Item = Event>) {
    append_to(log, LOG_ID, events).await;
}

async fn append_to(log: &MemoryLog, log_id: Uuid, events: impl IntoIterator<Item = Event>) {
    let mut head = log.head().await.unwrap();
    let before = head;
    let key_check = domain::Hash::new([0; 32]);
    let (format, hash_algorithm) = (domain::LOG_FORMAT, domain::HASH_ALGORITHM.to_owned());
    let created = Event::from(LogCreated { log_id, format, hash_algorithm, key_check });
    let created = (head == Head::EMPTY).then_some(created);
    let seal = |event| {
        let record = Record::seal(&head, Timestamp::from_millis(0), &event, &metadata());
        head = record.head();
        record
    };
    let records: Vec<Record> = created.into_iter().chain(events).map(seal).collect();
    log.append(&before, &records).await.unwrap();
}

/// Charges of one point, so that the balance is their number.
fn charges(numbers: std::ops::RangeInclusive<u64>) -> impl Iterator<Item = Event> {
    numbers.map(|number| charged(ANN, 1, number))
}

/// A log of so many charges.
async fn charged_log(charges_made: u64) -> MemoryLog {
    let log = MemoryLog::new();
    append(&log, charges(1..=charges_made)).await;
    log
}
