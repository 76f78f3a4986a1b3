//! Follows the log: feeds every table that fits it, each from its own checkpoint.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use domain::{Position, Timestamp};
use projections::sql::SqlModel;
use projections::sql::store::{self, Checkpoint, Slot};
use sqlx::migrate::MigrateError;
use tokio::time::Instant;
use uuid::Uuid;

use super::fit::{Fit, fit};
use super::step::{DecodedChunk, Stepped, decode, step};
use super::{CHUNK_RECORDS, Database, Phase, Shared, Status, read_on};
use crate::log::ReadError;

/// The pause after a failure before the next try.
pub(super) const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long events are collected before the next transaction, after the log is caught up with. Under load, few large
/// transactions cost the sales less than many small ones.
const GATHER: Duration = Duration::from_millis(20);
/// While sales go on, each chunk is followed by a pause so many times as long as the chunk took. So following takes at
/// most a quarter of one core from the sales. A table that is behind catches up afterwards.
const PAUSE_FOR_SALES: u32 = 3;
/// The longest such pause.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// How often a follower looks again at tables that it does not feed.
const REASSESS_EVERY: Duration = Duration::from_secs(1);
/// How long a chunk may take to write before the database counts as gone.
const STEP_DEADLINE: Duration = Duration::from_secs(60);
/// How often a node that only watches looks at the tables.
const LOOK_ON: Duration = Duration::from_millis(100);
/// How long the tables must stand still before a node that only watches projects again.
const TAKE_OVER: Duration = Duration::from_secs(1);

/// The reason why following is interrupted.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the database of the read models: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database of the read models cannot be opened: {0}")]
    Open(#[from] MigrateError),
    #[error("the database of the read models was removed or replaced")]
    Gone,
    #[error("the database of the read models failed while tables were built")]
    Failed,
    #[error("the database of the read models does not answer")]
    Silent,
    #[error(transparent)]
    Log(#[from] ReadError),
}

impl Trouble {
    /// True if the log is damaged.
    fn is_damage(&self) -> bool {
        match self {
            Self::Log(ReadError::Damaged(_) | ReadError::Malformed { .. }) => true,
            Self::Log(ReadError::Unavailable(_) | ReadError::Broken(_))
            | Self::Database(_)
            | Self::Open(_)
            | Self::Gone
            | Self::Failed
            | Self::Silent => false,
        }
    }
}

/// A table that is fed.
struct Feed {
    model: &'static SqlModel,
    checkpoint: Checkpoint,
}

/// Follows for ever. Failures here never stop the sales.
pub(super) async fn follow(shared: Arc<Shared>) {
    let mut said = String::new();
    loop {
        let trouble = match shared.follow_until_trouble().await {
            Ok(never) => match never {},
            Err(trouble) => trouble,
        };
        let reason = trouble.to_string();
        if reason != said {
            if trouble.is_damage() {
                tracing::error!("the read models in SQL are not updated for now: {reason}");
            } else {
                tracing::warn!("the read models in SQL are not updated for now: {reason}");
            }
            said = reason.clone();
        }
        if !matches!(trouble, Trouble::Log(_)) {
            shared.mark_unavailable(&reason).await;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

impl Shared {
    async fn follow_until_trouble(&self) -> Result<Infallible, Trouble> {
        let log_id = loop {
            match self.log.id().await? {
                Some(log_id) => break log_id,
                None => self.log.wait_past(Position::START).await,
            }
        };
        let database = match self.database.load_full() {
            Some(database) => database,
            None => Arc::new(Database::open(&self.location, log_id).await?),
        };
        self.database.store(Some(Arc::clone(&database)));
        let mut swaps = self.swaps.subscribe();
        let mut feeds = self.assess(&database, log_id).await?;
        let mut assessed_at = Instant::now();
        let mut last_end = self.log.head().await?.position;
        loop {
            if !database.is_there() {
                return Err(Trouble::Gone);
            }
            if self.database.load().is_none() {
                return Err(Trouble::Failed);
            }
            let has_swapped = swaps.has_changed().is_ok_and(|changed| changed);
            if has_swapped
                || (database.is_shared && assessed_at.elapsed() > REASSESS_EVERY && feeds.len() < self.models.len())
            {
                swaps.mark_unchanged();
                feeds = self.assess(&database, log_id).await?;
                assessed_at = Instant::now();
            }
            let Some(from) = feeds.iter().map(|feed| feed.checkpoint.head.position).min() else {
                if tokio::time::timeout(REASSESS_EVERY, swaps.changed()).await.is_ok() {
                    swaps.mark_changed();
                }
                continue;
            };
            let started = Instant::now();
            let records = read_on(self.log.as_ref(), from, CHUNK_RECORDS).await?;
            let Some(first) = records.first() else {
                self.caught_up();
                tokio::select! {
                    () = self.log.wait_past(from) => {}
                    _ = swaps.changed() => swaps.mark_changed(),
                }
                continue;
            };
            let (behind_since, is_last) = (first.recorded_at, records.len() < CHUNK_RECORDS);
            if !self.feed(&database, &mut feeds, behind_since, decode(records).await).await? {
                feeds = self.look_on(&database, log_id).await?;
            }
            let end = self.log.head().await?.position;
            if std::mem::replace(&mut last_end, end) < end {
                tokio::time::sleep((started.elapsed() * PAUSE_FOR_SALES).clamp(GATHER, MAX_PAUSE)).await;
            } else if is_last {
                tokio::time::sleep(GATHER).await;
            }
        }
    }

    /// Compares every table with the log. Returns those that fit; the others are to be built anew.
    async fn assess(&self, database: &Database, log_id: Uuid) -> Result<Vec<Feed>, Trouble> {
        let mut feeds = Vec::new();
        for &model in &self.models {
            let stored = {
                let mut writer = database.writer.lock().await;
                store::checkpoint(&mut writer.connection.begin_reading().await?, model, Slot::Live).await?
            };
            let fit = fit(model, stored.as_ref(), self.log.as_ref(), log_id).await?;
            let failed = self.failed.lock().expect("nobody panics with it").get(model.name).cloned();
            let (phase, checkpoint) = match (&fit, stored) {
                (Fit::Fits, _) => (Phase::Following, stored),
                (Fit::Newer(version), _) => (Phase::Newer { version: *version }, None),
                (Fit::Outdated, _) => (failed.map_or(Phase::Building, |reason| Phase::Stopped { reason }), stored),
                (Fit::Unfit(_), _) => (failed.map_or(Phase::Building, |reason| Phase::Stopped { reason }), None),
            };
            if phase != Phase::Building {
                self.wanted.send_if_modified(|wanted| wanted.remove(model.name));
            } else if self.wanted.send_if_modified(|wanted| wanted.insert(model.name)) {
                let why =
                    if let Fit::Unfit(why) = &fit { why } else { "it was made by an older version of the program" };
                tracing::info!("building the read model {}: {why}", model.name);
            }
            if let (Phase::Following, Some(checkpoint)) = (&phase, stored) {
                feeds.push(Feed { model, checkpoint });
            }
            let position = checkpoint.map_or(Position::START, |checkpoint| checkpoint.head.position);
            let behind_since = if phase == Phase::Following { None } else { self.recorded_after(position).await };
            self.set(model, Status { phase, checkpoint, behind_since });
        }
        Ok(feeds)
    }

    /// Waits after another projector was faster. In a shared database that is another node, which then projects alone.
    /// This node only tells its own queries what the other one has written.
    async fn look_on(&self, database: &Database, log_id: Uuid) -> Result<Vec<Feed>, Trouble> {
        let mut feeds = self.assess(database, log_id).await?;
        let mut moved_at = Instant::now();
        while database.is_shared && moved_at.elapsed() < TAKE_OVER {
            tokio::time::sleep(LOOK_ON).await;
            let next = self.assess(database, log_id).await?;
            let stood = |feeds: &[Feed]| feeds.iter().map(|feed| feed.checkpoint).collect::<Vec<_>>();
            if stood(&next) != stood(&feeds) {
                moved_at = Instant::now();
            }
            feeds = next;
        }
        Ok(feeds)
    }

    /// The time of the first record after `position`.
    async fn recorded_after(&self, position: Position) -> Option<Timestamp> {
        self.log.read(position, 1).await.ok()?.first().map(|record| record.recorded_at)
    }

    fn caught_up(&self) {
        let following = |status: &&mut Status| status.phase == Phase::Following;
        self.statuses.send_modify(|statuses| {
            statuses.values_mut().filter(following).for_each(|status| status.behind_since = None);
        });
    }

    /// Publishes that nothing can be written, and since when events are missing.
    async fn mark_unavailable(&self, reason: &str) {
        self.database.store(None);
        let mut statuses = self.statuses.borrow().clone();
        for status in statuses.values_mut() {
            status.phase = Phase::Unavailable { reason: reason.to_owned() };
            if status.behind_since.is_none() {
                status.behind_since = self.recorded_after(status.position()).await;
            }
        }
        self.statuses.send_replace(statuses);
    }

    /// Feeds a chunk to every table. Returns `false` if another projector was faster: then the tables must be compared
    /// again.
    async fn feed(
        &self,
        database: &Database,
        feeds: &mut Vec<Feed>,
        behind_since: Timestamp,
        chunk: DecodedChunk,
    ) -> Result<bool, Trouble> {
        let DecodedChunk { events, poison } = chunk;
        let mut stopped = Vec::new();
        for feed in feeds.iter_mut() {
            let stepping = step(&database.writer, feed.model, Slot::Live, feed.checkpoint, &events);
            let stepped = tokio::time::timeout(STEP_DEADLINE, stepping).await.map_err(|_| Trouble::Silent)??;
            let (checkpoint, reason) = match stepped {
                Stepped::Overtaken => return Ok(false),
                Stepped::Advanced(checkpoint) => {
                    let undecodable =
                        |(position, why)| format!("projection {}, position {position}: {why}", feed.model.name);
                    (checkpoint, poison.clone().map(undecodable))
                }
                Stepped::Poisoned(checkpoint, poison) => (checkpoint, Some(poison.to_string())),
            };
            feed.checkpoint = checkpoint;
            let phase = reason.map_or(Phase::Following, |reason| {
                tracing::error!("this read model is not updated any more; everything else goes on: {reason}");
                stopped.push(feed.model.name);
                Phase::Stopped { reason }
            });
            self.set(feed.model, Status { phase, checkpoint: Some(checkpoint), behind_since: Some(behind_since) });
        }
        feeds.retain(|feed| !stopped.contains(&feed.model.name));
        Ok(true)
    }

    pub(super) fn set(&self, model: &SqlModel, status: Status) {
        self.statuses.send_modify(|statuses| {
            statuses.insert(model.name, status);
        });
    }
}
