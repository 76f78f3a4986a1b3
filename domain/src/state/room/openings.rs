//! The openings of the room: the announced one, and the draws.
//!
//! A draw rewrites no token. A waiting token keeps the number that it came with. Its place is computed by applying all
//! later draws to this number. The token of a place is found by undoing these draws.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::draw::{self, Shuffle};
use crate::event::{BeaconReceived, EntryClosed, OpeningMoved, OpeningScheduled, QueueDrawn};
use crate::record::Head;
use crate::values::{Hash, Nonce, Position, SaleTime, Timestamp};

/// A beacon: a public value that nobody knows yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beacon {
    /// The name of the public value.
    pub source: Arc<str>,
    /// The time when the value appears.
    pub at: Timestamp,
}

impl Beacon {
    /// Makes a beacon from the members of an event, which has both or neither.
    pub(crate) fn of(source: &Option<String>, at: Option<Timestamp>) -> Option<Self> {
        Some(Self { source: source.as_deref()?.into(), at: at? })
    }
}

/// A close of entry: the end of a pre-queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The first place that the draw gives.
    pub first: u64,
    /// The number of entrants.
    pub entrants: u64,
    /// The record of the close. Its hash goes into the draw.
    pub head: Head,
    /// The opening time, in sale time. Tokens that were inside end then.
    pub opened_at: SaleTime,
}

impl Closed {
    /// The first place after all entrants.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entrants
    }
}

/// An opening from its announcement to its draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The position of the announcement.
    pub position: Position,
    /// The begin of the pre-queue. From then on every user who joins is an entrant.
    pub prequeue_from: Timestamp,
    /// The opening time: the end of the pre-queue.
    pub opens_at: Timestamp,
    /// The nonce from which the server's key makes the seed.
    pub nonce: Nonce,
    /// SHA-256 of the seed.
    pub commitment: Hash,
    /// The beacon that the draw waits for, if there is one.
    pub beacon: Option<Beacon>,
    /// The beacon's value, after it was received.
    pub beacon_value: Option<Hash>,
    /// The close of entry, after it is in the log.
    pub closed: Option<Closed>,
}

impl Opening {
    /// The close of entry, if only the seed is missing for the draw.
    pub fn drawable(&self) -> Option<&Closed> {
        let is_known = |closed: &&Closed| closed.entrants == 0 || self.beacon.is_none() || self.beacon_value.is_some();
        self.closed.as_ref().filter(is_known)
    }
}

/// A draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The opening that was drawn.
    pub opening: Opening,
    /// The close of entry, with the entrants.
    pub closed: Closed,
    /// The seed. Its hash is the commitment.
    pub seed: Hash,
    /// The position of the draw.
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

/// The announced opening and the draws: see the module's documentation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Openings {
    announced: Option<Arc<Opening>>,
    /// The draws whose numbers a waiting token may have, and the last draw; the oldest first.
    draws: Arc<Vec<Draw>>,
}

impl Openings {
    /// The opening that is announced and not drawn yet.
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

    /// The first place after all that draws have given.
    pub(super) fn last_place(&self) -> u64 {
        self.last_draw().map_or(0, |draw| draw.closed.end())
    }

    /// True in a pre-queue: nobody is admitted at `now`, because a draw is to come.
    pub fn is_prequeue(&self, now: Timestamp) -> bool {
        self.announced().is_some_and(|opening| now >= opening.prequeue_from)
    }

    /// The opening whose time has come at `now`, and whose close has no event yet.
    pub fn due(&self, now: Timestamp) -> Option<&Opening> {
        self.announced().filter(|opening| opening.closed.is_none() && now >= opening.opens_at)
    }

    /// The place of the waiting token that came with `number`, after all draws.
    pub(super) fn drawn(&self, number: u64) -> u64 {
        self.draws.iter().fold(number, |number, draw| draw.drawn(number))
    }

    /// The number with which the token at the place `number` came: the inverse of `drawn`.
    pub(super) fn came_with(&self, number: u64) -> u64 {
        self.draws.iter().rev().fold(number, |number, draw| draw.before(number))
    }

    /// The number among the entrants of the last draw of a waiting token that came with `number`.
    pub(super) fn entrant_waiting(&self, number: u64) -> Option<u64> {
        let (last, before) = self.draws.split_last()?;
        let number = before.iter().fold(number, |number, draw| draw.drawn(number));
        last.is_of(number).then(|| number - last.closed.first)
    }

    /// The number among the entrants of the last draw of the token that got the place `number`.
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
        // If all places of earlier draws were served, no waiting token has one of their numbers.
        if draws.iter().all(|draw| draw.closed.end() <= closed.first) {
            draws.clear();
        }
        draws.push(Draw { opening, closed, seed: drawn.seed, position, order });
    }
}
