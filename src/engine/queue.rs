//! The commands that wait: two bounded lanes, and the order in which a batch takes from them.
//!
//! Users inside the room go before users who join, and each batch has room for both. So a million users who join at
//! opening time do not delay a payment, and payments do not keep everyone out.

use std::collections::VecDeque;

use domain::Lane;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::pending::Pending;
use super::{LANE_CAPACITY, Undecided};
use crate::log::MAX_BATCH_COMMANDS;

/// Places in each batch that are kept for users who join, so that users inside never keep them out.
const JOINING_SHARE: usize = MAX_BATCH_COMMANDS / 4;

/// The submitters' ends of the lanes.
#[derive(Clone)]
pub struct Senders {
    inside: mpsc::Sender<Pending>,
    joining: mpsc::Sender<Pending>,
}

/// The sequencer's ends of the lanes, and the commands that it took from them and has not decided yet.
pub struct Queue {
    inside: mpsc::Receiver<Pending>,
    joining: mpsc::Receiver<Pending>,
    /// Commands in the order in which they are decided. One without room in the next batch is the first in the batch
    /// after it.
    pub waiting: VecDeque<Pending>,
    /// How many commands of the next batch, decided or waiting, come from the lane `joining`.
    joined: usize,
    /// True if a command has come since the last call of `has_come`.
    has_come: bool,
}

/// How many places of a batch a lane may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// The batch may still wait: each lane may take only its share.
    Shares,
    /// The batch is about to be sent: the commands that wait may take all places.
    Whole,
}

/// Two empty lanes.
pub fn lanes() -> (Senders, Queue) {
    let (inside, inside_lane) = mpsc::channel(LANE_CAPACITY);
    let (joining, joining_lane) = mpsc::channel(LANE_CAPACITY);
    let queue =
        Queue { inside: inside_lane, joining: joining_lane, waiting: VecDeque::new(), joined: 0, has_come: false };
    (Senders { inside, joining }, queue)
}

impl Senders {
    /// How many wait in each lane.
    pub fn lengths(&self) -> [(&'static str, usize); 2] {
        let length = |lane: &mpsc::Sender<Pending>| lane.max_capacity() - lane.capacity();
        [("inside", length(&self.inside)), ("joining", length(&self.joining))]
    }

    /// Puts a command into its lane. A full lane refuses it at once.
    pub fn send(&self, lane: Lane, pending: Pending) -> Result<(), Undecided> {
        let lane = match lane {
            Lane::Inside => &self.inside,
            Lane::Joining => &self.joining,
        };
        lane.try_send(pending).map_err(|error| match error {
            TrySendError::Full(_) => Undecided::Overloaded,
            TrySendError::Closed(_) => Undecided::LogUnavailable,
        })
    }
}

impl Queue {
    /// Waits for the next command of a lane that has room in the batch, in which `decided` commands are decided
    /// already. `false` if no [`Senders`] is left.
    pub async fn first(&mut self, decided: usize, fill: Fill) -> bool {
        let inside = fill == Fill::Whole || self.has_room_inside(decided);
        let joining = fill == Fill::Whole || self.joined < JOINING_SHARE;
        if !inside && !joining {
            return std::future::pending().await;
        }
        tokio::select! {
            biased;
            Some(pending) = self.inside.recv(), if inside => self.waiting.push_back(pending),
            Some(pending) = self.joining.recv(), if joining => {
                self.joined += 1;
                self.waiting.push_back(pending);
            }
            else => return false,
        }
        self.has_come = true;
        true
    }

    /// True if a command has come since the last call of `has_come`.
    pub fn take_has_come(&mut self) -> bool {
        std::mem::take(&mut self.has_come)
    }

    /// Takes commands from the lanes for a batch in which `decided` commands are decided already.
    pub fn fill(&mut self, decided: usize, fill: Fill) {
        while self.has_room_inside(decided)
            && let Ok(pending) = self.inside.try_recv()
        {
            self.waiting.push_back(pending);
        }
        let most_joining = if fill == Fill::Whole { MAX_BATCH_COMMANDS } else { JOINING_SHARE };
        while self.joined < most_joining
            && self.has_room(decided)
            && let Ok(pending) = self.joining.try_recv()
        {
            self.joined += 1;
            self.waiting.push_back(pending);
        }
        while fill == Fill::Whole
            && self.has_room(decided)
            && let Ok(pending) = self.inside.try_recv()
        {
            self.waiting.push_back(pending);
        }
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
    use std::time::Duration;

    use domain::{Action, Command, Credential, Tick};
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::super::Submission;
    use super::*;

    #[tokio::test]
    async fn who_has_come_is_told_of_once() {
        let (senders, mut queue) = lanes();
        assert!(!queue.take_has_come());
        let command = Command { by: Credential::System, idempotency: None, action: Action::Tick(Tick::ALONE) };
        let (reply_to, _) = oneshot::channel();
        let (pending, _) =
            Pending::new(Submission::new(command, None), Instant::now() + Duration::from_secs(5), reply_to);
        assert!(senders.send(Lane::Joining, pending).is_ok() && queue.first(0, Fill::Whole).await);
        assert_eq!((queue.take_has_come(), queue.take_has_come()), (true, false));
    }
}
