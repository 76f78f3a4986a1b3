//! A command that waits. One atomic flag decides whether it can still happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Position;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Reply, Submission, Undecided};

/// The decision of a command.
#[derive(Debug)]
pub enum Verdict {
    /// The answer is this reply.
    Reply(Reply),
    /// The request is repeated: the first answer is made from the event at this position.
    Repeated(Position),
}

/// The channel on which a submitter waits for the decision.
pub type ReplyTo = oneshot::Sender<Result<Verdict, Undecided>>;

/// A command that waits for its decision.
#[derive(Debug)]
pub struct Pending {
    /// Boxed because a command is moved often until it is answered.
    submission: Box<Submission>,
    deadline: Instant,
    open: Arc<AtomicBool>,
    reply_to: ReplyTo,
}

/// The submitter's end. One atomic swap decides who was first: the submitter who withdraws, or the sequencer who takes.
pub struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// Takes the command back. `false`: it was taken to be decided, so it may happen.
    pub fn withdraw(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Pending {
    pub fn new(submission: Submission, deadline: Instant, reply_to: ReplyTo) -> (Self, Ticket) {
        let open = Arc::new(AtomicBool::new(true));
        (Self { submission: Box::new(submission), deadline, open: Arc::clone(&open), reply_to }, Ticket(open))
    }

    /// Takes the command, so that it cannot be withdrawn any more. `None` if it was withdrawn or is overdue: then it
    /// must not happen.
    pub fn take(self) -> Option<TakenCommand> {
        if !self.open.swap(false, Ordering::AcqRel) {
            return None;
        }
        TakenCommand(self).unless_overdue()
    }

    /// True if the command can still happen as far as is known now. Only `take` makes sure.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire) && Instant::now() < self.deadline
    }

    /// The submission.
    pub fn submission(&self) -> &Submission {
        &self.submission
    }

    /// True if nobody waits for the answer.
    pub fn is_unheard(&self) -> bool {
        self.reply_to.is_closed()
    }
}

/// A command that was taken. It happens, or its submitter is told that it did not. It cannot be withdrawn.
#[derive(Debug)]
pub struct TakenCommand(Pending);

impl TakenCommand {
    /// Answers it, if its submitter still waits.
    pub fn answer(self, answer: Result<Verdict, Undecided>) {
        let _ = self.0.reply_to.send(answer);
    }

    /// Lets the command wait again. Nothing of it was written, and it will be decided anew.
    pub fn requeue(self) -> Pending {
        self.0.open.store(true, Ordering::Release);
        self.0
    }

    /// Returns the command unless it is overdue. An overdue command is answered here.
    pub fn unless_overdue(self) -> Option<Self> {
        if Instant::now() < self.0.deadline {
            return Some(self);
        }
        self.answer(Err(Undecided::Overloaded));
        None
    }
}
