//! The line: which token is next, which tokens are overdue, and the place of each token.
//!
//! Tokens are kept by the number that they came with, which is also the order of their deadlines. After a draw the
//! order of admission is another one: the line is walked from place to place, and the draw tells which token has each
//! place.

use imbl::OrdMap;

use super::{Deadline, Room, Token, TokenStatus};
use crate::event::{EntryClosed, ExpiryCause, OpeningEvent};
use crate::limits::WAITING_SECONDS;
use crate::record::Head;
use crate::state::room::openings::Openings;
use crate::values::{RoomId, SaleTime, Timestamp, TokenId};

/// How many places one tick looks at; with a draw each takes about 10 microseconds. After that many the tick admits the
/// tokens that it has found.
const MAX_PLACES_WALKED: u64 = 2_000;

/// The place of a token in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceInLine {
    /// The token's number among the entrants of the opening, from 0 on.
    pub entrant: Option<u64>,
    /// The queue number. `None` if the token has none, or a draw will give it one.
    pub queue_number: Option<u64>,
    /// At most so many tokens are before it.
    pub ahead: Option<u64>,
}

impl Room {
    /// Waiting tokens in the order of their places. After [`MAX_PLACES_WALKED`] places of draws the walk ends with the
    /// tokens that it found. If it found none, all waiting entrants are sorted.
    pub fn line(&self) -> impl Iterator<Item = (u64, &Token)> {
        let line = &self.agenda.line;
        let (mut next, end) = (self.serving_number + 1, self.openings.last_place().max(self.serving_number + 1));
        let (mut walked, mut found, mut rest) = (0, false, Vec::new().into_iter());
        let mut behind = line.range(end..).map(|(number, token_id)| (*number, *token_id));
        let numbers = std::iter::from_fn(move || {
            while next < end {
                if walked == MAX_PLACES_WALKED {
                    if !found {
                        rest = by_place(line, end, &self.openings).into_iter();
                        next = end;
                    }
                    break;
                }
                walked += 1;
                next += 1;
                if let Some(token_id) = line.get(&self.openings.came_with(next - 1)) {
                    found = true;
                    return Some((next - 1, *token_id));
                }
            }
            if next < end { None } else { rest.next().or_else(|| behind.next()) }
        });
        numbers.filter_map(|(number, token_id)| Some((number, self.token(token_id)?)))
    }

    /// Waiting and active tokens whose deadline is over at `now`, the most overdue of each first.
    pub fn overdue(&self, now: Timestamp) -> impl Iterator<Item = &Token> {
        let (anyone, sale_now) = (self.inside_at_close > 0, self.sale_time(now));
        let inside = self.agenda.deadlines.iter().take_while(move |(deadline, _)| anyone || sale_now >= *deadline);
        let inside = inside.filter_map(|(_, token_id)| self.token(*token_id));
        let waiting = self.agenda.line.values().filter_map(|token_id| self.token(*token_id));
        inside
            .filter(move |token| self.is_over(token, now))
            .chain(waiting.take_while(move |token| self.is_over(token, now)))
    }
}

/// All waiting entrants of draws, in the order of their places. If nearly all entrants have left, this is cheaper than
/// a walk.
fn by_place(line: &OrdMap<u64, TokenId>, end: u64, openings: &Openings) -> Vec<(u64, TokenId)> {
    let mut drawn: Vec<_> = line.range(..end).map(|(number, token_id)| (openings.drawn(*number), *token_id)).collect();
    drawn.sort_unstable();
    drawn
}

impl Room {
    /// The openings: the announced one, and the draws.
    pub fn openings(&self) -> &Openings {
        &self.openings
    }

    /// The close of entry that is due at `now` and has no event yet.
    pub fn due_close(&self, now: Timestamp) -> Option<EntryClosed> {
        self.openings.due(now)?;
        Some(EntryClosed {
            room_id: RoomId::FIRST,
            first: self.serving_number + 1,
            entrants: self.entrants(),
            closed_at: now,
        })
    }

    /// How many entrants the opening has so far, with those who left.
    pub fn entrants(&self) -> u64 {
        let closed = self.openings.announced().and_then(|opening| opening.closed);
        closed.map_or(self.last_queue_number - self.serving_number, |closed| closed.entrants)
    }

    /// The token's deadline, by the opening that is announced at `now`.
    pub fn deadline(&self, token: &Token, now: Timestamp) -> Deadline {
        match token.status {
            TokenStatus::Waiting => Deadline::Sale(self.waits_until(token, now)),
            TokenStatus::Active => Deadline::Sale(self.stays_until(token, now)),
            TokenStatus::Finished | TokenStatus::Expired => token.own_deadline(),
        }
    }

    /// An entrant waits until a day after the opening time.
    fn waits_until(&self, token: &Token, now: Timestamp) -> SaleTime {
        let own = SaleTime::from_millis(token.expires_at);
        let begun = self.openings.announced().filter(|opening| now >= opening.prequeue_from);
        if let Some(opening) = begun.filter(|opening| opening.closed.is_none()) {
            return self.sale_time_at(opening.opens_at, now).plus_seconds(WAITING_SECONDS);
        }
        let closed = self.openings.last_close().filter(|closed| token.queue_number < closed.end());
        closed.map_or(own, |closed| closed.opened_at.plus_seconds(WAITING_SECONDS))
    }

    /// An active token ends at the opening time. A demo's fixed token is not affected.
    fn stays_until(&self, token: &Token, now: Timestamp) -> SaleTime {
        let own = self.kept_until(token);
        if token.is_granted() {
            return own;
        }
        let closed = self.openings.last_close().filter(|closed| token.queue_number < closed.first);
        let opening = self.openings.announced().filter(|opening| opening.closed.is_none());
        let opens_at = opening.map(|opening| self.sale_time_at(opening.opens_at, now));
        closed.map(|closed| closed.opened_at).or(opens_at).map_or(own, |ends| ends.min(own))
    }

    /// Sale time at `then`, if from `now` until then the sale is not paused.
    fn sale_time_at(&self, then: Timestamp, now: Timestamp) -> SaleTime {
        SaleTime::from_millis(then.millis() - (now.millis() - self.sale_time(now).millis()))
    }

    /// The deadline by which the user of an active token must arrive. `None` if they have arrived, or need not.
    pub fn arrive_by(&self, token: &Token) -> Option<SaleTime> {
        let arriving = self.arriving.get(&token.user_id).filter(|arriving| arriving.token_id == token.token_id);
        arriving.map(|arriving| arriving.by)
    }

    /// The token's deadline without regard to openings.
    pub(super) fn kept_until(&self, token: &Token) -> SaleTime {
        self.arrive_by(token).unwrap_or(SaleTime::from_millis(token.expires_at))
    }

    /// The cause of the token's end at its deadline, by the opening that is announced at `now`.
    pub fn expiry_cause(&self, token: &Token, now: Timestamp) -> ExpiryCause {
        match self.deadline(token, now) {
            deadline if token.status != TokenStatus::Active || deadline == token.own_deadline() => {
                ExpiryCause::Deadline
            }
            Deadline::Sale(by) if Some(by) == self.arrive_by(token) => ExpiryCause::NoShow,
            Deadline::Sale(_) | Deadline::Clock(_) => ExpiryCause::Opening,
        }
    }

    /// True if the token's deadline is over at `now`.
    pub fn is_over(&self, token: &Token, now: Timestamp) -> bool {
        match self.deadline(token, now) {
            Deadline::Sale(deadline) => self.sale_time(now) >= deadline,
            Deadline::Clock(deadline) => now >= deadline,
        }
    }

    /// True if the token is waiting or active at `now`: then it is its user's one token in the room.
    pub fn is_in_room(&self, token: &Token, now: Timestamp) -> bool {
        matches!(token.status, TokenStatus::Waiting | TokenStatus::Active) && !self.is_over(token, now)
    }

    /// True if the token may see and hold seats at `now`.
    pub fn is_active(&self, token: &Token, now: Timestamp) -> bool {
        token.status == TokenStatus::Active && !self.is_over(token, now)
    }

    /// The token's place at `now`.
    pub fn place(&self, token: &Token, now: Timestamp) -> PlaceInLine {
        let is_waiting = token.status == TokenStatus::Waiting;
        let number = if is_waiting { self.openings.drawn(token.queue_number) } else { token.queue_number };
        if is_waiting && self.openings.is_prequeue(now) {
            let entrant = number.checked_sub(self.serving_number + 1).filter(|entrant| *entrant < self.entrants());
            return PlaceInLine { entrant, queue_number: None, ahead: None };
        }
        PlaceInLine {
            entrant: if is_waiting {
                self.openings.entrant_waiting(token.queue_number)
            } else {
                self.openings.entrant_drawn(number)
            },
            queue_number: (number > 0 || token.seed.is_none()).then_some(number),
            ahead: (number > 0 || token.seed.is_none())
                .then(|| number.saturating_sub(self.serving_number).saturating_sub(1)),
        }
    }

    /// Folds an event of an opening.
    pub(crate) fn fold_opening(&mut self, event: &OpeningEvent, head: Head) {
        match event {
            OpeningEvent::OpeningScheduled(scheduled) => self.openings.schedule(scheduled, head.position),
            OpeningEvent::OpeningMoved(moved) => self.openings.move_to(moved),
            OpeningEvent::OpeningWithdrawn(_) => self.openings.withdraw(),
            OpeningEvent::EntryClosed(closed) => {
                let opens_at = self.openings.announced().map_or(closed.closed_at, |opening| opening.opens_at);
                self.openings.close(closed, head, self.sale_time(opens_at));
                self.inside_at_close = self.active;
            }
            OpeningEvent::BeaconReceived(received) => self.openings.receive(received),
            OpeningEvent::QueueDrawn(drawn) => self.openings.draw(drawn, head.position),
        }
    }
}

#[cfg(test)]
mod tests;
