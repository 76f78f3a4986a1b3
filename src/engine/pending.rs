//! A command that waits, with one certain answer to "can it still happen?".

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Position;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Reply, Submission, Undecided};

/// How a decided command's answer is found.
#[derive(Debug)]
pub enum Verdict {
    /// This is it.
    Reply(Reply),
    /// It was given before, to the event at this position.
    Repeated(Position),
}

/// Where a submitter waits for the decision.
pub type Answered = oneshot::Sender<Result<Verdict, Undecided>>;

/// A command that waits for its decision.
#[derive(Debug)]
pub struct Pending {
    /// On the heap: a command goes from hand to hand until it is answered.
    submission: Box<Submission>,
    deadline: Instant,
    open: Arc<AtomicBool>,
    answered: Answered,
}

/// The submitter's end: who gives up first, submitter or sequencer, is settled by one compare-and-swap.
pub struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// Takes the command back. `false`: it was taken to be decided, so it may happen.
    pub fn withdraw(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Pending {
    pub fn new(submission: Submission, deadline: Instant, answered: Answered) -> (Self, Ticket) {
        let open = Arc::new(AtomicBool::new(true));
        (Self { submission: Box::new(submission), deadline, open: Arc::clone(&open), answered }, Ticket(open))
    }

    /// Takes the command for good, unless it was withdrawn or its deadline is over: then it must not happen.
    pub fn take(self) -> Option<TakenCommand> {
        if !self.open.swap(false, Ordering::AcqRel) {
            return None;
        }
        TakenCommand(self).unless_overdue()
    }

    /// Whether it can still happen, as far as is known now: only taking it makes sure.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire) && Instant::now() < self.deadline
    }

    /// What was submitted.
    pub fn submission(&self) -> &Submission {
        &self.submission
    }

    /// Whether nobody waits for its answer.
    pub fn is_unheard(&self) -> bool {
        self.answered.is_closed()
    }
}

/// A command that was taken: it happens, or its submitter is told. Nobody withdraws it any more.
#[derive(Debug)]
pub struct TakenCommand(Pending);

impl TakenCommand {
    /// Answers it, if its submitter still waits.
    pub fn answer(self, answer: Result<Verdict, Undecided>) {
        let _ = self.0.answered.send(answer);
    }

    /// Lets it wait again: nothing of it has happened, or ever will.
    pub fn give_back(self) -> Pending {
        self.0.open.store(true, Ordering::Release);
        self.0
    }

    /// Drops it where its deadline is over.
    pub fn unless_overdue(self) -> Option<Self> {
        if Instant::now() < self.0.deadline {
            return Some(self);
        }
        self.answer(Err(Undecided::Overloaded));
        None
    }
}
