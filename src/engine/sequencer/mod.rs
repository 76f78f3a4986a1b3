//! The sequencer: the one task that decides. It owns the state; others get copies.
//!
//! While one batch is on its way to the log, the next is decided on top of it. The next batch depends on the first one,
//! which is not durable yet. So the next batch is sent, and its commands are answered, only after the first one is
//! durable. If the first one fails, the decisions of the next one are undone and made anew. `catch_up.rs` handles every
//! outcome of an append except success.

mod catch_up;
mod dispatch;
mod on_its_way;

use std::sync::Arc;
use std::time::Duration;

use domain::{Action, Command, Credential, Tick};
use projections::ReadModels;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use self::catch_up::Appended;
pub use self::catch_up::Fatal;
use self::dispatch::Dispatched;
use self::on_its_way::{OnItsWay, landed};
use super::batch::{Batch, CommittedBatch};
use super::clock_skew::{ClockReader, ClockSkew};
use super::head_readings::HeadReadings;
use super::pending::Pending;
use super::published::{NotReady, Published, Readiness};
use super::queue::{Fill, Queue, lanes};
use super::{COMMAND_DEADLINE, Clock, Engine, Seeds, SnapshotWriter, Submission, TICK_INTERVAL, Undecided};
use crate::log::{AppendError, EventLog};
use crate::served::ServedMark;

/// The pause between two probes of the log. A probe finds out whether a failed log is back, and whether a shared log is
/// still the one that was served.
pub(super) const PROBE_PAUSE: Duration = Duration::from_secs(1);
/// A log that takes longer than this to fail is called silent.
pub(super) const SILENT_AFTER: Duration = Duration::from_secs(1);

/// Owns the state, and decides.
pub struct Sequencer {
    pub(super) log: Arc<dyn EventLog>,
    pub(super) published: Arc<Published>,
    /// What all durable records fold to, and no others.
    pub(super) models: ReadModels,
    /// True if `models` has records of other nodes that queries do not see yet.
    pub(super) has_followed: bool,
    /// The next batch. It is decided on `models`, or on the batch that is on its way.
    next: Batch,
    pub(super) queue: Queue,
    /// True if the state was folded up to the log's head after the waiting commands arrived. Then the next batch need
    /// not compare the head.
    is_up_to_date: bool,
    /// True if a tick is in the next batch, or waits for it.
    has_tick: bool,
    pub(super) probe_at: Instant,
    /// True after the log took long to fail. Until it answers a probe, every command is refused at once.
    pub(super) is_silent: bool,
    skew: ClockSkew,
    clock_reader: Option<ClockReader>,
    clock: Clock,
    node_id: Uuid,
    snapshots: Option<SnapshotWriter>,
    seeds: Option<Seeds>,
    pub(super) served: Option<ServedMark>,
}

impl Engine {
    /// Makes an engine on a replayed log, and its sequencer. The caller must run the sequencer.
    pub fn new(log: Arc<dyn EventLog>, models: ReadModels, clock: Clock, node_id: Uuid) -> (Self, Sequencer) {
        let (senders, queue) = lanes();
        let (clock_reader, skew) = ClockSkew::unread();
        let published = Arc::new(Published::new(models.clone()));
        let sequencer = Sequencer {
            log: Arc::clone(&log),
            published: Arc::clone(&published),
            next: Batch::new(&models, node_id, models.state.recorded_at),
            models,
            has_followed: false,
            queue,
            is_up_to_date: false,
            has_tick: false,
            probe_at: Instant::now(),
            is_silent: false,
            skew: skew.clone(),
            clock_reader: Some(clock_reader),
            clock: Arc::clone(&clock),
            node_id,
            snapshots: None,
            seeds: None,
            served: None,
        };
        let heads = Arc::new(HeadReadings::new(Arc::clone(&log)));
        (Self { lanes: senders, published, log, heads, clock, skew }, sequencer)
    }
}

impl Sequencer {
    /// Makes draws after an opening has closed. The server's key makes the seeds.
    #[must_use]
    pub fn with_seeds(self, seeds: Seeds) -> Self {
        Self { seeds: Some(seeds), ..self }
    }

    /// Takes snapshots with this writer.
    #[must_use]
    pub fn with_snapshots(self, snapshots: SnapshotWriter) -> Self {
        Self { snapshots: Some(snapshots), ..self }
    }

    /// Writes the head to this mark before anybody is told of it.
    #[must_use]
    pub fn with_served_mark(self, served: ServedMark) -> Self {
        Self { served: Some(served), ..self }
    }

    /// Decides until every [`Engine`] is gone and all that was submitted is answered.
    ///
    /// # Errors
    /// The log failed, or is not the log that was served: see [`Fatal`].
    pub async fn run(mut self) -> Result<(), Fatal> {
        match self.decide_until_closed().await {
            Err(outdated @ Fatal::Outdated { .. }) => self.refuse_from_now_on(outdated.to_string()).await?,
            ended => ended?,
        }
        if let Some(served) = self.served {
            served.end().await;
        }
        if let Some(snapshots) = self.snapshots {
            snapshots.stop(self.models);
        }
        Ok(())
    }

    async fn decide_until_closed(&mut self) -> Result<(), Fatal> {
        if let Some(reader) = self.clock_reader.take() {
            reader.start(Arc::clone(&self.log)).await;
        }
        self.published.set_readiness(self.clock_in_bounds());
        let mut ticks = tokio::time::interval(TICK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let follows = self.log.is_shared();
        let (mut on_its_way, mut is_closed) = (None::<OnItsWay>, false);
        loop {
            let is_idle = on_its_way.is_none();
            let has_leftovers = !self.queue.waiting.is_empty();
            if is_idle && is_closed && !has_leftovers {
                break;
            }
            let (decided, fill) = (self.next.commands(), if is_idle { Fill::Whole } else { Fill::Shares });
            tokio::select! {
                biased;
                outcome = landed(&mut on_its_way) => {
                    let OnItsWay { batch, since, .. } = on_its_way.take().expect("it has just landed");
                    on_its_way = self.conclude(batch, since, outcome).await?;
                }
                _ = ticks.tick() => {
                    if is_idle {
                        self.probe().await?;
                    }
                    // At most one tick per batch: with a slow log, more ticks would only queue up.
                    if !std::mem::replace(&mut self.has_tick, true) {
                        let others_wait = self.queue.take_has_come() || !is_idle || has_leftovers || self.next.commands() > 0;
                        self.queue.waiting.push_back(by_system(Action::Tick(Tick { others_wait })));
                        self.queue.waiting.extend(self.draw().map(by_system));
                    }
                }
                () = std::future::ready(()), if is_idle && has_leftovers => {}
                is_open = self.queue.first(decided, fill), if !is_closed && !has_leftovers => is_closed = !is_open,
                () = self.published.asked_to_follow(), if follows && is_idle && !self.is_silent => {
                    self.follow().await.map(drop)?;
                }
                () = self.log.wait_past(self.models.state.head.position), if follows && is_idle && !self.is_silent => {
                    self.follow().await.map(drop)?;
                }
            }
            if on_its_way.is_none() {
                let dispatched = self.dispatch();
                self.show_followed().await?;
                on_its_way = dispatched.told();
            } else {
                self.queue.fill(self.next.commands(), Fill::Shares);
                self.decide();
            }
        }
        Ok(())
    }

    /// Checks the log while no command does: is a failed log back, and is a shared log still the one that was served?
    /// The log's own hints may never come.
    async fn probe(&mut self) -> Result<(), Fatal> {
        if Instant::now() < self.probe_at {
            return Ok(());
        }
        self.probe_at = Instant::now() + PROBE_PAUSE;
        self.check_served()?;
        let is_ready = self.published.readiness().is_ok();
        if is_ready && self.log.is_shared() {
            return self.follow().await.map(drop);
        }
        if self.clock_in_bounds().is_err() {
            return Ok(());
        }
        let (log, head) = (Arc::clone(&self.log), self.models.state.head);
        // While a working log is probed, new commands wait, as they wait for an append.
        let probe = log.probe(&head);
        let outcome = if is_ready { probe.await } else { self.refusing(probe).await };
        match self.settle(head, &[], outcome).await? {
            Appended::Yes if is_ready => {}
            Appended::Yes => {
                self.is_silent = false;
                self.published.set_readiness(Ok(()));
            }
            Appended::OthersCameFirst(records) => drop(self.fold_on(records).await?),
            Appended::Not => {}
        }
        Ok(())
    }

    fn clock_in_bounds(&self) -> Readiness {
        self.skew.in_bounds((self.clock)()).map_err(NotReady::told_to_all)
    }

    /// Handles the outcome of the batch that was on its way. Returns what is on its way now.
    async fn conclude(
        &mut self,
        batch: CommittedBatch,
        since: Instant,
        outcome: Result<(), AppendError>,
    ) -> Result<Option<OnItsWay>, Fatal> {
        if outcome.is_ok() {
            // Send the next batch first, so that the log works while this batch is answered. The next batch is answered
            // after this one.
            let next = self.dispatch();
            self.adopt(batch).await?;
            if matches!(next, Dispatched::Nothing) {
                self.undo_next();
            }
            return Ok(next.told());
        }
        self.undo_next();
        match self.settle(batch.base, &batch.records, outcome).await? {
            Appended::Yes => {
                self.adopt(batch).await?;
                self.undo_next();
            }
            Appended::OthersCameFirst(records) => {
                self.queue.wait_first(batch.undo());
                self.is_up_to_date = self.fold_on(records).await?;
            }
            Appended::Not => {
                self.is_silent |= since.elapsed() > SILENT_AFTER;
                batch.refuse(Undecided::LogUnavailable);
            }
        }
        Ok(None)
    }

    /// Adopts a durable batch: what it folds to becomes the state, queries see it, and then its commands are answered.
    async fn adopt(&mut self, mut batch: CommittedBatch) -> Result<(), Fatal> {
        assert!(!self.has_followed, "what others wrote was shown when the batch was sent");
        self.models = std::mem::take(&mut batch.models);
        self.remember_served().await?;
        if !batch.records.is_empty() {
            self.published.publish(self.models.clone());
            self.is_silent = false;
            self.published.set_readiness(self.clock_in_bounds());
        }
        batch.answer();
        self.offer_snapshot();
        Ok(())
    }

    /// Offers a copy to the snapshot writer, which takes it if a snapshot is due.
    pub(super) fn offer_snapshot(&mut self) {
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.offer(&self.models);
        }
    }
}

/// Makes a command of the server itself. Nobody waits for its answer.
fn by_system(action: Action) -> Pending {
    let command = Command { by: Credential::System, idempotency: None, action };
    let (reply_to, _) = oneshot::channel();
    Pending::new(Submission::new(command, None), Instant::now() + COMMAND_DEADLINE, reply_to).0
}
