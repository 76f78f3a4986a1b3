//! Fairness among nodes: a node that has just written pauses if other nodes write too, so that every node gets a turn.
//!
//! The server has no turns, so this only improves the chances. Correctness depends only on the condition of every
//! append.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long another node's append is remembered.
const OTHERS_WRITE: Duration = Duration::from_secs(1);
/// The longest pause. A longer round trip is the sign of an overloaded server, not of a long distance.
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// Decides when this node may append next.
#[derive(Debug, Default)]
pub struct FairPauses(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    others_wrote: Option<Instant>,
    resume_at: Option<Instant>,
}

impl FairPauses {
    /// Waits until the pause after the last own append is over.
    pub async fn wait(&self) {
        let resume_at = self.state().resume_at.take();
        if let Some(resume_at) = resume_at {
            tokio::time::sleep_until(resume_at).await;
        }
    }

    /// Notes that another node was faster.
    pub fn lost(&self) {
        self.state().others_wrote = Some(Instant::now());
    }

    /// Notes an own append that took one round trip.
    pub fn won(&self, round_trip: Duration) {
        let now = Instant::now();
        let mut state = self.state();
        if state.others_wrote.is_some_and(|wrote| now - wrote < OTHERS_WRITE) {
            state.resume_at = Some(now + round_trip.min(MAX_PAUSE).mul_f64(fastrand::f64()));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(10);

    async fn pauses(node: &FairPauses) -> Vec<Duration> {
        let mut pauses = Vec::new();
        for _ in 0..100 {
            node.won(ROUND_TRIP);
            let started = Instant::now();
            node.wait().await;
            pauses.push(started.elapsed());
        }
        pauses
    }

    #[tokio::test(start_paused = true)]
    async fn who_writes_alone_never_pauses() {
        assert_eq!(pauses(&FairPauses::default()).await, vec![Duration::ZERO; 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_conflict_each_own_append_is_followed_by_up_to_a_round_trip() {
        let node = FairPauses::default();
        node.lost();
        let pauses = pauses(&node).await;
        // tokio's clock has a grain of 1 ms.
        assert!(pauses.iter().all(|pause| *pause <= ROUND_TRIP + Duration::from_millis(1)), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause > ROUND_TRIP / 2), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause < ROUND_TRIP / 2), "{pauses:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn others_are_forgotten_after_a_second() {
        let node = FairPauses::default();
        node.lost();
        tokio::time::advance(OTHERS_WRITE).await;
        assert_eq!(pauses(&node).await, vec![Duration::ZERO; 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_makes_no_long_pause() {
        let node = FairPauses::default();
        node.lost();
        for _ in 0..8 {
            node.won(Duration::from_secs(60));
            let started = Instant::now();
            node.wait().await;
            assert!(started.elapsed() <= MAX_PAUSE + Duration::from_millis(1));
            node.lost();
        }
    }
}
