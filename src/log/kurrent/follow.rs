//! A live subscription: it tells waiting tasks that something was written, and shows the server's clock.
//!
//! Both are only hints. It follows from the present on, and may miss events while it is broken. No decision depends on
//! it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Position, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::failure::Failure;
use super::leader::Leader;
use super::protocol::{CREATED, ReadContent, RecordedEvent, TICKS_PER_MILLISECOND};

/// The pause before a subscription that ended is made anew.
const RESUBSCRIBE_PAUSE: Duration = Duration::from_millis(250);
/// How long [`Follower::wait_past`] waits at most, while the subscription lives.
const WAIT: Duration = Duration::from_secs(1);
/// How long it waits without a subscription: then only a read finds new events.
const WAIT_UNSUBSCRIBED: Duration = Duration::from_millis(50);
/// How long the best arrival for the clock is preferred to later ones.
const CLOCK_WINDOW: Duration = Duration::from_secs(5);

/// The results of a subscription.
#[derive(Debug)]
pub struct Follower {
    /// The last known position.
    last: watch::Sender<Position>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lives: bool,
    clock: Option<Arrival>,
}

/// An event that arrived just after it was written.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    created: Timestamp,
    arrived: Instant,
}

impl Arrival {
    /// The server's clock at `now`. It may be a little behind, because the event needed time to arrive.
    fn clock(&self, now: Instant) -> Timestamp {
        let since = i64::try_from((now - self.arrived).as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.created.millis().saturating_add(since))
    }
}

impl Follower {
    pub fn new() -> Self {
        Self { last: watch::channel(Position::START).0, state: Mutex::default() }
    }

    /// Follows for as long as it is polled.
    pub async fn follow(self: Arc<Self>, leader: Arc<Leader>) {
        loop {
            let ended = self.subscribe(&leader).await;
            tracing::debug!("the subscription ended: {ended}");
            self.state().lives = false;
            // The log may be another one when it is back, so its last position must not wake anyone.
            self.last.send_replace(Position::START);
            tokio::time::sleep(RESUBSCRIBE_PAUSE).await;
        }
    }

    async fn subscribe(&self, leader: &Leader) -> Failure {
        let subscribing = leader.call(|connection| async move { connection.subscribe(leader.stream()).await }).await;
        let mut messages = match subscribing {
            Ok(messages) => messages,
            Err(failure) => return failure,
        };
        loop {
            // There is no deadline here: events may be rare, and the connection's pings find a dead server.
            match messages.message().await.map(|message| message.map(|message| message.content)) {
                Ok(Some(Some(ReadContent::Event(read)))) => read.event.iter().for_each(|event| self.arrived(event)),
                Ok(Some(Some(ReadContent::Confirmation(_)))) => self.state().lives = true,
                Ok(Some(Some(ReadContent::CaughtUp(_) | ReadContent::StreamNotFound(_)) | None)) => {}
                Ok(None) => return Failure::Lost("the server ended it".to_owned()),
                Err(status) => return Failure::Lost(status.message().to_owned()),
            }
        }
    }

    fn arrived(&self, event: &RecordedEvent) {
        self.reached(Position::new(event.revision).next());
        let ticks = event.metadata.get(CREATED).and_then(|ticks| ticks.parse::<i64>().ok());
        if let Some(ticks) = ticks {
            self.tells(Timestamp::from_millis(ticks / TICKS_PER_MILLISECOND), Instant::now());
        }
    }

    /// Notes an arrival. The fastest of several arrivals is the best: it shows the latest time.
    fn tells(&self, created: Timestamp, arrived: Instant) {
        let mut state = self.state();
        let better =
            state.clock.is_none_or(|best| best.clock(arrived) <= created || arrived - best.arrived > CLOCK_WINDOW);
        if better {
            state.clock = Some(Arrival { created, arrived });
        }
    }

    /// Notes that a record at this position exists.
    pub fn reached(&self, position: Position) {
        self.last.send_if_modified(|last| {
            let moved = *last < position;
            *last = position.max(*last);
            moved
        });
    }

    /// The server's clock. `None` until the first event since this process follows.
    pub fn clock(&self) -> Option<Timestamp> {
        self.state().clock.map(|best| best.clock(Instant::now()))
    }

    /// True if the subscription would report an append now.
    pub fn lives(&self) -> bool {
        self.state().lives
    }

    /// Returns when the log is known to be past `after`, or after a while.
    pub async fn wait_past(&self, after: Position) {
        let mut last = self.last.subscribe();
        let while_it_lives = if self.lives() { WAIT } else { WAIT_UNSUBSCRIBED };
        // A timeout and a dropped log do not matter here: this is only a hint.
        let _ = tokio::time::timeout(while_it_lives, last.wait_for(|last| *last > after)).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_goes_on_between_events() {
        let follower = Follower::new();
        assert_eq!(follower.clock(), None);
        follower.tells(at(1_000), Instant::now());
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(follower.clock(), Some(at(1_250)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_fastest_arrival_tells_the_time() {
        let follower = Follower::new();
        follower.tells(at(1_000), Instant::now());
        // Two late ones, the second less so than the first.
        tokio::time::advance(Duration::from_millis(100)).await;
        follower.tells(at(1_010), Instant::now());
        assert_eq!(follower.clock(), Some(at(1_100)));
        follower.tells(at(1_160), Instant::now());
        assert_eq!(follower.clock(), Some(at(1_160)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_set_back_is_noticed() {
        let follower = Follower::new();
        follower.tells(at(1_000_000), Instant::now());
        tokio::time::advance(CLOCK_WINDOW + Duration::from_millis(1)).await;
        follower.tells(at(1_000), Instant::now());
        assert_eq!(follower.clock(), Some(at(1_000)));
    }
}
