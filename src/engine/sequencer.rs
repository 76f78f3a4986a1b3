//! The sequencer: the one task that decides. It owns the state; nobody else ever sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ::metrics::{counter, histogram};
use domain::{Action, Command, Credential, DecodeError, Head, Position, Record, State, Tick};
use projections::ReadModels;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use super::batch::Batch;
use super::pending::{Lanes, Pending, lanes};
use super::published::Published;
use super::{COMMAND_DEADLINE, Clock, Engine, Replayed, SnapshotWriter, Submission, TICK_INTERVAL, Undecided};
use crate::log::{AppendError, EventLog, MAX_BATCH_COMMANDS, ReadError};
use crate::metrics;

/// Places in each batch that are kept for those who join, so that the others never keep them out.
const JOINING_SHARE: usize = MAX_BATCH_COMMANDS / 4;
/// How many records of others are read at once.
const CHUNK_RECORDS: usize = 4_096;
/// The pause before an append whose outcome is unknown is tried again.
const SETTLE_PAUSE: Duration = Duration::from_millis(50);

/// The pause before a log that failed is asked again whether it is back.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

/// Why the sequencer stops for good: what it cannot know, it does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The log's storage failed.
    #[error("the log's storage failed, the server stops: {0}")]
    Broken(String),
    /// The log holds another history than the one served, or less of it.
    #[error(
        "the log was rewound: this server has served position {served}, which the log does not hold as it was; it \
             stops rather than fork history"
    )]
    Rewound { served: Position },
    /// The log was damaged while it was served.
    #[error("the log is damaged, the server stops: {0}")]
    Damaged(ReadError),
    /// Another node wrote what this program does not understand.
    #[error("position {position}: {reason}; the server stops")]
    Undecodable { position: Position, reason: DecodeError },
}

/// What became of a batch that was to be appended.
enum Appended {
    /// It is durable.
    Yes,
    /// It never will be: others' records stand where it was to be.
    OthersCameFirst,
    /// Nothing was written.
    Not,
}

/// Owns the state, and decides.
pub struct Sequencer {
    log: Arc<dyn EventLog>,
    clock: Clock,
    node_id: Uuid,
    lanes: Lanes,
    waiting: VecDeque<Pending>,
    probe_at: Instant,
    state: State,
    read_models: ReadModels,
    published: Arc<Published>,
    snapshots: Option<SnapshotWriter>,
}

impl Engine {
    /// An engine on a log that was replayed, and its sequencer, which must be run.
    pub fn new(log: Arc<dyn EventLog>, replayed: Replayed, clock: Clock, node_id: Uuid) -> (Self, Sequencer) {
        let (senders, lanes) = lanes();
        let published = Arc::new(Published::new(replayed.read_models.clone()));
        let sequencer = Sequencer {
            log: Arc::clone(&log),
            clock: Arc::clone(&clock),
            node_id,
            lanes,
            waiting: VecDeque::new(),
            probe_at: Instant::now(),
            state: replayed.state,
            read_models: replayed.read_models,
            published: Arc::clone(&published),
            snapshots: None,
        };
        (Self { lanes: senders, published, log, clock }, sequencer)
    }
}

impl Sequencer {
    /// Has snapshots taken of what it decides.
    #[must_use]
    pub fn with_snapshots(self, snapshots: SnapshotWriter) -> Self {
        Self { snapshots: Some(snapshots), ..self }
    }

    /// Decides until every [`Engine`] is gone and all that was submitted is answered.
    ///
    /// # Errors
    /// What it cannot know, it does not serve.
    pub async fn run(mut self) -> Result<(), Fatal> {
        let mut ticks = tokio::time::interval(TICK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.published.set_readiness(Ok(()));
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    self.probe().await?;
                    self.waiting.push_back(tick());
                }
                () = std::future::ready(()), if !self.waiting.is_empty() => {}
                pending = first(&mut self.lanes) => match pending {
                    Some(pending) => self.waiting.push_back(pending),
                    None => {
                        self.stop();
                        return Ok(());
                    }
                },
                () = self.log.wait_past(self.state.head.position) => {
                    self.follow().await?;
                    continue;
                }
            }
            self.fill();
            self.process().await?;
        }
    }

    fn stop(self) {
        if let Some(snapshots) = self.snapshots {
            snapshots.stop(self.state, self.read_models);
        }
    }

    /// Finds out whether a log that failed is back, without waiting for a command to try it on.
    async fn probe(&mut self) -> Result<(), Fatal> {
        if self.published.readiness().is_err() && Instant::now() >= self.probe_at {
            self.probe_at = Instant::now() + PROBE_PAUSE;
            if let Appended::Yes = self.append(&[]).await? {
                self.published.set_readiness(Ok(()));
            }
        }
        Ok(())
    }

    /// Takes what waits in the lanes, up to a batch: those inside first, but never without room for those who join.
    fn fill(&mut self) {
        let Self { lanes, waiting, .. } = self;
        drain(&mut lanes.inside, waiting, MAX_BATCH_COMMANDS - JOINING_SHARE);
        drain(&mut lanes.joining, waiting, MAX_BATCH_COMMANDS);
        drain(&mut lanes.inside, waiting, MAX_BATCH_COMMANDS);
    }

    /// Decides a batch, makes it durable, and answers.
    async fn process(&mut self) -> Result<(), Fatal> {
        let now = (self.clock)().max(self.state.recorded_at);
        let started = Instant::now();
        let mut batch = Batch::new(&self.state, self.node_id, now);
        batch.decide_all(&mut self.waiting);
        if batch.is_silent() {
            return Ok(());
        }
        histogram!(metrics::DECIDE_SECONDS).record(started.elapsed());
        histogram!(metrics::BATCH_COMMANDS).record(batch.commands() as f64);
        histogram!(metrics::BATCH_RECORDS).record(batch.records.len() as f64);
        match self.append(&batch.records).await? {
            Appended::Yes => {
                self.adopt(batch);
                Ok(())
            }
            Appended::OthersCameFirst => {
                batch.give_back(&mut self.waiting);
                self.follow().await
            }
            Appended::Not => {
                batch.refuse(Undecided::LogUnavailable);
                Ok(())
            }
        }
    }

    /// The batch is durable: its state is the state, queries see it, and then it is answered.
    fn adopt(&mut self, mut batch: Batch) {
        self.state = std::mem::take(&mut batch.state);
        for recorded in batch.recorded.drain(..) {
            self.read_models.apply(&recorded);
        }
        self.published.publish(self.read_models.clone());
        if !batch.records.is_empty() {
            self.published.set_readiness(Ok(()));
        }
        batch.answer();
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.offer(&self.state, &self.read_models);
        }
    }

    /// Appends after the state's head. An outcome that is unknown is settled before anything else is done: the same
    /// records at the same head, until some record stands at the next position.
    async fn append(&mut self, records: &[Record]) -> Result<Appended, Fatal> {
        let expected = self.state.head;
        let mut uncertain = false;
        loop {
            let started = Instant::now();
            let appended = self.log.append(&expected, records).await;
            histogram!(metrics::APPEND_SECONDS).record(started.elapsed());
            let Err(outcome) = appended else { return Ok(Appended::Yes) };
            counter!(metrics::APPEND_FAILURES, "why" => outcome.name()).increment(1);
            match &outcome {
                AppendError::Conflict => match self.who_came_next(&expected).await? {
                    Some(next) if records.first().is_some_and(|ours| ours.hash == next.hash) => {
                        return Ok(Appended::Yes);
                    }
                    Some(_) => return Ok(Appended::OthersCameFirst),
                    None => {}
                },
                AppendError::Unknown(_) => uncertain = !records.is_empty(),
                AppendError::Broken(reason) => return Err(Fatal::Broken(reason.clone())),
                AppendError::Unavailable(_) | AppendError::Full(_) => {}
            }
            self.fail(outcome.to_string());
            if !uncertain {
                return Ok(Appended::Not);
            }
            self.turn_away();
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }

    /// While the log takes nothing, who comes is told so at once.
    fn turn_away(&mut self) {
        self.fill();
        for taken in self.waiting.drain(..).filter_map(Pending::take) {
            taken.answer(Err(Undecided::LogUnavailable));
        }
    }

    /// The record after `expected`, if one is there and can be read.
    async fn who_came_next(&mut self, expected: &Head) -> Result<Option<Record>, Fatal> {
        match self.read_on(expected, 1).await {
            Ok(records) => Ok(records.into_iter().next()),
            Err(Some(fatal)) => Err(fatal),
            Err(None) => Ok(None),
        }
    }

    /// Reads and folds what others have written.
    async fn follow(&mut self) -> Result<(), Fatal> {
        loop {
            let head = self.state.head;
            let records = match self.read_on(&head, CHUNK_RECORDS).await {
                Ok(records) if records.is_empty() => return Ok(()),
                Ok(records) => records,
                Err(Some(fatal)) => return Err(fatal),
                Err(None) => return Ok(()),
            };
            for record in &records {
                record.verify(&self.state.head).map_err(|damage| Fatal::Damaged(damage.into()))?;
                let position = record.position;
                let recorded = record.decode().map_err(|reason| Fatal::Undecodable { position, reason })?;
                self.state.apply(&recorded);
                self.read_models.apply(&recorded);
            }
            self.published.publish(self.read_models.clone());
        }
    }

    /// Records after `head`, which the log must still hold as it was served. `Err(None)`: it cannot be read just now.
    async fn read_on(&mut self, head: &Head, limit: usize) -> Result<Vec<Record>, Option<Fatal>> {
        let rewound = Fatal::Rewound { served: head.position };
        let Some(before) = head.position.get().checked_sub(1) else {
            return self.log.read(Position::START, limit).await.map_err(|error| self.unreadable(error));
        };
        let read = self.log.read(Position::new(before), limit + 1).await;
        let mut records = read.map_err(|error| self.unreadable(error))?;
        match records.first() {
            Some(own) if own.head() == *head => Ok(records.split_off(1)),
            Some(_) | None => Err(Some(rewound)),
        }
    }

    fn fail(&mut self, reason: String) {
        self.published.set_readiness(Err(reason));
        self.probe_at = Instant::now() + PROBE_PAUSE;
    }

    fn unreadable(&mut self, error: ReadError) -> Option<Fatal> {
        match error {
            ReadError::Unavailable(reason) => {
                self.fail(reason);
                None
            }
            ReadError::Broken(reason) => Some(Fatal::Broken(reason)),
            damaged @ (ReadError::Damaged(_) | ReadError::Malformed { .. }) => Some(Fatal::Damaged(damaged)),
        }
    }
}

/// The first command to come, those inside before those who join; `None` once nobody can submit any more.
async fn first(lanes: &mut Lanes) -> Option<Pending> {
    tokio::select! {
        biased;
        Some(pending) = lanes.inside.recv() => Some(pending),
        Some(pending) = lanes.joining.recv() => Some(pending),
        else => None,
    }
}

fn drain(lane: &mut mpsc::Receiver<Pending>, waiting: &mut VecDeque<Pending>, most: usize) {
    while waiting.len() < most
        && let Ok(pending) = lane.try_recv()
    {
        waiting.push_back(pending);
    }
}

/// The server's own command: nobody waits for its answer.
fn tick() -> Pending {
    let command = Command { by: Credential::System, idempotency: None, action: Action::Tick(Tick) };
    let (answered, _) = oneshot::channel();
    Pending::new(Submission::new(command, None), Instant::now() + COMMAND_DEADLINE, answered).0
}
