//! A batch: commands decided one after another on a copy of the state, and the records that their events make.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::metrics::histogram;
use domain::limits::MAX_RECORD_BYTES;
use domain::{
    Actor, Answer, Credential, Decided, Event, Head, Metadata, Position, Record, RecordedEvent, Rejection, State,
    Timestamp,
};
use projections::ReadModels;
use uuid::Uuid;

use super::pending::{Pending, TakenCommand, Verdict};
use super::{Reply, Submission, Undecided};
use crate::log::MAX_BATCH_BYTES;
use crate::metrics;

/// A batch that was decided and not sent. None of its commands may be answered yet. Dropping it undoes it.
pub struct Batch {
    /// What the log folds to once the records are appended. Commands are decided on its state.
    pub models: ReadModels,
    /// The records to append.
    pub records: Vec<Record>,
    /// The commands, each with its decision.
    verdicts: Vec<(Pending, Verdict)>,
    /// What the first command was decided on.
    base: ReadModels,
    bytes: usize,
    node_id: Uuid,
    now: Timestamp,
    deciding: Duration,
}

impl Batch {
    /// An empty batch on a copy of `base`, to be decided at `now` or later.
    pub fn new(base: &ReadModels, node_id: Uuid, now: Timestamp) -> Self {
        Self {
            models: base.clone(),
            records: Vec::new(),
            verdicts: Vec::new(),
            base: base.clone(),
            bytes: 0,
            node_id,
            now,
            deciding: Duration::ZERO,
        }
    }

    /// An empty batch on the same base.
    pub fn emptied(&self) -> Self {
        Self::new(&self.base, self.node_id, self.now)
    }

    /// Decides waiting commands in order until the batch is full. A command without room stays in `waiting`. `now` may
    /// be later each time.
    pub fn decide_all(&mut self, waiting: &mut VecDeque<Pending>, now: Timestamp) {
        let started = Instant::now();
        self.now = now.max(self.models.state.recorded_at);
        while let Some(pending) = waiting.pop_front() {
            if !pending.is_open() {
                // Its submitter has withdrawn it, or `take` answers that it is overdue.
                drop(pending.take());
                continue;
            }
            match self.decide_one(pending.submission()) {
                Some(verdict) => self.verdicts.push((pending, verdict)),
                None => {
                    waiting.push_front(pending);
                    break;
                }
            }
        }
        self.deciding += started.elapsed();
    }

    /// Decides a command that nobody waits for, for a log that a tool makes. `None` if its events have no room in this
    /// batch.
    pub fn make(&mut self, submission: &Submission) -> Option<Result<Answer, Rejection>> {
        match self.decide_one(submission)? {
            Verdict::Reply(reply) => Some(reply.outcome),
            Verdict::Repeated(_) => Some(Ok(Answer::Done)),
        }
    }

    fn decide_one(&mut self, submission: &Submission) -> Option<Verdict> {
        let position = self.models.state.head.position;
        Some(match submission.command.decide(&self.models.state, self.now) {
            Err(rejection) => self.reply(submission, position, Err(rejection)),
            Ok((_, Decided::Already(answer))) => self.reply(submission, position, Ok(answer)),
            Ok((_, Decided::Repeated(position))) => Verdict::Repeated(position),
            Ok((actor, Decided::Events(events))) => {
                let answer = events.last().expect("a decision that writes has an event").answer();
                let position = self.write(submission, &actor, events)?;
                self.reply(submission, position, Ok(answer))
            }
        })
    }

    fn reply(&self, submission: &Submission, position: Position, outcome: Result<Answer, Rejection>) -> Verdict {
        let is_operators = matches!(submission.command.by, Credential::Operator(_));
        let then = is_operators.then(|| Arc::new(self.models.clone()));
        Verdict::Reply(Reply { position, outcome, replayed: false, then })
    }

    /// Seals and folds a command's events, and returns the position of the last one. `None` if they have no room.
    fn write(&mut self, submission: &Submission, actor: &Actor, events: Vec<Event>) -> Option<Position> {
        let sealed = seal(self.models.state.head, self.now, self.node_id, submission, actor, events);
        let bytes: usize = sealed.iter().map(|(record, _)| record.size_bytes()).sum();
        if !self.records.is_empty() && self.bytes + bytes > MAX_BATCH_BYTES {
            return None;
        }
        self.bytes += bytes;
        for (record, recorded) in sealed {
            self.models.apply(&recorded);
            self.records.push(record);
        }
        Some(self.models.state.head.position)
    }

    /// True if there is nothing to append and nobody to answer.
    pub fn is_silent(&self) -> bool {
        self.records.is_empty() && self.verdicts.iter().all(|(pending, _)| pending.is_unheard())
    }

    /// How many commands were decided.
    pub fn commands(&self) -> usize {
        self.verdicts.len()
    }

    /// Takes every command, so that none can be withdrawn any more.
    ///
    /// # Errors
    /// A command was withdrawn or became overdue after it was decided, so it must not happen. The error holds the other
    /// commands, which are decided anew without it.
    pub fn commit(self) -> Result<CommittedBatch, Vec<Pending>> {
        let decided = self.verdicts.len();
        let taken = self.verdicts.into_iter().filter_map(|(pending, verdict)| Some((pending.take()?, verdict)));
        let verdicts: Vec<(TakenCommand, Verdict)> = taken.collect();
        if verdicts.len() < decided {
            return Err(verdicts.into_iter().map(|(taken, _)| taken.requeue()).collect());
        }
        histogram!(metrics::DECIDE_SECONDS).record(self.deciding);
        histogram!(metrics::BATCH_COMMANDS).record(decided as f64);
        histogram!(metrics::BATCH_RECORDS).record(self.records.len() as f64);
        Ok(CommittedBatch { base: self.base.state.head, models: self.models, records: self.records.into(), verdicts })
    }

    /// Undoes the decisions.
    pub fn undo(self) -> impl DoubleEndedIterator<Item = Pending> {
        self.verdicts.into_iter().map(|(pending, _)| pending)
    }
}

/// A batch whose commands are taken. It is on its way to the log, or has no records.
pub struct CommittedBatch {
    /// The head that it was decided on.
    pub base: Head,
    /// What the log folds to with it.
    pub models: ReadModels,
    /// The records that are appended.
    pub records: Arc<[Record]>,
    verdicts: Vec<(TakenCommand, Verdict)>,
}

impl CommittedBatch {
    /// Answers every command with its decision. All that the decisions depend on must be durable.
    pub fn answer(self) {
        for (taken, verdict) in self.verdicts {
            taken.answer(Ok(verdict));
        }
    }

    /// Answers every command that there is no decision, and why.
    pub fn refuse(self, why: Undecided) {
        for (taken, _) in self.verdicts {
            taken.answer(Err(why));
        }
    }

    /// Undoes the decisions. Overdue commands are answered; the others are returned.
    pub fn undo(self) -> impl Iterator<Item = Pending> {
        self.verdicts.into_iter().filter_map(|(taken, _)| taken.unless_overdue()).map(TakenCommand::requeue)
    }
}

/// Seals the events of a command as the records after `head`.
fn seal(
    mut head: Head,
    now: Timestamp,
    node_id: Uuid,
    submission: &Submission,
    actor: &Actor,
    events: Vec<Event>,
) -> Vec<(Record, RecordedEvent)> {
    let count = u32::try_from(events.len()).expect("a command has few events");
    let seal = |(index, event)| {
        let metadata = Metadata {
            command_id: submission.command_id,
            index,
            count,
            correlation_id: submission.correlation_id,
            causation_id: submission.command_id,
            actor: actor.name(),
            node_id,
            program: domain::PROGRAM.into(),
            request_id: submission.request_id.clone(),
            idempotency: submission.command.idempotency,
        };
        let record = Record::seal(&head, now, &event, &metadata);
        assert!(record.size_bytes() <= MAX_RECORD_BYTES, "the domain bounds what one event holds");
        head = record.head();
        (record, RecordedEvent { head, recorded_at: now, event, metadata })
    };
    (0..).zip(events).map(seal).collect()
}

/// Decides a command as a trial, and folds its events into `state`. Nothing is written.
///
/// # Errors
/// The rule that the command would break.
pub fn rehearse(state: &mut State, command: &domain::Command, now: Timestamp) -> Result<(), Rejection> {
    if let (actor, Decided::Events(events)) = command.decide(state, now)? {
        let submission = Submission::new(command.clone(), None);
        let sealed = seal(state.head, now, Uuid::nil(), &submission, &actor, events);
        sealed.iter().for_each(|(_, recorded)| state.apply(recorded));
    }
    Ok(())
}
