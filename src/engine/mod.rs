//! The engine: decides commands in one order, makes their events durable, then answers.
//!
//! [`Engine`] is what others see: handlers submit commands to it and take read models from it. Behind it one task, the sequencer,
//! takes the waiting commands as a batch, decides them on a copy of the state, appends the events if the log's head is still the
//! same, publishes the read models, and only then replies. No rule of the business is here (`domain/` has them), and nothing
//! of HTTP.

mod batch;
mod clock_skew;
mod head_readings;
mod pending;
mod published;
mod queue;
mod replay;
mod sequencer;
mod snapshot;
mod stream;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Duration;

use domain::{Answer, Command, Hash, Nonce, Position, Rejection, Timestamp};
use projections::{Behind, ReadModels};
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use crate::log::EventLog;
use crate::metrics;
pub use batch::{Batch, rehearse};
use pending::Pending;
pub use published::{MAX_WAIT, NotReady, Readiness};
pub use replay::{StartError, check_clock, replay, replay_on};
pub use sequencer::{Fatal, Sequencer};
pub use snapshot::{Contradiction, SNAPSHOT_FOLDER, SnapshotFolder, SnapshotWriter, SnapshotsWritten};
pub use stream::{PAGE_RECORDS, Proved, Range, StreamError, decode, stream};

/// How long a command may take from its acceptance to its answer.
pub const COMMAND_DEADLINE: Duration = Duration::from_secs(5);
/// How many commands wait in each lane; one more is refused at the door.
pub const LANE_CAPACITY: usize = 4_096;
/// The time between two ticks: a tick writes events for deadlines that are over.
pub const TICK_INTERVAL: Duration = Duration::from_millis(100);
/// How far the log's last record may be ahead of the clock at start-up.
pub const MAX_CLOCK_LAG: Duration = Duration::from_secs(60);

/// The clock. Only the sequencer uses it for decisions.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Makes the seed of a draw from the log's id and the nonce of the announced opening. Only the server's key can make
/// it.
pub type Seeds = Arc<dyn Fn(&Uuid, &Nonce) -> Hash + Send + Sync>;

/// A command, and the request that it came with.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The command itself.
    pub command: Command,
    /// Names this attempt in the log.
    pub command_id: Uuid,
    /// Names the request or the import that the command is part of.
    pub correlation_id: Uuid,
    /// The HTTP request's id.
    pub request_id: Option<String>,
}

impl Submission {
    /// Makes a submission whose only command is this one: it is its own correlation.
    pub fn new(command: Command, request_id: Option<String>) -> Self {
        let command_id = Uuid::new_v4();
        Self { command, command_id, correlation_id: command_id, request_id }
    }
}

/// The reply to a command. It is sent after the events that it depends on are durable.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The position of the command's last event. If the command wrote nothing, the position that it was decided on.
    pub position: Position,
    /// The answer, or the rule that refused it.
    pub outcome: Result<Answer, Rejection>,
    /// True if the idempotency key was used before: then this is the first answer once more.
    pub replayed: bool,
    /// What queries would have seen right after the command. `None` for a repeated command, and for one that is not an
    /// operator's: those are answered from their own events.
    pub then: Option<Arc<ReadModels>>,
}

/// `then` is not compared: the position says what it is.
impl PartialEq for Reply {
    fn eq(&self, other: &Self) -> bool {
        (self.position, &self.outcome, self.replayed) == (other.position, &other.outcome, other.replayed)
    }
}

impl Eq for Reply {}

/// The reason why a command has no decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// Too many commands wait. This request will not happen. Nobody looked up whether an earlier request with this key
    /// happened.
    #[error("too many commands are waiting; this one was not processed")]
    Overloaded,
    /// The log takes no events. This request wrote nothing. Nobody looked up whether an earlier request with this key
    /// happened.
    #[error("the log takes no events at the moment")]
    LogUnavailable,
    /// The log has not replied yet, so nobody knows whether the command happened.
    #[error("it is not known yet whether this took effect")]
    OutcomeUnknown,
}

/// A handle on the engine; a clone is another handle on the same engine.
#[derive(Clone)]
pub struct Engine {
    lanes: queue::Senders,
    published: Arc<published::Published>,
    log: Arc<dyn EventLog>,
    heads: Arc<head_readings::HeadReadings>,
    clock: Clock,
    skew: clock_skew::ClockSkew,
}

impl Engine {
    /// Submits a command, and waits until it is decided and durable.
    ///
    /// # Errors
    /// The command was not decided, or its outcome is unknown.
    pub async fn submit(&self, submission: Submission) -> Result<Reply, Undecided> {
        let kind = submission.command.action.name();
        let answered = self.decide(submission).await;
        metrics::count_command(kind, outcome(&answered));
        answered
    }

    async fn decide(&self, submission: Submission) -> Result<Reply, Undecided> {
        let deadline = Instant::now() + COMMAND_DEADLINE;
        let lane = submission.command.action.lane();
        let (reply_to, reply) = oneshot::channel();
        let (pending, ticket) = Pending::new(submission, deadline, reply_to);
        self.lanes.send(lane, pending)?;
        let decided = match tokio::time::timeout_at(deadline, reply).await {
            Ok(Ok(decided)) => decided?,
            Ok(Err(_)) | Err(_) if ticket.withdraw() => return Err(Undecided::Overloaded),
            Ok(Err(_)) | Err(_) => return Err(Undecided::OutcomeUnknown),
        };
        match decided {
            pending::Verdict::Reply(reply) => Ok(reply),
            // Boxed because this is rare; otherwise every command's future would be larger.
            pending::Verdict::Repeated(position) => {
                let first = Box::pin(self.first_answer(position));
                tokio::time::timeout_at(deadline, first).await.unwrap_or(Err(Undecided::OutcomeUnknown))
            }
        }
    }

    /// Reads the event at `position` and makes the first answer from it. If the event cannot be read, the outcome is
    /// unknown to the client, although the request happened.
    async fn first_answer(&self, position: Position) -> Result<Reply, Undecided> {
        let record = self.log.record(position).await.map_err(|_| Undecided::OutcomeUnknown)?;
        let record = record.ok_or(Undecided::OutcomeUnknown)?;
        let event = record.decode().map_err(|_| Undecided::OutcomeUnknown)?.event;
        Ok(Reply { position, outcome: Ok(event.answer()), replayed: true, then: None })
    }

    /// How many commands wait in each lane.
    pub fn lane_lengths(&self) -> [(&'static str, usize); 2] {
        self.lanes.lengths()
    }

    /// The read models as of the last batch.
    pub fn read_models(&self) -> Arc<ReadModels> {
        self.published.read_models()
    }

    /// The read models once they have reached `position`.
    ///
    /// # Errors
    /// The read models have not reached it in 2 seconds.
    pub async fn read_models_at(&self, position: Position) -> Result<Arc<ReadModels>, Behind> {
        self.published.read_models_at(position).await
    }

    /// Reads the log's head and waits until the read models have reached it. `None` if the head is not past `seen`, or
    /// if only this node writes the log.
    ///
    /// # Errors
    /// The log cannot be read on to its head in 2 seconds.
    pub async fn newer_read_models(&self, seen: Position) -> Result<Option<Arc<ReadModels>>, Undecided> {
        if !self.log.is_shared() {
            return Ok(None);
        }
        let reading = tokio::time::timeout(MAX_WAIT, Box::pin(self.heads.now())).await;
        let head = reading.map_err(|_| Undecided::LogUnavailable)?.map_err(|_| Undecided::LogUnavailable)?;
        if head.position <= seen {
            return Ok(None);
        }
        self.published.ask_to_follow();
        self.read_models_at(head.position).await.map(Some).map_err(|_| Undecided::LogUnavailable)
    }

    /// Tells whether commands can be taken, or why not.
    pub fn readiness(&self) -> Readiness {
        self.published.readiness()
    }

    /// The time for queries: never before the time of the last record.
    pub fn now(&self) -> Timestamp {
        self.now_at(&self.read_models())
    }

    /// The time for a query that is served from these read models.
    pub fn now_at(&self, read_models: &ReadModels) -> Timestamp {
        self.skew.time((self.clock)()).max(read_models.state.recorded_at)
    }
}

/// The name under which metrics count a command's result.
fn outcome(answered: &Result<Reply, Undecided>) -> &'static str {
    match answered {
        Ok(Reply { replayed: true, .. }) => "repeated",
        Ok(Reply { outcome: Ok(_), .. }) => "accepted",
        Ok(Reply { outcome: Err(_), .. }) => "rejected",
        Err(Undecided::Overloaded) => "overloaded",
        Err(Undecided::LogUnavailable) => "log-unavailable",
        Err(Undecided::OutcomeUnknown) => "outcome-unknown",
    }
}
