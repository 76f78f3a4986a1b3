//! What is decided becomes a batch, and the batch goes to the log.

use std::sync::Arc;

use domain::{Action, DrawQueue, State};

use super::Sequencer;
use super::on_its_way::OnItsWay;
use crate::engine::batch::{Batch, Sent};
use crate::engine::queue::Fill;

/// What becomes of a batch that was decided.
pub(super) enum Dispatched {
    /// The log has it.
    Sent(OnItsWay),
    /// It writes nothing, and is told once all before it is durable.
    Told(Sent),
    /// There was nothing to do.
    Nothing,
}

impl Dispatched {
    /// Tells those who need not wait for the log.
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
    /// Sends what is decided, and what waits, as far as it has room in a batch.
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
        self.begin(Batch::new(&batch.state, self.node_id, batch.state.recorded_at));
        Dispatched::Sent(OnItsWay::begin(Arc::clone(&self.log), batch))
    }

    /// The next batch, completed and its commands taken; `None` where there is nothing to append and nobody to answer.
    fn commit(&mut self, is_proved: bool) -> Option<Sent> {
        loop {
            // Of a shared log, what comes only now may rest on more than was read.
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
                Ok(sent) => return Some(sent),
                Err(open) => self.queue.wait_first(open),
            }
        }
    }

    /// The draw that waits for nothing but its seed.
    pub(super) fn draw(&self) -> Option<Action> {
        let (State { log, room, .. }, seeds) = (&self.next.state, self.seeds.as_ref()?);
        let opening = room.openings().announced().filter(|opening| opening.drawable().is_some())?;
        let seed = seeds(&log.as_ref()?.log_id, &opening.nonce);
        Some(Action::DrawQueue(DrawQueue { seed }))
    }

    pub(super) fn decide(&mut self) {
        self.next.decide_all(&mut self.queue.waiting, (self.clock)());
    }

    /// Begins another batch; what was decided for the last one is given away.
    fn begin(&mut self, batch: Batch) -> Batch {
        self.queue.begin();
        self.has_tick = false;
        std::mem::replace(&mut self.next, batch)
    }

    /// Begins a batch on what is durable; what was decided on something else waits again.
    pub(super) fn undo_next(&mut self) {
        let undone = self.begin(Batch::new(&self.state, self.node_id, self.state.recorded_at));
        self.queue.wait_first(undone.undo());
    }
}
