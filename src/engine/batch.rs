//! A batch: commands decided one after another on a copy of the state, and the records that their events make.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::metrics::histogram;
use domain::limits::MAX_RECORD_BYTES;
use domain::{
    Actor, Answer, Decided, Event, Head, Metadata, Position, Record, RecordedEvent, Rejection, State, Timestamp,
};
use uuid::Uuid;

use super::pending::{Pending, TakenCommand, Verdict};
use super::{Reply, Submission, Undecided};
use crate::log::MAX_BATCH_BYTES;
use crate::metrics;

/// Decided, and sent nowhere: nothing of it may be told, and dropping it undoes it.
pub struct Batch {
    /// The state that the log folds to once the records are appended.
    pub state: State,
    /// What is to be appended.
    pub records: Vec<Record>,
    /// The same, to be folded into the read models.
    pub recorded: Vec<RecordedEvent>,
    /// The commands with what they will be told.
    verdicts: Vec<(Pending, Verdict)>,
    /// What all of it is decided on.
    base: State,
    bytes: usize,
    node_id: Uuid,
    now: Timestamp,
    deciding: Duration,
}

impl Batch {
    /// An empty batch on a copy of `state`, to be decided at `now` or later.
    pub fn new(state: &State, node_id: Uuid, now: Timestamp) -> Self {
        Self {
            state: state.clone(),
            records: Vec::new(),
            recorded: Vec::new(),
            verdicts: Vec::new(),
            base: state.clone(),
            bytes: 0,
            node_id,
            now,
            deciding: Duration::ZERO,
        }
    }

    /// The same batch before anything was decided.
    pub fn emptied(&self) -> Self {
        Self::new(&self.base, self.node_id, self.now)
    }

    /// Decides what waits, in order, until the batch is full; what has no room in it stays. `now` may be later each time.
    pub fn decide_all(&mut self, waiting: &mut VecDeque<Pending>, now: Timestamp) {
        let started = Instant::now();
        self.now = now.max(self.state.recorded_at);
        while let Some(pending) = waiting.pop_front() {
            if !pending.is_open() {
                // Its submitter has given it up, or is told here that it is too late.
                drop(pending.take());
                continue;
            }
            match self.judge(pending.submission()) {
                Some(verdict) => self.verdicts.push((pending, verdict)),
                None => {
                    waiting.push_front(pending);
                    break;
                }
            }
        }
        self.deciding += started.elapsed();
    }

    /// Decides what nobody waits for, for a log that is made and not served. `None`: its events have no room in this batch.
    pub fn make(&mut self, submission: &Submission) -> Option<Result<Answer, Rejection>> {
        match self.judge(submission)? {
            Verdict::Reply(reply) => Some(reply.outcome),
            Verdict::Repeated(_) => Some(Ok(Answer::Done)),
        }
    }

    fn judge(&mut self, submission: &Submission) -> Option<Verdict> {
        let position = self.state.head.position;
        let reply = |outcome| Verdict::Reply(Reply { position, outcome, replayed: false });
        Some(match submission.command.decide(&self.state, self.now) {
            Err(rejection) => reply(Err(rejection)),
            Ok((_, Decided::Already(answer))) => reply(Ok(answer)),
            Ok((_, Decided::Repeated(position))) => Verdict::Repeated(position),
            Ok((actor, Decided::Events(events))) => {
                let answer = events.last().expect("a decision that writes has an event").answer();
                let position = self.write(submission, &actor, events)?;
                Verdict::Reply(Reply { position, outcome: Ok(answer), replayed: false })
            }
        })
    }

    /// Seals and folds a command's events and tells the last one's position; `None` where they have no room.
    fn write(&mut self, submission: &Submission, actor: &Actor, events: Vec<Event>) -> Option<Position> {
        let count = u32::try_from(events.len()).expect("a command has few events");
        let mut head = self.state.head;
        let mut sealed = Vec::with_capacity(events.len());
        for (index, event) in (0..).zip(events) {
            let metadata = self.metadata(submission, actor, index, count);
            let record = Record::seal(&head, self.now, &event, &metadata);
            assert!(record.size_bytes() <= MAX_RECORD_BYTES, "the domain bounds what one event holds");
            head = record.head();
            sealed.push((record, RecordedEvent { head, recorded_at: self.now, event, metadata }));
        }
        let bytes: usize = sealed.iter().map(|(record, _)| record.size_bytes()).sum();
        if !self.records.is_empty() && self.bytes + bytes > MAX_BATCH_BYTES {
            return None;
        }
        self.bytes += bytes;
        for (record, recorded) in sealed {
            self.state.apply(&recorded);
            self.records.push(record);
            self.recorded.push(recorded);
        }
        Some(head.position)
    }

    fn metadata(&self, submission: &Submission, actor: &Actor, index: u32, count: u32) -> Metadata {
        Metadata {
            command_id: submission.command_id,
            index,
            count,
            correlation_id: submission.correlation_id,
            causation_id: submission.command_id,
            actor: actor.name(),
            node_id: self.node_id,
            program: domain::PROGRAM.into(),
            request_id: submission.request_id.clone(),
            idempotency: submission.command.idempotency,
        }
    }

    /// Whether there is nothing to append and nobody to answer.
    pub fn is_silent(&self) -> bool {
        self.records.is_empty() && self.verdicts.iter().all(|(pending, _)| pending.is_unheard())
    }

    /// How many commands were decided.
    pub fn commands(&self) -> usize {
        self.verdicts.len()
    }

    /// Takes every command, so that the batch can be sent.
    ///
    /// # Errors
    /// Some command was withdrawn, or its deadline is over since it was decided, so that it must not happen: the others are
    /// to be decided anew, without it.
    pub fn commit(self) -> Result<Sent, Vec<Pending>> {
        let decided = self.verdicts.len();
        let taken = self.verdicts.into_iter().filter_map(|(pending, verdict)| Some((pending.take()?, verdict)));
        let verdicts: Vec<(TakenCommand, Verdict)> = taken.collect();
        if verdicts.len() < decided {
            return Err(verdicts.into_iter().map(|(taken, _)| taken.give_back()).collect());
        }
        histogram!(metrics::DECIDE_SECONDS).record(self.deciding);
        histogram!(metrics::BATCH_COMMANDS).record(decided as f64);
        histogram!(metrics::BATCH_RECORDS).record(self.records.len() as f64);
        Ok(Sent {
            base: self.base.head,
            state: self.state,
            records: self.records.into(),
            recorded: self.recorded,
            verdicts,
        })
    }

    /// Undoes the decisions.
    pub fn undo(self) -> impl DoubleEndedIterator<Item = Pending> {
        self.verdicts.into_iter().map(|(pending, _)| pending)
    }
}

/// A batch whose commands are taken: it is on its way to the log, or nothing of it has to go there.
pub struct Sent {
    /// The head that it was decided on.
    pub base: Head,
    /// The state that the log folds to with it.
    pub state: State,
    /// What is appended.
    pub records: Arc<[Record]>,
    /// The same, to be folded into the read models.
    pub recorded: Vec<RecordedEvent>,
    verdicts: Vec<(TakenCommand, Verdict)>,
}

impl Sent {
    /// Tells everyone what was decided, now that what it rests on is durable.
    pub fn answer(self) {
        for (taken, verdict) in self.verdicts {
            taken.answer(Ok(verdict));
        }
    }

    /// Tells everyone why there is no decision.
    pub fn refuse(self, why: Undecided) {
        for (taken, _) in self.verdicts {
            taken.answer(Err(why));
        }
    }

    /// Undoes the decisions; who is past the deadline is told so.
    pub fn undo(self) -> impl Iterator<Item = Pending> {
        self.verdicts.into_iter().filter_map(|(taken, _)| taken.unless_overdue()).map(TakenCommand::give_back)
    }
}

/// Folds what a command would lead to into a state that is no log's: a trial.
///
/// # Errors
/// The rule that the command would break.
pub fn rehearse(state: &mut State, command: &domain::Command, now: Timestamp) -> Result<(), Rejection> {
    let mut trial = Batch::new(state, Uuid::nil(), now);
    if let (actor, Decided::Events(events)) = command.decide(state, now)? {
        trial.write(&Submission::new(command.clone(), None), &actor, events);
    }
    *state = trial.state;
    Ok(())
}
