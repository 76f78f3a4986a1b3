//! The projector: it follows the log, and keeps the read models in SQL up to date.
//!
//! It has two tasks. One reads the log in chunks, decodes each once, and writes it into every table, each in its own
//! transaction ([`follow`]). The other builds tables anew beside the live ones, if they do not fit the log, have an
//! older version, or an operator asked for it ([`rebuilds`], [`build`]). Neither delays the sequencer: they only read
//! the log. If the database is lost, they try again until it is back.

mod address;
mod build;
mod database;
pub mod fit;
mod follow;
mod rebuilds;
mod repair;
mod standing;
mod status;
mod step;
#[cfg(test)]
mod tests;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use domain::{ChainError, Position, Record};
use projections::Behind;
use projections::sql::{Location, MODELS, SqlModel, Transaction, store};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

pub use address::ReadModelsAddress;
pub use build::{BuildError, Which, rebuild};
pub use database::{Database, set_aside};
pub use rebuilds::{ALL, Rebuilding};
pub use repair::{RepairError, Repaired};
pub use standing::{Standing, StandingError, standings};
pub use status::{Lag, Phase, Status};
pub use step::decode;
pub use verify::{Verified, VerifyError, verify};

use crate::log::{EventLog, ReadError};

/// How many records are read at once, and written in one transaction at most.
const CHUNK_RECORDS: usize = 4_096;
/// How long a query waits for the database's first answer, and a stop for queries that still use the database.
const DATABASE_DEADLINE: Duration = Duration::from_secs(2);
/// How often a stop looks whether the database is still in use.
const CLOSE_AGAIN: Duration = Duration::from_millis(5);

/// A handle on the read models in SQL, for queries and operators. A clone is another handle on the same ones.
#[derive(Clone)]
pub struct Projector(Arc<Shared>);

struct Shared {
    location: Location,
    log: Arc<dyn EventLog>,
    models: Vec<&'static SqlModel>,
    /// The open database. `None` while it cannot be used.
    database: ArcSwapOption<Database>,
    statuses: watch::Sender<BTreeMap<&'static str, Status>>,
    /// Models without a table that fits: they are to be built.
    wanted: watch::Sender<BTreeSet<&'static str>>,
    /// Models that could not be built, each with the reason. They are not tried again until an operator asks.
    failed: Mutex<BTreeMap<&'static str, String>>,
    /// The number of builds that were swapped in. A change tells the follower to compare the tables again.
    swaps: watch::Sender<u64>,
    requests: mpsc::Sender<rebuilds::Request>,
    /// The requests' receiver. The builder's task takes it.
    requested: Mutex<Option<rebuilds::Requests>>,
    /// The lock of repairs: only one runs at a time.
    repairing: tokio::sync::Mutex<()>,
}

impl Projector {
    /// Makes a projector of `log` into the database at `location`. It does nothing before [`Projector::run`].
    pub fn new(location: Location, log: Arc<dyn EventLog>) -> Self {
        Self::of(location, log, MODELS.to_vec())
    }

    fn of(location: Location, log: Arc<dyn EventLog>, models: Vec<&'static SqlModel>) -> Self {
        let (requests, requested) = mpsc::channel(rebuilds::MAX_WAITING);
        let statuses = models.iter().map(|model| (model.name, Status::default())).collect();
        Self(Arc::new(Shared {
            location,
            log,
            models,
            database: ArcSwapOption::empty(),
            statuses: watch::Sender::new(statuses),
            wanted: watch::Sender::default(),
            failed: Mutex::default(),
            swaps: watch::Sender::default(),
            requests,
            requested: Mutex::new(Some(requested)),
            repairing: tokio::sync::Mutex::default(),
        }))
    }

    /// Follows the log and carries out rebuilds, until it is dropped.
    ///
    /// # Panics
    /// It runs already.
    pub async fn run(self) {
        let requested = self.0.requested.lock().expect("nobody panics with it").take();
        let requested = requested.expect("a projector is run once");
        let mut tasks = JoinSet::new();
        tasks.spawn(follow::follow(Arc::clone(&self.0)));
        tasks.spawn(rebuilds::build_what_is_wanted(self.0, requested));
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!("read models in SQL are not updated any more: {error}");
            }
        }
    }

    /// Closes the database in good order, after [`Projector::run`] was dropped.
    pub async fn close(&self) {
        let Some(mut database) = self.0.database.swap(None) else { return };
        let deadline = Instant::now() + DATABASE_DEADLINE;
        let closed = loop {
            database = match Arc::try_unwrap(database) {
                Ok(database) => break database.close().await.map_err(|error| error.to_string()),
                // The tasks were told to stop, and stop at their next step.
                Err(shared) if Instant::now() < deadline => shared,
                Err(_) => break Err("a task still uses it".to_owned()),
            };
            tokio::time::sleep(CLOSE_AGAIN).await;
        };
        if let Err(reason) = closed {
            tracing::warn!("the database of the read models was not closed cleanly: {reason}");
        }
    }

    /// Reads the state of each read model from its database.
    ///
    /// # Errors
    /// The database or the log cannot be read.
    pub async fn standings(&self) -> Result<Vec<Standing>, StandingError> {
        standings(&self.0.location, self.0.log.as_ref()).await
    }

    /// The status of each read model, as far as this process knows.
    pub fn statuses(&self) -> BTreeMap<&'static str, Status> {
        self.0.statuses.borrow().clone()
    }

    /// Opens one model's rows together with their checkpoint, at `min_position` or later.
    ///
    /// # Errors
    /// The table does not reach the position by `deadline`, or cannot be read at all.
    pub async fn snapshot(
        &self,
        model: &SqlModel,
        min_position: Position,
        deadline: Instant,
    ) -> Result<Snapshot, Behind> {
        let mut statuses = self.0.statuses.subscribe();
        let decided = statuses.wait_for(|statuses| {
            statuses.get(model.name).is_none_or(|status| status.is_hopeless() || status.is_at(min_position))
        });
        // The result is checked below, also after a timeout.
        let _ = tokio::time::timeout_at(deadline, decided).await.map(drop);
        let status = self.0.statuses.borrow().get(model.name).cloned().unwrap_or_default();
        let behind = Behind { position: status.position() };
        let database = self.0.database.load_full().filter(|_| status.is_at(min_position)).ok_or(behind)?;
        // A server that does not answer in time counts as lost.
        let snapshot =
            tokio::time::timeout(DATABASE_DEADLINE, Snapshot::of(&database, model)).await.map_err(|_| behind)?;
        let snapshot = snapshot.map_err(|error| {
            tracing::warn!("the read model {} cannot be read: {error}", model.name);
            behind
        })?;
        let log_id = status.checkpoint.map(|checkpoint| checkpoint.log_id);
        snapshot.filter(|(_, found)| Some(*found) == log_id).map(|(snapshot, _)| snapshot).ok_or(behind)
    }
}

/// The rows of one model as of one position.
pub struct Snapshot {
    /// The transaction for queries. All that it reads is as of the position.
    pub transaction: Transaction<'static>,
    /// The checkpoint of the rows.
    pub position: Position,
}

impl Snapshot {
    async fn of(database: &Database, model: &SqlModel) -> sqlx::Result<Option<(Self, Uuid)>> {
        let mut transaction = database.readers.begin().await?;
        let checkpoint = store::hold(&mut transaction, model).await?;
        let known = checkpoint.filter(|checkpoint| checkpoint.version <= model.version);
        Ok(known.map(|found| (Self { transaction, position: found.head.position }, found.log_id)))
    }
}

/// Reads the next records after `after`, up to a gap.
///
/// # Errors
/// The log cannot be read, or the next record is missing.
async fn read_on(log: &dyn EventLog, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
    let mut records = log.read(after, limit).await?;
    let (mut next, mut whole) = (after.next(), 0);
    while records.get(whole).is_some_and(|record| record.position == next) {
        (next, whole) = (next.next(), whole + 1);
    }
    match records.get(whole) {
        Some(found) if whole == 0 => Err(ChainError::Gap { missing: next, found: found.position }.into()),
        Some(_) | None => {
            records.truncate(whole);
            Ok(records)
        }
    }
}
