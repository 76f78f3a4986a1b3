//! Completes a batch from what was decided, and sends it to the log.

use std::sync::Arc;

use domain::{Action, DrawQueue, State};
use projections::ReadModels;

use super::Sequencer;
use super::on_its_way::OnItsWay;
use crate::engine::batch::{Batch, CommittedBatch};
use crate::engine::queue::Fill;

/// The result of dispatching a batch.
pub(super) enum Dispatched {
    /// The batch was sent to the log.
    Sent(OnItsWay),
    /// It writes nothing. Its commands are answered after the batch before it is durable.
    Told(CommittedBatch),
    /// There was nothing to do.
    Nothing,
}

impl Dispatched {
    /// Answers the commands of a batch that writes nothing. Returns the batch that was sent, if one was.
    pub(super) fn told(self) -> Option<OnItsWay> {
        match self {
            Self::Sent(on_its_way) => Some(on_its_way),
            Self::Told(batch) => {
                batch.answer();
                None
            }
            Self::Nothing => None,
        }
    }
}

impl Sequencer {
    /// Decides the waiting commands that have room in the batch, and sends the batch.
    pub(super) fn dispatch(&mut self) -> Dispatched {
        if self.is_silent {
            self.undo_next();
            self.turn_away();
            return Dispatched::Nothing;
        }
        if let Err(why) = self.clock_in_bounds() {
            self.undo_next();
            self.fail(why);
            self.turn_away();
            return Dispatched::Nothing;
        }
        let is_proved = std::mem::take(&mut self.is_up_to_date) || !self.log.is_shared();
        let Some(batch) = self.commit(is_proved) else { return Dispatched::Nothing };
        if batch.records.is_empty() && is_proved {
            return Dispatched::Told(batch);
        }
        let next = self.batch_on(&batch.models);
        self.begin(next);
        Dispatched::Sent(OnItsWay::begin(Arc::clone(&self.log), batch))
    }

    /// Completes the next batch and takes its commands. `None` if there is nothing to append and nobody to answer.
    fn commit(&mut self, is_proved: bool) -> Option<CommittedBatch> {
        loop {
            // On a shared log, do not add commands now: their senders may have seen records that this node has not
            // read.
            if !is_proved || !self.log.is_shared() {
                self.queue.fill(self.next.commands(), Fill::Whole);
            }
            self.decide();
            let emptied = self.next.emptied();
            let batch = self.begin(emptied);
            if batch.is_silent() {
                return None;
            }
            match batch.commit() {
                Ok(batch) => return Some(batch),
                Err(open) => self.queue.wait_first(open),
            }
        }
    }

    /// The draw that can be made now: only its seed is missing.
    pub(super) fn draw(&self) -> Option<Action> {
        let (State { log, room, .. }, seeds) = (&self.next.models.state, self.seeds.as_ref()?);
        let opening = room.openings().announced().filter(|opening| opening.drawable().is_some())?;
        let seed = seeds(&log.as_ref()?.log_id, &opening.nonce);
        Some(Action::DrawQueue(DrawQueue { seed }))
    }

    pub(super) fn decide(&mut self) {
        self.next.decide_all(&mut self.queue.waiting, (self.clock)());
    }

    fn batch_on(&self, base: &ReadModels) -> Batch {
        Batch::new(base, self.node_id, base.state.recorded_at)
    }

    /// Makes `batch` the next batch, and returns the one before it.
    fn begin(&mut self, batch: Batch) -> Batch {
        self.queue.begin();
        self.has_tick = false;
        std::mem::replace(&mut self.next, batch)
    }

    /// Begins a new batch on the durable state. The commands of the old one wait again.
    pub(super) fn undo_next(&mut self) {
        let undone = self.begin(self.batch_on(&self.models));
        self.queue.wait_first(undone.undo());
    }
}
