//! The waiting room: tokens in line, tokens inside, and ended tokens that still identify their user. `room/fold.rs`
//! folds events into it.

mod agenda;
mod fold;
mod line;
mod openings;
mod token;

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use self::agenda::Agenda;
pub use self::openings::{Beacon, Closed, Draw, Opening, Openings};
pub use self::token::{Deadline, Token, TokenStatus};
use self::token::{KnownToken, fingerprint};
use super::numbered::Numbered;
use super::sale_clock::SaleClock;
use crate::limits::{MAX_ENDED_TOKENS, MAX_WAITING_TOKENS, REMEMBERED_SECONDS};
use crate::rejection::Rejection;
use crate::values::{Fingerprint, SaleTime, Timestamp, TokenHash, TokenId, UserId};
pub use line::PlaceInLine;

/// The deadline by which an admitted user must arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Arriving {
    token_id: TokenId,
    by: SaleTime,
}

/// The room and its line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Room {
    tokens: Numbered<KnownToken>,
    by_hash: OrdMap<Fingerprint, TokenId>,
    agenda: Agenda,
    /// The last ended tokens of each user, oldest first. Shared, since a change of a persistent map copies the neighbours
    /// of an entry.
    ended: OrdMap<UserId, Arc<Vec<TokenId>>>,
    forgettable: OrdSet<(Timestamp, TokenId)>,
    sale_clock: SaleClock,
    capacity: u64,
    admissions_per_second: Option<u32>,
    waiting: usize,
    active: u64,
    serving_number: u64,
    last_queue_number: u64,
    last_token: Option<TokenId>,
    openings: Openings,
    /// How many seconds an admitted user has to arrive. `None`: as long as the token lasts.
    arrival_seconds: Option<u32>,
    /// Admitted users who have not arrived yet.
    arriving: OrdMap<UserId, Arriving>,
    /// How many tokens were inside at the last close of entry and have no event of their end yet.
    inside_at_close: u64,
    /// The second of the last admission (since 1970), and the number of admissions in it.
    paced: (i64, u32),
    #[serde(skip, default = "max_waiting")]
    max_waiting: usize,
    #[serde(skip, default = "max_ended")]
    max_ended: usize,
}

fn max_waiting() -> usize {
    MAX_WAITING_TOKENS
}

fn max_ended() -> usize {
    MAX_ENDED_TOKENS
}

impl Default for Room {
    fn default() -> Self {
        Self {
            tokens: Numbered::default(),
            by_hash: OrdMap::new(),
            agenda: Agenda::default(),
            ended: OrdMap::new(),
            forgettable: OrdSet::new(),
            sale_clock: SaleClock::default(),
            capacity: 0,
            admissions_per_second: None,
            waiting: 0,
            active: 0,
            serving_number: 0,
            last_queue_number: 0,
            last_token: None,
            openings: Openings::default(),
            arrival_seconds: None,
            arriving: OrdMap::new(),
            inside_at_close: 0,
            paced: (0, 0),
            max_waiting: MAX_WAITING_TOKENS,
            max_ended: MAX_ENDED_TOKENS,
        }
    }
}

impl Room {
    /// Makes a room with other limits, so that a test need not make millions of tokens.
    #[cfg(test)]
    pub(crate) fn with_limits(max_waiting: usize, max_ended: usize) -> Self {
        Self { max_waiting, max_ended, ..Self::default() }
    }

    /// The user's waiting or active token. Its deadline may be over, even if no event says so yet.
    pub fn in_room(&self, user_id: UserId) -> Option<&Token> {
        self.token(*self.agenda.in_room.get(&user_id)?)
    }

    /// True if the user has a token that is not forgotten.
    pub fn knows(&self, user_id: UserId) -> bool {
        self.agenda.in_room.contains_key(&user_id) || self.ended.contains_key(&user_id)
    }

    /// The user's latest token that is not forgotten, in any status.
    pub fn latest_of(&self, user_id: UserId) -> Option<&Token> {
        let ended = || self.ended.get(&user_id).and_then(|ended| self.token(*ended.last()?));
        self.in_room(user_id).or_else(ended)
    }

    /// Finds the token with this hash, if it still identifies its user at `now`.
    ///
    /// # Errors
    /// The token was never issued, is forgotten, or is over.
    pub fn identify(&self, hash: &TokenHash, now: Timestamp) -> Result<&Token, Rejection> {
        let token = self.by_hash(hash).ok_or(Rejection::TokenUnknown)?;
        let deadline = self.clock_of(token, now);
        if now >= forgotten_at(deadline) {
            return Err(Rejection::TokenUnknown);
        }
        if token.status == TokenStatus::Expired || now >= deadline {
            return Err(Rejection::TokenExpired);
        }
        Ok(token)
    }

    /// The clock's time at the token's deadline, if no pause comes before it.
    fn clock_of(&self, token: &Token, now: Timestamp) -> Timestamp {
        match self.deadline(token, now) {
            Deadline::Sale(deadline) => self.sale_clock.clock_of(deadline, now),
            Deadline::Clock(deadline) => deadline,
        }
    }

    /// Sale time at `now`. Deadlines are in sale time.
    pub fn sale_time(&self, now: Timestamp) -> SaleTime {
        self.sale_clock.at(now)
    }

    /// The clock of sale time, which knows the pauses.
    pub fn sale_clock(&self) -> &SaleClock {
        &self.sale_clock
    }

    /// Finds the token with this hash, in any status; the latest one if it was issued twice.
    pub fn by_hash(&self, hash: &TokenHash) -> Option<&Token> {
        self.token(*self.by_hash.get(&fingerprint(hash))?)
    }

    /// Finds the token with this number, in any status.
    pub fn token(&self, token_id: TokenId) -> Option<&Token> {
        self.tokens.get(token_id.get()).map(|known| &known.token)
    }

    /// For how long those inside can stay at most.
    pub fn agenda(&self) -> &Agenda {
        &self.agenda
    }

    /// How many more tokens may be admitted at `now`, by capacity and by pace: 0 while the sale is paused.
    pub fn open_slots(&self, now: Timestamp) -> u64 {
        if self.sale_clock.pause(now).is_some() || self.openings.is_prequeue(now) {
            return 0;
        }
        let free = self.capacity.saturating_sub(self.active);
        match self.admissions_per_second {
            None => free,
            Some(pace) => {
                let (second, admitted) = self.paced;
                let used = if second == now.millis().div_euclid(1_000) { admitted } else { 0 };
                free.min(u64::from(pace.saturating_sub(used)))
            }
        }
    }

    /// The number of tokens in line.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// True if nobody more may join the line.
    pub fn is_line_full(&self) -> bool {
        self.waiting >= self.max_waiting
    }

    /// The number of tokens that take a slot. Granted tokens take none.
    pub fn active(&self) -> u64 {
        self.active
    }

    /// The number of slots.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// How many tokens may be admitted in one second. `None`: no limit.
    pub fn admissions_per_second(&self) -> Option<u32> {
        self.admissions_per_second
    }

    /// The queue number of the last admitted token.
    pub fn serving_number(&self) -> u64 {
        self.serving_number
    }

    /// The queue number that the next waiting token gets.
    pub fn next_queue_number(&self) -> u64 {
        self.last_queue_number + 1
    }

    /// The number that the next token gets.
    pub fn next_token_id(&self) -> TokenId {
        self.last_token.map_or(TokenId::FIRST, TokenId::successor)
    }

    /// True if a token was ever issued.
    pub fn has_had_tokens(&self) -> bool {
        self.last_token.is_some()
    }

    /// How many seconds an admitted user has to arrive. `None`: they need not arrive.
    pub fn arrival_seconds(&self) -> Option<u32> {
        self.arrival_seconds
    }

    /// Makes the refusal for a token that is not active.
    pub fn not_admitted(&self, token: &Token, now: Timestamp) -> Rejection {
        let PlaceInLine { queue_number, ahead, .. } = self.place(token, now);
        Rejection::NotAdmitted { queue_number, serving_number: self.serving_number, ahead }
    }
}

/// The time from which a token that ended at `ended_at` is forgotten.
fn forgotten_at(ended_at: Timestamp) -> Timestamp {
    ended_at.plus_seconds(REMEMBERED_SECONDS)
}

#[cfg(test)]
mod tests;
