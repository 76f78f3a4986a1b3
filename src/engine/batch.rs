//! A batch: commands decided one after another on a copy of the state, and the records that their events make.

use std::collections::VecDeque;

use domain::limits::MAX_RECORD_BYTES;
use domain::{Actor, Answer, Decided, Event, Metadata, Position, Record, RecordedEvent, Rejection, State, Timestamp};
use uuid::Uuid;

use super::pending::{self, Pending, Taken};
use super::{Reply, Submission, Undecided};
use crate::log::MAX_BATCH_BYTES;

/// Decided, not yet durable: nothing of it may be told. Dropping it undoes it.
pub struct Batch {
    /// The state that the log folds to once the records are appended.
    pub state: State,
    /// What is to be appended.
    pub records: Vec<Record>,
    /// The same, to be folded into the read models.
    pub recorded: Vec<RecordedEvent>,
    /// The commands with what they will be told.
    verdicts: Vec<(Taken, pending::Decided)>,
    bytes: usize,
    node_id: Uuid,
    now: Timestamp,
}

impl Batch {
    /// An empty batch on a copy of `state`, to be decided at `now`.
    pub fn new(state: &State, node_id: Uuid, now: Timestamp) -> Self {
        let state = state.clone();
        Self { state, records: Vec::new(), recorded: Vec::new(), verdicts: Vec::new(), bytes: 0, node_id, now }
    }

    /// Decides what waits, in order, until the batch is full; what has no room in it stays.
    pub fn decide_all(&mut self, waiting: &mut VecDeque<Pending>) {
        while let Some(pending) = waiting.pop_front() {
            let Some(taken) = pending.take() else { continue };
            if let Some(left_over) = self.decide(taken) {
                waiting.push_front(left_over.give_back());
                return;
            }
        }
    }

    /// Decides one command; gives it back where its events have no room in this batch.
    fn decide(&mut self, taken: Taken) -> Option<Taken> {
        let Some(verdict) = self.judge(taken.submission()) else { return Some(taken) };
        self.verdicts.push((taken, verdict));
        None
    }

    /// Decides what nobody waits for, for a log that is made and not served. `None`: its events have no room in this batch.
    pub fn make(&mut self, submission: &Submission) -> Option<Result<Answer, Rejection>> {
        match self.judge(submission)? {
            pending::Decided::Reply(reply) => Some(reply.outcome),
            pending::Decided::Repeated(_) => Some(Ok(Answer::Done)),
        }
    }

    fn judge(&mut self, submission: &Submission) -> Option<pending::Decided> {
        let position = self.state.head.position;
        let reply = |outcome| pending::Decided::Reply(Reply { position, outcome, replayed: false });
        Some(match submission.command.decide(&self.state, self.now) {
            Err(rejection) => reply(Err(rejection)),
            Ok((_, Decided::Already(answer))) => reply(Ok(answer)),
            Ok((_, Decided::Repeated(position))) => pending::Decided::Repeated(position),
            Ok((actor, Decided::Events(events))) => {
                let answer = events.last().expect("a decision that writes has an event").answer();
                let position = self.write(submission, &actor, events)?;
                pending::Decided::Reply(Reply { position, outcome: Ok(answer), replayed: false })
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
            program: env!("CARGO_PKG_VERSION").to_owned(),
            request_id: submission.request_id.clone(),
            idempotency: submission.command.idempotency,
        }
    }

    /// Whether there is nothing to append and nobody to answer.
    pub fn is_silent(&self) -> bool {
        self.records.is_empty() && self.verdicts.iter().all(|(taken, _)| taken.is_unheard())
    }

    /// How many commands were decided.
    pub fn commands(&self) -> usize {
        self.verdicts.len()
    }

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

    /// Lets those whose deadline is not over wait again, in their order: others' records came first.
    pub fn give_back(self, waiting: &mut VecDeque<Pending>) {
        let in_time = self.verdicts.into_iter().filter_map(|(taken, _)| taken.unless_overdue());
        let again: Vec<Pending> = in_time.map(Taken::give_back).collect();
        for pending in again.into_iter().rev() {
            waiting.push_front(pending);
        }
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
