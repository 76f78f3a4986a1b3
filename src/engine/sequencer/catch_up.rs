//! Every outcome of an append except success. The sequencer settles an unknown outcome, reads records of other nodes,
//! and stops if the log is not the one that it served.

use std::pin::pin;
use std::sync::Arc;

use ::metrics::counter;
use domain::{DecodeError, Head, PROGRAM, Position, Record};
use tokio::time::{Duration, Instant};

use super::{PROBE_PAUSE, SILENT_AFTER, Sequencer};
use crate::engine::pending::Pending;
use crate::engine::queue::Fill;
use crate::engine::stream::{Proved, StreamError};
use crate::engine::{NotReady, Undecided};
use crate::log::{AppendError, ReadError, is_full};
use crate::metrics;
use crate::served::{Served, ServedMark};

/// How many records of other nodes are read at once. A node that is further behind gives its turn back before it reads
/// on.
const CHUNK_RECORDS: usize = 4_096;
/// The pause before an append whose outcome is unknown is tried again.
const SETTLE_PAUSE: Duration = Duration::from_millis(50);

/// The reason why the sequencer stops. It does not serve what it cannot know.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The log's storage failed.
    #[error("the log's storage failed, the server stops: {0}")]
    Broken(String),
    /// The file `served` cannot be written.
    #[error("the file `served` cannot be written, and the server stops: {0}")]
    Forgetful(String),
    /// The log holds another history than the one served, or less of it.
    #[error(
        "the log was rewound: this server has served position {served}, and the log no longer holds that record; \
             the server stops, so that there is only one history"
    )]
    Rewound { served: Position },
    /// The log was damaged while it was served.
    #[error("the log is damaged, the server stops: {0}")]
    Damaged(StreamError),
    /// Another node wrote what this program does not understand.
    #[error("position {position}: {reason}; the server stops")]
    Undecodable { position: Position, reason: DecodeError },
    /// Another node runs a later program, and wrote an event that this program does not know. The sequencer does not
    /// stop: it refuses commands from then on.
    #[error(
        "position {position}: {reason}. Reprise {program} wrote it, and this is reprise {PROGRAM}: it takes no more \
             commands. Start reprise {program} instead"
    )]
    Outdated { position: Position, reason: DecodeError, program: String },
}

impl Fatal {
    /// True if only a person can decide how to go on: every start would refuse a log that lost what was served.
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

/// The settled outcome of an append.
pub enum Appended {
    /// The batch is durable.
    Yes,
    /// The batch was not written, and never will be. Records of other nodes stand in its place; these are the first of
    /// them.
    OthersCameFirst(Vec<Record>),
    /// Nothing was written.
    Not,
}

impl Sequencer {
    /// Settles the outcome of an append. An unknown outcome is settled before anything else is done: the records are
    /// appended again at the same head, until some record stands at the next position.
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

    /// Waits for a log that has failed, however long that takes. Meanwhile every new command is refused at once.
    pub(super) async fn refusing<T>(&mut self, asked: impl Future<Output = T>) -> T {
        let mut asked = pin!(asked);
        loop {
            tokio::select! {
                biased;
                answer = &mut asked => return answer,
                true = self.queue.first(0, Fill::Whole) => self.turn_away(),
            }
        }
    }

    /// Refuses all commands that wait, because the log takes nothing.
    pub(super) fn turn_away(&mut self) {
        self.queue.begin();
        self.queue.fill(0, Fill::Whole);
        for taken in self.queue.waiting.drain(..).filter_map(Pending::take) {
            taken.answer(Err(Undecided::LogUnavailable));
        }
    }

    /// Refuses every command from now on: another node, of a later program, wrote an event that this program does not
    /// know. Queries see the state before that event. This ends when no `Engine` is left.
    pub(super) async fn refuse_from_now_on(&mut self, why: String) -> Result<(), Fatal> {
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

    /// Reads and folds the records of other nodes. Returns true if it reached the log's end. No batch may be on its
    /// way.
    pub(super) async fn follow(&mut self) -> Result<bool, Fatal> {
        match self.read_on(&self.models.state.head.clone()).await? {
            Some(records) => self.fold_on(records).await,
            None => Ok(false),
        }
    }

    /// Shows queries the records that were followed. [`Sequencer::fold_on`] does not do this: other nodes may wait for
    /// this node's turn until the next batch is sent, and the file `served` is written before anything is shown.
    pub(super) async fn show_followed(&mut self) -> Result<(), Fatal> {
        if !self.has_followed {
            return Ok(());
        }
        self.remember_served().await?;
        self.has_followed = false;
        self.published.publish(self.models.clone());
        self.offer_snapshot();
        Ok(())
    }

    /// Folds these records of other nodes and those after them. Returns true if it reached the log's end.
    pub(super) async fn fold_on(&mut self, mut records: Vec<Record>) -> Result<bool, Fatal> {
        let mut has_turn = true;
        let mut proved = Proved { head: self.models.state.head, recorded_at: self.models.state.recorded_at };
        loop {
            for record in &records {
                proved.prove(record).map_err(Fatal::Damaged)?;
                let recorded = record.decode().map_err(|reason| not_understood(record, reason))?;
                self.models.apply(&recorded);
                self.has_followed = true;
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
            let Some(next) = self.read_on(&self.models.state.head.clone()).await? else { return Ok(false) };
            records = next;
        }
    }

    /// Reads at most a chunk of records after `head`. The log must still hold the record at `head`. Fewer records than
    /// a chunk are all that there are. `None` if the log cannot be read now.
    async fn read_on(&mut self, head: &Head) -> Result<Option<Vec<Record>>, Fatal> {
        let own = usize::from(head.position > Position::START);
        let before = Position::new(head.position.get() - own as u64);
        let since = Instant::now();
        let mut records = match self.log.read(before, CHUNK_RECORDS + own).await {
            Ok(records) => records,
            Err(error) => {
                self.is_silent |= since.elapsed() > SILENT_AFTER;
                return self.unreadable(error).map_or(Ok(None), Err);
            }
        };
        if own == 1 && records.first().map(Record::head) != Some(*head) {
            return Err(Fatal::Rewound { served: head.position });
        }
        Ok(Some(records.split_off(own)))
    }

    /// Writes the head to the file `served` before anybody is told of it. If the disk has no room for that, this waits
    /// until there is room.
    pub(super) async fn remember_served(&mut self) -> Result<(), Fatal> {
        let Some(log) = &self.models.state.log else { return Ok(()) };
        let last = Served { log_id: log.log_id, head: self.models.state.head };
        while let Some(served) = &mut self.served
            && let Err(error) = served.write(last)
        {
            if !is_full(&error) {
                return Err(Fatal::Forgetful(error.to_string()));
            }
            self.fail(NotReady::told_to_all(format!("there is no room to write the file `served`: {error}")));
            self.turn_away();
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
        Ok(())
    }

    /// Fails if the file `served` could not be synced, or is no longer the file in the data folder.
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

/// The reason to stop after a record of another node that cannot be decoded.
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
