//! The books of openings: what was announced, who takes part, which places follow.

use domain::draw::{self, Shuffle};
use domain::{EntryClosed, Hash, OpeningEvent, SaleTime, Timestamp};

use super::Books;
use super::room::Place;

/// The end of an opening's entry: its places, its time, and its record's hash.
#[derive(Debug, Clone, Copy)]
pub struct Close {
    pub first: u64,
    pub end: u64,
    pub opened_at: SaleTime,
    pub hash: Hash,
}

#[derive(Debug)]
pub struct Opening {
    pub prequeue_from: Timestamp,
    pub opens_at: Timestamp,
    pub commitment: Hash,
    pub is_closed: bool,
    /// When the value appears that the draw waits for, and what it is.
    pub beacon_at: Option<Timestamp>,
    pub beacon: Option<Hash>,
}

impl Books {
    pub(super) fn is_prequeue(&self) -> bool {
        self.opening.as_ref().is_some_and(|opening| self.now >= opening.prequeue_from)
    }

    /// Writes down what happens to an opening.
    pub(super) fn write_opening(&mut self, event: &OpeningEvent, hash: Hash) {
        let now = self.now;
        match event {
            OpeningEvent::OpeningScheduled(scheduled) => {
                assert!(self.opening.is_none() && now <= scheduled.prequeue_from, "announced too late, or twice");
                let (prequeue_from, opens_at) = (scheduled.prequeue_from, scheduled.opens_at);
                let (commitment, beacon_at) = (scheduled.commitment, scheduled.beacon_at);
                let (is_closed, beacon) = (false, None);
                self.opening = Some(Opening { prequeue_from, opens_at, commitment, is_closed, beacon_at, beacon });
            }
            OpeningEvent::OpeningMoved(moved) => {
                let opening = self.opening.as_mut().expect("an opening that was announced");
                assert!(!opening.is_closed && moved.opens_at > opening.opens_at, "moved forwards, or after the close");
                (opening.opens_at, opening.beacon_at) = (moved.opens_at, moved.beacon_at);
            }
            OpeningEvent::OpeningWithdrawn(_) => {
                assert!(!self.is_prequeue() && self.opening.is_some(), "taken back too late");
                self.opening = None;
            }
            OpeningEvent::EntryClosed(EntryClosed { first, entrants, .. }) => {
                assert_eq!(
                    (*first, *entrants),
                    (self.serving_number + 1, self.last_queue_number - self.serving_number)
                );
                let opening = self.opening.as_mut().expect("an opening that was announced");
                let opens_at = opening.opens_at;
                opening.is_closed = true;
                let opened_at = self.sale_time(opens_at);
                self.last_close = Some(Close { first: *first, end: first + entrants, opened_at, hash });
            }
            OpeningEvent::BeaconReceived(received) => {
                let opening = self.opening.as_mut().expect("an opening that was announced");
                assert!(
                    opening.beacon_at.is_some_and(|at| now >= at),
                    "a beacon before it was due, or of no announcement"
                );
                assert!(opening.beacon.replace(received.value).is_none(), "two beacons");
            }
            OpeningEvent::QueueDrawn(drawn) => {
                let opening = self.opening.take().expect("an opening that was announced");
                assert!(opening.is_closed && draw::commitment(&drawn.seed) == opening.commitment);
                let waits = opening.beacon_at.is_some() && opening.beacon.is_none();
                self.draw(&drawn.seed, opening.beacon.as_ref(), waits);
            }
        }
    }

    /// Everyone in line who took part gets the place that follows.
    fn draw(&mut self, seed: &Hash, beacon: Option<&Hash>, waits: bool) {
        let Close { first, end, hash, .. } = self.last_close.expect("a close before the draw");
        assert!(!waits || first == end, "drawn before the beacon was known");
        let order = Shuffle::new(draw::key(seed, beacon, &hash, end - first), end - first);
        for ticket in self.tickets.values_mut().filter(|ticket| ticket.place == Place::InLine) {
            if ticket.queue_number < end {
                ticket.queue_number = first + order.place(ticket.queue_number - first);
            }
        }
    }
}
