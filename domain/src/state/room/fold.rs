//! The folds of events into the room.

use std::sync::Arc;

use super::token::{Deadline, KnownToken, Token, TokenStatus, fingerprint};
use super::{Arriving, Room, forgotten_at};
use crate::event::{RoomConfigured, RoomEvent, RoomLeft, TokenAdmitted, TokenExpired, TokenGranted, TokenIssued};
use crate::limits::{FINISHED_SECONDS, MAX_ENDED_TOKENS_PER_USER};
use crate::state::changed;
use crate::values::{SaleTime, Timestamp, TokenHash, TokenId, UserId};

impl Room {
    /// Folds an event of the room.
    pub(in crate::state) fn fold(&mut self, event: &RoomEvent) {
        match event {
            RoomEvent::RoomConfigured(RoomConfigured { capacity, admissions_per_second, arrival_seconds, .. }) => {
                self.capacity = *capacity;
                self.admissions_per_second = *admissions_per_second;
                self.arrival_seconds = *arrival_seconds;
            }
            RoomEvent::TokenIssued(issued) => self.issue(issued),
            RoomEvent::TokenAdmitted(admitted) => self.admit(admitted),
            RoomEvent::TokenArrived(arrived) => self.arrive(arrived.user_id, arrived.arrived_at),
            RoomEvent::TokenExpired(TokenExpired { token_id, expired_at, .. }) => self.expire(*token_id, *expired_at),
            RoomEvent::RoomLeft(left) => self.leave_by(left),
            RoomEvent::TokenGranted(granted) => self.grant(granted),
            RoomEvent::SalePaused(paused) => self.sale_clock.fold_pause(paused),
            RoomEvent::SaleResumed(resumed) => self.sale_clock.fold_resumption(resumed),
        }
    }

    fn issue(&mut self, issued: &TokenIssued) {
        self.last_queue_number = issued.queue_number;
        if issued.admitted {
            self.count_admission(issued.queue_number, issued.issued_at);
        }
        self.seat(issued.token_hash, issued.token());
    }

    fn admit(&mut self, admitted: &TokenAdmitted) {
        if let Some(KnownToken { token, .. }) = self.tokens.get_mut(admitted.token_id.get())
            && token.status == TokenStatus::Waiting
        {
            let before = token.clone();
            (token.status, token.expires_at) = (TokenStatus::Active, admitted.expires_at.millis());
            token.queue_number = admitted.queue_number;
            let after = token.clone();
            self.leave(&before);
            if let Some(seconds) = self.arrival_seconds {
                let by = self.sale_time(admitted.admitted_at).plus_seconds(seconds.into()).min(admitted.expires_at);
                self.arriving.insert(after.user_id, Arriving { token_id: after.token_id, by });
            }
            self.agenda.enter(&after, self.kept_until(&after));
            self.count_admission(admitted.queue_number, admitted.admitted_at);
        }
    }

    /// Folds a command of a user: an admitted user has then arrived, unless their time to arrive is over.
    pub(in crate::state) fn arrive(&mut self, user_id: UserId, at: Timestamp) {
        let at = self.sale_time(at);
        let Some(Arriving { token_id, by }) = self.arriving.get(&user_id).copied().filter(|arriving| at < arriving.by)
        else {
            return;
        };
        if let Some(token) = self.token(token_id).cloned() {
            self.agenda.leave(&token, by);
            self.arriving.remove(&user_id);
            self.agenda.enter(&token, SaleTime::from_millis(token.expires_at));
        }
    }

    fn grant(&mut self, granted: &TokenGranted) {
        if let Some(replaced) = granted.replaced_token_id {
            self.finish(replaced, granted.granted_at);
        }
        let again = self.remove(granted.token_id);
        let token = Token {
            token_id: granted.token_id,
            user_id: granted.user_id,
            seed: None,
            status: TokenStatus::Active,
            queue_number: 0,
            issued_at: again.map_or(granted.granted_at, |token| token.issued_at),
            expires_at: granted.expires_at.millis(),
        };
        self.seat(granted.token_hash, token);
    }

    /// Folds that a token left the room. It keeps the place that it had.
    fn leave_by(&mut self, left: &RoomLeft) {
        self.finish(left.token_id, left.left_at);
        if let Some(KnownToken { token, .. }) = self.tokens.get_mut(left.token_id.get()) {
            token.queue_number = left.queue_number;
        }
    }

    fn count_admission(&mut self, queue_number: u64, admitted_at: Timestamp) {
        let second = admitted_at.millis().div_euclid(1_000);
        let admitted = if self.paced.0 == second { self.paced.1 } else { 0 };
        self.paced = (second, admitted + 1);
        self.active += 1;
        self.serving_number = self.serving_number.max(queue_number);
    }

    /// Puts a waiting or active token in its place.
    fn seat(&mut self, hash: TokenHash, token: Token) {
        self.last_token = self.last_token.max(Some(token.token_id));
        self.agenda.come(&token);
        self.agenda.enter(&token, SaleTime::from_millis(token.expires_at));
        self.waiting += usize::from(token.status == TokenStatus::Waiting);
        let fingerprint = fingerprint(&hash);
        self.by_hash.insert(fingerprint, token.token_id);
        self.tokens.insert(KnownToken { fingerprint, token });
    }

    /// Folds that a token's user paid or left.
    pub(in crate::state) fn finish(&mut self, token_id: TokenId, finished_at: Timestamp) {
        self.end(token_id, TokenStatus::Finished, finished_at.plus_seconds(FINISHED_SECONDS));
    }

    /// Folds that a token expired, by an event at `expired_at`. From now on its deadline is by the clock.
    pub fn expire(&mut self, token_id: TokenId, expired_at: Timestamp) {
        if let Some(token) = self.token(token_id) {
            self.end(token_id, TokenStatus::Expired, self.clock_of(token, expired_at));
        }
    }

    fn end(&mut self, token_id: TokenId, status: TokenStatus, expires_at: Timestamp) {
        let Some(KnownToken { token, .. }) = self.tokens.get_mut(token_id.get()) else { return };
        if !matches!(token.status, TokenStatus::Waiting | TokenStatus::Active) {
            return;
        }
        let before = token.clone();
        token.status = status;
        token.expires_at = expires_at.millis();
        let (user_id, forgotten_at) = (token.user_id, forgotten_at(expires_at));
        self.leave(&before);
        self.agenda.end(&before);
        self.forgettable.insert((forgotten_at, token_id));
        let too_many = changed(&mut self.ended, user_id, |ended| {
            let ended = Arc::make_mut(ended);
            ended.push(token_id);
            (ended.len() > MAX_ENDED_TOKENS_PER_USER).then_some(ended[0])
        });
        if let Some(oldest) = too_many {
            self.remove(oldest);
        }
        if self.forgettable.len() > self.max_ended
            && let Some((_, oldest)) = self.forgettable.get_min().copied()
        {
            self.remove(oldest);
        }
    }

    /// Takes a waiting or active token out of the line or the room.
    fn leave(&mut self, token: &Token) {
        self.agenda.leave(token, self.kept_until(token));
        if self.arrive_by(token).is_some() {
            self.arriving.remove(&token.user_id);
        }
        match token.status {
            TokenStatus::Waiting => self.waiting -= 1,
            TokenStatus::Active if !token.is_granted() => {
                self.active -= 1;
                let was_there = self.openings.last_close().is_some_and(|closed| token.queue_number < closed.first);
                self.inside_at_close -= u64::from(was_there);
            }
            TokenStatus::Active | TokenStatus::Finished | TokenStatus::Expired => {}
        }
    }

    /// Removes a token from every map.
    fn remove(&mut self, token_id: TokenId) -> Option<Token> {
        let KnownToken { fingerprint, token } = self.tokens.remove(token_id.get())?;
        self.by_hash.remove(&fingerprint);
        match token.own_deadline() {
            Deadline::Sale(_) => {
                self.leave(&token);
                self.agenda.end(&token);
            }
            Deadline::Clock(deadline) => drop(self.forgettable.remove(&(forgotten_at(deadline), token_id))),
        }
        if let Some(ended) = self.ended.get_mut(&token.user_id) {
            let ended = Arc::make_mut(ended);
            ended.retain(|ended| *ended != token_id);
            if ended.is_empty() {
                self.ended.remove(&token.user_id);
            }
        }
        Some(token)
    }

    /// Forgets ended tokens whose time is over.
    pub(in crate::state) fn forget(&mut self, recorded_at: Timestamp) {
        while let Some((forgotten_at, token_id)) = self.forgettable.get_min().copied()
            && forgotten_at <= recorded_at
        {
            self.forgettable.remove_min();
            self.remove(token_id);
        }
    }
}
