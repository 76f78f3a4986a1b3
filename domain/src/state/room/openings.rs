//! Openings of the room: the one that is announced, and the draws that were made.
//!
//! Nobody's number is rewritten by a draw. A token in line keeps the number that it came with; what that has become follows
//! from the draws since, forwards for a token, backwards for a place.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::draw::{self, Shuffle};
use crate::event::{BeaconReceived, EntryClosed, OpeningMoved, OpeningScheduled, QueueDrawn};
use crate::record::Head;
use crate::values::{Hash, Nonce, Position, SaleTime, Timestamp};

/// A public value that nobody knows yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beacon {
    /// Which it is.
    pub source: Arc<str>,
    /// When it appears.
    pub at: Timestamp,
}

impl Beacon {
    /// As events have it: both or neither.
    pub(crate) fn of(source: &Option<String>, at: Option<Timestamp>) -> Option<Self> {
        Some(Self { source: source.as_deref()?.into(), at: at? })
    }
}

/// The end of a pre-queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The place of whoever is drawn first.
    pub first: u64,
    /// How many take part.
    pub entrants: u64,
    /// Its record, whose hash goes into the draw.
    pub head: Head,
    /// The opening time, in sale time: whoever was inside was there until then.
    pub opened_at: SaleTime,
}

impl Closed {
    /// The place behind all entrants.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entrants
    }
}

/// An opening from its announcement to its draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Where it was announced.
    pub position: Position,
    /// From when on whoever joins is an entrant.
    pub prequeue_from: Timestamp,
    /// Until when.
    pub opens_at: Timestamp,
    /// What the server's key makes the seed of.
    pub nonce: Nonce,
    /// SHA-256 of the seed.
    pub commitment: Hash,
    /// What the draw waits for.
    pub beacon: Option<Beacon>,
    /// Its value.
    pub beacon_value: Option<Hash>,
    /// Its end, once that is in the log.
    pub closed: Option<Closed>,
}

impl Opening {
    /// The close, where nothing but the seed is missing for the draw.
    pub fn drawable(&self) -> Option<&Closed> {
        let is_known = |closed: &&Closed| closed.entrants == 0 || self.beacon.is_none() || self.beacon_value.is_some();
        self.closed.as_ref().filter(is_known)
    }
}

/// A draw that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// What it was announced as.
    pub opening: Opening,
    /// Of whom.
    pub closed: Closed,
    /// What was committed to.
    pub seed: Hash,
    /// Where it stands.
    pub position: Position,
    order: Shuffle,
}

impl Draw {
    fn is_of(&self, number: u64) -> bool {
        (self.closed.first..self.closed.end()).contains(&number)
    }

    fn drawn(&self, number: u64) -> u64 {
        if self.is_of(number) { self.closed.first + self.order.place(number - self.closed.first) } else { number }
    }

    fn before(&self, number: u64) -> u64 {
        if self.is_of(number) { self.closed.first + self.order.entrant(number - self.closed.first) } else { number }
    }
}

/// See the module.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Openings {
    announced: Option<Arc<Opening>>,
    /// The last one, and those before it whose numbers someone in line may have; the oldest first.
    draws: Arc<Vec<Draw>>,
}

impl Openings {
    /// The opening that is announced and not drawn.
    pub fn announced(&self) -> Option<&Opening> {
        self.announced.as_deref()
    }

    /// The last draw.
    pub fn last_draw(&self) -> Option<&Draw> {
        self.draws.last()
    }

    /// The last close, drawn or not.
    pub fn last_close(&self) -> Option<&Closed> {
        self.announced().and_then(|opening| opening.closed.as_ref()).or(self.last_draw().map(|draw| &draw.closed))
    }

    /// The place behind all that draws have given.
    pub(super) fn last_place(&self) -> u64 {
        self.last_draw().map_or(0, |draw| draw.closed.end())
    }

    /// Whether nobody comes in at `now` since a draw is to come.
    pub fn is_prequeue(&self, now: Timestamp) -> bool {
        self.announced().is_some_and(|opening| now >= opening.prequeue_from)
    }

    /// The opening whose time has come at `now`, though no event says so.
    pub fn due(&self, now: Timestamp) -> Option<&Opening> {
        self.announced().filter(|opening| opening.closed.is_none() && now >= opening.opens_at)
    }

    /// What has become of a number with which a token came in line.
    pub(super) fn drawn(&self, number: u64) -> u64 {
        self.draws.iter().fold(number, |number, draw| draw.drawn(number))
    }

    /// With which number the token came that has this place in line.
    pub(super) fn came_with(&self, number: u64) -> u64 {
        self.draws.iter().rev().fold(number, |number, draw| draw.before(number))
    }

    /// Which entrant of the last draw a token in line was that came with `number`.
    pub(super) fn entrant_waiting(&self, number: u64) -> Option<u64> {
        let (last, before) = self.draws.split_last()?;
        let number = before.iter().fold(number, |number, draw| draw.drawn(number));
        last.is_of(number).then(|| number - last.closed.first)
    }

    /// Which entrant of the last draw a token was that got `number` by it.
    pub(super) fn entrant_drawn(&self, number: u64) -> Option<u64> {
        let last = self.last_draw()?;
        last.is_of(number).then(|| last.order.entrant(number - last.closed.first))
    }

    pub(super) fn schedule(&mut self, scheduled: &OpeningScheduled, position: Position) {
        self.announced = Some(Arc::new(Opening {
            position,
            prequeue_from: scheduled.prequeue_from,
            opens_at: scheduled.opens_at,
            nonce: scheduled.nonce,
            commitment: scheduled.commitment,
            beacon: Beacon::of(&scheduled.beacon_source, scheduled.beacon_at),
            beacon_value: None,
            closed: None,
        }));
    }

    pub(super) fn move_to(&mut self, moved: &OpeningMoved) {
        if let Some(opening) = &mut self.announced {
            let opening = Arc::make_mut(opening);
            opening.opens_at = moved.opens_at;
            opening.beacon = Beacon::of(&moved.beacon_source, moved.beacon_at);
        }
    }

    pub(super) fn withdraw(&mut self) {
        self.announced = None;
    }

    pub(super) fn close(&mut self, event: &EntryClosed, head: Head, opened_at: SaleTime) {
        if let Some(opening) = &mut self.announced {
            let (first, entrants) = (event.first, event.entrants);
            Arc::make_mut(opening).closed = Some(Closed { first, entrants, head, opened_at });
        }
    }

    pub(super) fn receive(&mut self, received: &BeaconReceived) {
        if let Some(opening) = &mut self.announced {
            Arc::make_mut(opening).beacon_value = Some(received.value);
        }
    }

    pub(super) fn draw(&mut self, drawn: &QueueDrawn, position: Position) {
        let Some(opening) = self.announced.take().map(Arc::unwrap_or_clone) else { return };
        let Some(closed) = opening.closed else { return };
        let key = draw::key(&drawn.seed, opening.beacon_value.as_ref(), &closed.head.hash, closed.entrants);
        let order = Shuffle::new(key, closed.entrants);
        let draws = Arc::make_mut(&mut self.draws);
        // Where all places of the draws before are served, nobody in line has a number of theirs.
        if draws.iter().all(|draw| draw.closed.end() <= closed.first) {
            draws.clear();
        }
        draws.push(Draw { opening, closed, seed: drawn.seed, position, order });
    }
}
