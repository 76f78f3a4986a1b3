//! What waits: two bounded lanes, and the order in which a batch takes from them.
//!
//! Those who are inside go before those who join, and each batch has room for both: a million who join at opening time do
//! not push a payment out, nor do payments keep everyone out.
//!
//! A lane has places by the time that a command would wait, not by their number alone: where commands come faster than they
//! are decided, whoever could only be answered late is refused at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::Action;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::Instant;

use super::pending::Pending;
use super::{LANE_CAPACITY, Undecided};
use crate::log::MAX_BATCH_COMMANDS;

/// Places in each batch that are kept for those who join, so that the others never keep them out.
const JOINING_SHARE: usize = MAX_BATCH_COMMANDS / 4;
/// How long a command waits in a lane at most, about, while a log is fast enough for a batch in that time.
const LANE_WAIT: Duration = Duration::from_millis(100);
/// The fewest places that a lane has: those of two batches, however long they take. A crowd that all comes at once, and is no
/// larger, is never refused.
const FEWEST_PLACES: usize = 2 * MAX_BATCH_COMMANDS;

/// Who goes first: those who are inside, or those who join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Hold, pay, cancel, charge, leave, and what operators and the server itself ask.
    Inside,
    /// Those who ask for a token.
    Joining,
}

impl Lane {
    pub fn of(action: &Action) -> Self {
        match action {
            Action::IssueToken(_) => Self::Joining,
            Action::CreateLog(_)
            | Action::ConfigureRoom(_)
            | Action::PauseSale(_)
            | Action::ResumeSale(_)
            | Action::Arrive(_)
            | Action::LeaveRoom(_)
            | Action::ExtendHold(_)
            | Action::ScheduleOpening(_)
            | Action::MoveOpening(_)
            | Action::WithdrawOpening(_)
            | Action::ReceiveBeacon(_)
            | Action::DrawQueue(_)
            | Action::GrantToken(_)
            | Action::ChargePoints(_)
            | Action::HoldSeats(_)
            | Action::HoldByQuantity(_)
            | Action::CancelReservation(_)
            | Action::PayReservation(_)
            | Action::PublishConcert(_)
            | Action::AddSeats(_)
            | Action::PublishSchedule(_)
            | Action::ImportCatalogue(_)
            | Action::AdjustPoints(_)
            | Action::RegisterUser(_)
            | Action::ExpelUser(_)
            | Action::ChangeSchedule(_)
            | Action::ChangePrice(_)
            | Action::CancelSchedule(_)
            | Action::CancelForBuyer(_)
            | Action::Tick(_) => Self::Inside,
        }
    }
}

/// The submitters' ends of the lanes.
#[derive(Clone)]
pub struct Senders {
    inside: LaneSender,
    joining: LaneSender,
}

/// The submitters' end of one lane.
#[derive(Clone)]
struct LaneSender {
    sender: mpsc::Sender<Pending>,
    places: Arc<AtomicUsize>,
}

/// The sequencer's end of one lane.
struct LaneReceiver {
    receiver: mpsc::Receiver<Pending>,
    places: Arc<AtomicUsize>,
    /// Since when somebody has waited all the time, or since when it was last counted, and how many were taken since.
    counted: (Instant, usize),
}

/// The sequencer's ends of the lanes, and what it took from them and has not decided yet.
pub struct Queue {
    inside: LaneReceiver,
    joining: LaneReceiver,
    /// In order. What has no room in the next batch is the first of the one after it.
    pub waiting: VecDeque<Pending>,
    /// How many commands of the next batch, decided or waiting, join.
    joined: usize,
    /// Whether somebody has come since this was last asked for.
    has_come: bool,
}

/// Whether a batch may still wait for others, or is to be sent: then its places are for whoever is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Each lane up to its share.
    Shares,
    /// All places.
    Whole,
}

/// Two empty lanes.
pub fn lanes() -> (Senders, Queue) {
    let ((inside, inside_lane), (joining, joining_lane)) = (lane(), lane());
    let queue =
        Queue { inside: inside_lane, joining: joining_lane, waiting: VecDeque::new(), joined: 0, has_come: false };
    (Senders { inside, joining }, queue)
}

fn lane() -> (LaneSender, LaneReceiver) {
    let (sender, receiver) = mpsc::channel(LANE_CAPACITY);
    let places = Arc::new(AtomicUsize::new(LANE_CAPACITY));
    let lane = LaneReceiver { receiver, places: Arc::clone(&places), counted: (Instant::now(), 0) };
    (LaneSender { sender, places }, lane)
}

impl Senders {
    /// How many wait in each lane.
    pub fn lengths(&self) -> [(&'static str, usize); 2] {
        [("inside", self.inside.length()), ("joining", self.joining.length())]
    }

    /// Lets a command wait in its lane; a full lane refuses it at once.
    pub fn send(&self, lane: Lane, pending: Pending) -> Result<(), Undecided> {
        let lane = match lane {
            Lane::Inside => &self.inside,
            Lane::Joining => &self.joining,
        };
        if lane.length() >= lane.places.load(Ordering::Relaxed) {
            return Err(Undecided::Overloaded);
        }
        lane.sender.try_send(pending).map_err(|error| match error {
            TrySendError::Full(_) => Undecided::Overloaded,
            TrySendError::Closed(_) => Undecided::LogUnavailable,
        })
    }
}

impl LaneSender {
    /// How many wait.
    fn length(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }
}

impl LaneReceiver {
    /// Waits for the next; `None` once nobody can submit any more.
    async fn first(&mut self) -> Option<Pending> {
        let first = self.receiver.recv().await;
        self.counted.1 += 1;
        first
    }

    /// The next, if one waits.
    fn take(&mut self) -> Option<Pending> {
        match self.receiver.try_recv() {
            Ok(pending) => {
                self.counted.1 += 1;
                Some(pending)
            }
            Err(_) => {
                self.count_anew(LANE_CAPACITY);
                None
            }
        }
    }

    /// Gives the lane as many places as commands were taken from it in the time that one may wait.
    fn set_places(&mut self) {
        let (since, taken) = self.counted;
        let passed = since.elapsed();
        if passed >= LANE_WAIT {
            let in_time = taken as f64 * LANE_WAIT.as_secs_f64() / passed.as_secs_f64();
            self.count_anew((in_time as usize).clamp(FEWEST_PLACES, LANE_CAPACITY));
        }
    }

    fn count_anew(&mut self, places: usize) {
        self.counted = (Instant::now(), 0);
        self.places.store(places, Ordering::Relaxed);
    }
}

impl Queue {
    /// Waits for the first command to come for a batch of which so many are decided, from a lane that has room in it;
    /// `false` once nobody can submit any more.
    pub async fn first(&mut self, decided: usize, fill: Fill) -> bool {
        let inside = fill == Fill::Whole || self.has_room_inside(decided);
        let joining = fill == Fill::Whole || self.joined < JOINING_SHARE;
        if !inside && !joining {
            return std::future::pending().await;
        }
        tokio::select! {
            biased;
            Some(pending) = self.inside.first(), if inside => self.waiting.push_back(pending),
            Some(pending) = self.joining.first(), if joining => {
                self.joined += 1;
                self.waiting.push_back(pending);
            }
            else => return false,
        }
        self.has_come = true;
        true
    }

    /// Whether somebody has come since this was last asked for.
    pub fn has_come(&mut self) -> bool {
        std::mem::take(&mut self.has_come)
    }

    /// Takes what is in the lanes for a batch of which so many are decided.
    pub fn fill(&mut self, decided: usize, fill: Fill) {
        while self.has_room_inside(decided)
            && let Some(pending) = self.inside.take()
        {
            self.waiting.push_back(pending);
        }
        let most_joining = if fill == Fill::Whole { MAX_BATCH_COMMANDS } else { JOINING_SHARE };
        while self.joined < most_joining
            && self.has_room(decided)
            && let Some(pending) = self.joining.take()
        {
            self.joined += 1;
            self.waiting.push_back(pending);
        }
        while fill == Fill::Whole
            && self.has_room(decided)
            && let Some(pending) = self.inside.take()
        {
            self.waiting.push_back(pending);
        }
        self.inside.set_places();
        self.joining.set_places();
    }

    /// Counts anew, for another batch. What waits already counts as inside.
    pub fn begin(&mut self) {
        self.joined = 0;
    }

    /// Lets them wait before all others, in their order.
    pub fn wait_first(&mut self, again: impl IntoIterator<Item = Pending>) {
        let mut again: VecDeque<Pending> = again.into_iter().collect();
        again.append(&mut self.waiting);
        self.waiting = again;
        self.joined = 0;
    }

    fn has_room(&self, decided: usize) -> bool {
        decided + self.waiting.len() < MAX_BATCH_COMMANDS
    }

    fn has_room_inside(&self, decided: usize) -> bool {
        decided + self.waiting.len() < self.joined + MAX_BATCH_COMMANDS - JOINING_SHARE
    }
}

#[cfg(test)]
mod tests {
    use domain::{Command, Credential, Tick};
    use tokio::sync::oneshot;

    use super::super::Submission;
    use super::*;

    fn waiting() -> Pending {
        let command =
            Command { by: Credential::System, idempotency: None, action: Action::Tick(Tick { others_wait: true }) };
        let (answered, _) = oneshot::channel();
        Pending::new(Submission::new(command, None), Instant::now() + Duration::from_secs(5), answered).0
    }

    /// Sends until one is refused, and tells how many then wait.
    fn fill_up(senders: &Senders) -> usize {
        while senders.send(Lane::Inside, waiting()).is_ok() {}
        senders.inside.length()
    }

    /// How many wait in a lane that is always full, and from which a batch is taken every `millis`.
    async fn waiting_at_one_batch_in(millis: u64) -> usize {
        let (senders, mut queue) = lanes();
        assert_eq!(fill_up(&senders), LANE_CAPACITY, "nothing is known of how fast they are taken");
        for _ in 0..20 {
            tokio::time::advance(Duration::from_millis(millis)).await;
            queue.fill(0, Fill::Whole);
            queue.waiting.clear();
            fill_up(&senders);
        }
        senders.inside.length()
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_wait_than_are_taken_in_a_tenth_of_a_second_and_never_fewer_than_two_batches() {
        let at_40 = waiting_at_one_batch_in(40).await;
        assert!((FEWEST_PLACES + 1..LANE_CAPACITY).contains(&at_40), "{at_40}");
        assert_eq!(waiting_at_one_batch_in(10).await, LANE_CAPACITY);
        assert_eq!(waiting_at_one_batch_in(1_000).await, FEWEST_PLACES);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_was_empty_has_all_its_places_again() {
        let (senders, mut queue) = lanes();
        fill_up(&senders);
        for _ in 0..2 {
            tokio::time::advance(Duration::from_secs(1)).await;
            queue.fill(0, Fill::Whole);
            queue.waiting.clear();
        }
        assert_eq!(fill_up(&senders), LANE_CAPACITY - 2 * MAX_BATCH_COMMANDS, "of which that many wait already");
        while senders.inside.length() > 0 {
            queue.fill(0, Fill::Whole);
            queue.waiting.clear();
        }
        queue.fill(0, Fill::Whole);
        assert_eq!(fill_up(&senders), LANE_CAPACITY);
    }

    #[tokio::test]
    async fn who_has_come_is_told_of_once() {
        let (senders, mut queue) = lanes();
        assert!(!queue.has_come());
        assert!(senders.send(Lane::Joining, waiting()).is_ok() && queue.first(0, Fill::Whole).await);
        assert_eq!((queue.has_come(), queue.has_come()), (true, false));
    }
}
