//! The waiting room: who is in line, who is inside, and which tokens still name their user. What events do to it is in
//! `room/fold.rs`.

pub mod agenda;
mod fold;
mod line;
mod openings;
mod token;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use self::agenda::{Agenda, ToDo};
pub use self::openings::{Beacon, Closed, Draw, Opening, Openings};
pub use self::token::{Deadline, Token, TokenStatus};
use self::token::{KnownToken, fingerprint};
use super::numbered::Numbered;
use super::sale_clock::SaleClock;
use crate::limits::{MAX_ENDED_TOKENS, MAX_WAITING_TOKENS, REMEMBERED_SECONDS};
use crate::rejection::Rejection;
use crate::values::{Fingerprint, SaleTime, Timestamp, TokenHash, TokenId, UserId};
pub use line::Place;

/// Until when someone who was let in must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Arriving {
    token_id: TokenId,
    by: SaleTime,
}

/// The room and its line. Read models have the same one without an agenda.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Room<A = ToDo> {
    tokens: Numbered<KnownToken>,
    by_hash: OrdMap<Fingerprint, TokenId>,
    agenda: A,
    /// The last of each user, oldest first.
    ended: OrdMap<UserId, Vec<TokenId>>,
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
    /// How long someone who is let in may take to come; `None` for as long as the token lasts.
    arrival_seconds: Option<u32>,
    /// Those who were let in and have not come yet.
    arriving: OrdMap<UserId, Arriving>,
    /// Those who were inside at the last close and whose end no event has told yet.
    inside_at_close: u64,
    /// The second of the last admission (since 1970), and how many there were in it.
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

impl<A: Default> Default for Room<A> {
    fn default() -> Self {
        Self {
            tokens: Numbered::default(),
            by_hash: OrdMap::new(),
            agenda: A::default(),
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
    /// A room with other limits, so that a test need not make millions of tokens.
    #[cfg(test)]
    pub(crate) fn with_limits(max_waiting: usize, max_ended: usize) -> Self {
        Self { max_waiting, max_ended, ..Self::default() }
    }

    /// The user's waiting or active token; its deadline may be over though no event has said so.
    pub fn in_room(&self, user_id: UserId) -> Option<&Token> {
        self.token(*self.agenda.in_room.get(&user_id)?)
    }

    /// Whether the user has a token that is not forgotten.
    pub fn knows(&self, user_id: UserId) -> bool {
        self.agenda.in_room.contains_key(&user_id) || self.ended.contains_key(&user_id)
    }
}

impl<A: Agenda> Room<A> {
    /// The token that a credential names.
    ///
    /// # Errors
    /// It was never issued, is forgotten, or its deadline is over.
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

    /// What the clock shows when the token stops being what its status says, if no pause comes.
    fn clock_of(&self, token: &Token, now: Timestamp) -> Timestamp {
        match self.deadline(token, now) {
            Deadline::Sale(deadline) => self.sale_clock.clock_of(deadline, now),
            Deadline::Clock(deadline) => deadline,
        }
    }

    /// Sale time at `now`: what deadlines are judged by.
    pub fn sale_time(&self, now: Timestamp) -> SaleTime {
        self.sale_clock.at(now)
    }

    /// Tells sale time, and whether the sale is paused.
    pub fn sale_clock(&self) -> &SaleClock {
        &self.sale_clock
    }

    /// The token with this hash, whatever its status; the latest, should it be issued twice.
    pub fn by_hash(&self, hash: &TokenHash) -> Option<&Token> {
        self.token(*self.by_hash.get(&fingerprint(hash))?)
    }

    /// The token with this number, whatever its status.
    pub fn token(&self, token_id: TokenId) -> Option<&Token> {
        self.tokens.get(token_id.get()).map(|known| &known.token)
    }

    /// The user's latest token, whatever its status. It looks at every token: for those who run the sale, who ask seldom.
    pub fn latest_of(&self, user_id: UserId) -> Option<&Token> {
        self.tokens.values().map(|known| &known.token).filter(|token| token.user_id == user_id).last()
    }

    /// What was heard of every token that came and left.
    pub fn agenda(&self) -> &A {
        &self.agenda
    }

    /// How many more may be admitted at `now`, by capacity and by pace; none while the sale is paused.
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

    /// Tokens in line.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether nobody more may join the line.
    pub fn is_line_full(&self) -> bool {
        self.waiting >= self.max_waiting
    }

    /// Tokens that take a slot; granted ones do not.
    pub fn active(&self) -> u64 {
        self.active
    }

    /// How many slots there are.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// How many may be admitted in one second; `None` for no bound.
    pub fn admissions_per_second(&self) -> Option<u32> {
        self.admissions_per_second
    }

    /// The queue number of the last who was admitted.
    pub fn serving_number(&self) -> u64 {
        self.serving_number
    }

    /// The place that the next in line gets.
    pub fn next_queue_number(&self) -> u64 {
        self.last_queue_number + 1
    }

    /// The number that the next token gets.
    pub fn next_token_id(&self) -> TokenId {
        self.last_token.map_or(TokenId::FIRST, TokenId::successor)
    }

    /// Whether there ever was a token.
    pub fn has_had_tokens(&self) -> bool {
        self.last_token.is_some()
    }

    /// How many seconds an admitted token has to arrive; `None` where it need not.
    pub fn arrival_seconds(&self) -> Option<u32> {
        self.arrival_seconds
    }

    /// Why a token that is not active may not do what only active ones may.
    pub fn not_admitted(&self, token: &Token, now: Timestamp) -> Rejection {
        let Place { queue_number, ahead, .. } = self.place(token, now);
        Rejection::NotAdmitted { queue_number, serving_number: self.serving_number, ahead }
    }
}

/// From when on nobody knows a token any more that ended then.
fn forgotten_at(ended_at: Timestamp) -> Timestamp {
    ended_at.plus_seconds(REMEMBERED_SECONDS)
}

#[cfg(test)]
mod tests;
