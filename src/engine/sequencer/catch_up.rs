//! What the sequencer does when the log does not simply say yes: it settles what is unknown, reads what others have
//! written, and stops where the log is not the one that it has served.

use std::pin::pin;
use std::sync::Arc;

use ::metrics::counter;
use domain::{DecodeError, Head, PROGRAM, Position, Record};
use tokio::time::{Duration, Instant};

use super::{PROBE_PAUSE, SILENCE, Sequencer};
use crate::engine::pending::Pending;
use crate::engine::queue::Fill;
use crate::engine::stream::{Proved, StreamError};
use crate::engine::{NotReady, Undecided};
use crate::log::{AppendError, ReadError, is_full};
use crate::metrics;
use crate::served::{Served, ServedMark};

/// How many records of others are read at once; a node that is further behind gives its turn back before it reads on.
const CHUNK_RECORDS: usize = 4_096;
/// The pause before an append whose outcome is unknown is tried again.
const SETTLE_PAUSE: Duration = Duration::from_millis(50);

/// Why the sequencer stops for good: what it cannot know, it does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The log's storage failed.
    #[error("the log's storage failed, the server stops: {0}")]
    Broken(String),
    /// What was served cannot be remembered beside the log.
    #[error("what was served cannot be remembered, the server stops: {0}")]
    Forgetful(String),
    /// The log holds another history than the one served, or less of it.
    #[error(
        "the log was rewound: this server has served position {served}, which the log does not hold as it was; it \
             stops rather than fork history"
    )]
    Rewound { served: Position },
    /// The log was damaged while it was served.
    #[error("the log is damaged, the server stops: {0}")]
    Damaged(StreamError),
    /// Another node wrote what this program does not understand.
    #[error("position {position}: {reason}; the server stops")]
    Undecodable { position: Position, reason: DecodeError },
    /// Another node is of a later program, and has written what this one does not know. The sequencer stands still instead.
    #[error(
        "position {position}: {reason}. Reprise {program} wrote it, this is reprise {PROGRAM}: it takes no more commands. Start \
             reprise {program} in its place"
    )]
    Outdated { position: Position, reason: DecodeError, program: String },
}

impl Fatal {
    /// Whether only a person can decide how it goes on: a log that lost what was served is refused by each start.
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::Rewound { .. } => true,
            Self::Broken(_)
            | Self::Forgetful(_)
            | Self::Damaged(_)
            | Self::Undecodable { .. }
            | Self::Outdated { .. } => false,
        }
    }
}

/// What became of a batch that was to be appended.
pub enum Appended {
    /// It is durable.
    Yes,
    /// It never will be: others' records stand where it was to be, these first.
    OthersCameFirst(Vec<Record>),
    /// Nothing was written.
    Not,
}

impl Sequencer {
    /// What became of an append. An outcome that is unknown is settled before anything else is done: the same records at
    /// the same head, until some record stands at the next position.
    pub(super) async fn settle(
        &mut self,
        expected: Head,
        records: &[Record],
        mut outcome: Result<(), AppendError>,
    ) -> Result<Appended, Fatal> {
        let mut uncertain = false;
        loop {
            let Err(error) = outcome else { return Ok(Appended::Yes) };
            counter!(metrics::APPEND_FAILURES, "why" => error.name()).increment(1);
            match &error {
                AppendError::Conflict => {
                    let found = self.read_on(&expected).await?.unwrap_or_default();
                    if let Some(next) = found.first() {
                        let is_ours = records.first().is_some_and(|ours| ours.hash == next.hash);
                        return Ok(if is_ours { Appended::Yes } else { Appended::OthersCameFirst(found) });
                    }
                }
                AppendError::Unknown(_) => uncertain = !records.is_empty(),
                AppendError::Broken(reason) => return Err(Fatal::Broken(reason.clone())),
                AppendError::Unavailable(_) | AppendError::Full(_) => {}
            }
            self.fail(NotReady::of_the_log(error.to_string()));
            if !uncertain {
                return Ok(Appended::Not);
            }
            self.turn_away();
            let log = Arc::clone(&self.log);
            let append = async {
                tokio::time::sleep(SETTLE_PAUSE).await;
                log.append(&expected, records).await
            };
            outcome = self.refusing(append).await;
        }
    }

    /// Waits for a log that has failed; whoever comes meanwhile is told so at once, however long it takes.
    pub(super) async fn refusing<T>(&mut self, asked: impl Future<Output = T>) -> T {
        let mut asked = pin!(asked);
        loop {
            tokio::select! {
                biased;
                answered = &mut asked => return answered,
                true = self.queue.first(0, Fill::Whole) => self.turn_away(),
            }
        }
    }

    /// While the log takes nothing, who comes is told so at once.
    pub(super) fn turn_away(&mut self) {
        self.queue.begin();
        self.queue.fill(0, Fill::Whole);
        for taken in self.queue.waiting.drain(..).filter_map(Pending::take) {
            taken.answer(Err(Undecided::LogUnavailable));
        }
    }

    /// Of a log that a later program writes, too: refuses every command from now on, and leaves what is shown as it was before
    /// the first event that this one does not know. Until nobody can ask any more.
    pub(super) async fn stand_still(&mut self, why: String) -> Result<(), Fatal> {
        self.undo_next();
        self.fail(NotReady::told_to_all(why));
        self.log.end_turn().await;
        self.show_followed().await?;
        self.turn_away();
        while self.queue.first(0, Fill::Whole).await {
            self.turn_away();
        }
        Ok(())
    }

    /// Reads and folds what others have written, and tells whether that went to the log's end. Nothing is on its way then.
    pub(super) async fn follow(&mut self) -> Result<bool, Fatal> {
        match self.read_on(&self.state.head.clone()).await? {
            Some(records) => self.fold_on(records).await,
            None => Ok(false),
        }
    }

    /// Shows queries what was followed. That is no part of [`Sequencer::fold_on`], since the log may be waited for by others
    /// until the next batch is sent, and only commands need the state for that.
    pub(super) async fn show_followed(&mut self) -> Result<(), Fatal> {
        if self.followed.is_empty() {
            return Ok(());
        }
        self.remember_served().await?;
        for recorded in self.followed.drain(..) {
            self.read_models.apply(&recorded);
        }
        self.published.publish(self.read_models.clone(), &self.state.catalogue);
        self.offer_snapshot();
        Ok(())
    }

    /// Folds these records of others and those after them, and tells whether that went to the log's end.
    pub(super) async fn fold_on(&mut self, mut records: Vec<Record>) -> Result<bool, Fatal> {
        let mut has_turn = true;
        let mut proved = Proved { head: self.state.head, recorded_at: self.state.recorded_at };
        loop {
            for record in &records {
                proved.prove(record).map_err(Fatal::Damaged)?;
                let recorded = record.decode().map_err(|reason| not_understood(record, reason))?;
                self.state.apply(&recorded);
                self.followed.push(recorded);
            }
            if !records.is_empty() {
                self.undo_next();
            }
            if records.len() < CHUNK_RECORDS {
                return Ok(true);
            }
            self.show_followed().await?;
            if std::mem::take(&mut has_turn) {
                self.log.end_turn().await;
            }
            let Some(next) = self.read_on(&self.state.head.clone()).await? else { return Ok(false) };
            records = next;
        }
    }

    /// Records after `head`, which the log must still hold as it was served, up to a chunk; fewer are all that there are.
    /// `None`: it cannot be read just now.
    async fn read_on(&mut self, head: &Head) -> Result<Option<Vec<Record>>, Fatal> {
        let own = usize::from(head.position > Position::START);
        let before = Position::new(head.position.get() - own as u64);
        let since = Instant::now();
        let mut records = match self.log.read(before, CHUNK_RECORDS + own).await {
            Ok(records) => records,
            Err(error) => {
                self.is_silent |= since.elapsed() > SILENCE;
                return self.unreadable(error).map_or(Ok(None), Err);
            }
        };
        if own == 1 && records.first().map(Record::head) != Some(*head) {
            return Err(Fatal::Rewound { served: head.position });
        }
        Ok(Some(records.split_off(own)))
    }

    /// Remembers beside the log, before anybody is told, what they are told of. Where there is no room for that, nobody is told
    /// until there is.
    pub(super) async fn remember_served(&mut self) -> Result<(), Fatal> {
        let Some(log) = &self.state.log else { return Ok(()) };
        let last = Served { log_id: log.log_id, head: self.state.head };
        while let Some(served) = &mut self.served
            && let Err(error) = served.write(last)
        {
            if !is_full(&error) {
                return Err(Fatal::Forgetful(error.to_string()));
            }
            self.fail(NotReady::told_to_all(format!("there is no room to remember what was served: {error}")));
            self.turn_away();
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
        Ok(())
    }

    /// Whether what was remembered is on disk, and still where a start will look for it.
    pub(super) fn check_served(&self) -> Result<(), Fatal> {
        let checked = self.served.as_ref().map_or(Ok(()), ServedMark::check);
        checked.map_err(|error| Fatal::Forgetful(error.to_string()))
    }

    pub(super) fn fail(&mut self, why: NotReady) {
        self.published.set_readiness(Err(why));
        self.probe_at = Instant::now() + PROBE_PAUSE;
    }

    fn unreadable(&mut self, error: ReadError) -> Option<Fatal> {
        match error {
            ReadError::Unavailable(reason) => {
                self.fail(NotReady::of_the_log(reason));
                None
            }
            ReadError::Broken(reason) => Some(Fatal::Broken(reason)),
            damaged @ (ReadError::Damaged(_) | ReadError::Malformed { .. }) => Some(Fatal::Damaged(damaged.into())),
        }
    }
}

/// Why a record of others ends it.
fn not_understood(record: &Record, reason: DecodeError) -> Fatal {
    let position = record.position;
    match reason {
        DecodeError::UnknownType(_) | DecodeError::UnknownVersion { .. } => {
            let metadata: serde_json::Value = serde_json::from_str(&record.metadata).unwrap_or_default();
            let program = metadata["program"].as_str().unwrap_or("of a later version").to_owned();
            Fatal::Outdated { position, reason, program }
        }
        DecodeError::MalformedData { .. } => Fatal::Undecodable { position, reason },
    }
}
