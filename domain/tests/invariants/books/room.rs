//! The books of the waiting room: who is in line, who is inside.

use domain::limits::WAITING_SECONDS;
use domain::{
    ExpiryCause, PauseChange, RoomConfigured, RoomEvent, RoomLeft, SaleTime, Timestamp, TokenAdmitted, TokenExpired,
    TokenGranted, TokenHash, TokenId, TokenIssued, UserId,
};

use super::Books;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    InLine,
    Inside,
    Over,
}

#[derive(Debug)]
pub struct Ticket {
    pub user_id: UserId,
    pub place: Place,
    /// 0 for a granted one.
    pub queue_number: u64,
    pub deadline: SaleTime,
    /// The deadline by which an admitted user must arrive, if they have not arrived.
    pub arrive_by: Option<SaleTime>,
}

impl Books {
    /// Writes down what happens in the room.
    pub(super) fn write_room(&mut self, event: &RoomEvent) {
        let (now, sale_now) = (self.now, self.sale_time(self.now));
        match event {
            RoomEvent::RoomConfigured(RoomConfigured { capacity, admissions_per_second, arrival_seconds, .. }) => {
                (self.capacity, self.pace) = (*capacity, *admissions_per_second);
                self.arrival_seconds = *arrival_seconds;
            }
            RoomEvent::TokenIssued(TokenIssued {
                token_id,
                user_id,
                token_hash,
                queue_number,
                admitted,
                issued_at,
                expires_at,
                ..
            }) => {
                assert_eq!(*issued_at, now);
                assert!(self.hashes.insert(*token_hash, *token_id).is_none(), "a credential was given twice");
                assert!(*queue_number > self.last_queue_number, "a place in line was given twice");
                self.last_queue_number = *queue_number;
                let may_enter = self.in_line() == 0 && self.slots() > 0 && !self.is_prequeue();
                assert_eq!(*admitted, may_enter, "who need not wait waits, or who must does not");
                self.seat(*token_id, *user_id, Place::InLine, *queue_number, *expires_at);
                if *admitted {
                    self.admit(*token_id, *expires_at);
                }
            }
            RoomEvent::TokenAdmitted(TokenAdmitted { token_id, expires_at, .. }) => {
                self.admit(*token_id, *expires_at);
                let by = self.arrival_seconds.map(|seconds| sale_now.plus_seconds(seconds.into()));
                self.tickets.get_mut(token_id).expect("a token that was issued").arrive_by = by;
            }
            RoomEvent::TokenArrived(arrived) => {
                assert_eq!(self.inside(arrived.user_id), Some(arrived.token_id), "who is not inside has come");
                assert!(self.ticket(arrived.token_id).arrive_by.is_some(), "who need not come has come");
                self.arrive(arrived.user_id);
            }
            RoomEvent::TokenExpired(TokenExpired { token_id, cause, .. }) => {
                let ticket = self.ticket(*token_id);
                let deadline = self.deadline(ticket);
                let is_no_show = *cause == ExpiryCause::NoShow;
                assert!(!is_no_show || ticket.arrive_by.is_some_and(|by| sale_now >= by), "who has come is no no-show");
                assert!(
                    *cause == ExpiryCause::Expulsion || sale_now >= deadline,
                    "a token expired before its deadline"
                );
                self.end(*token_id);
            }
            RoomEvent::RoomLeft(RoomLeft { token_id, queue_number, .. }) => {
                let ticket = self.ticket(*token_id);
                let has_none = ticket.place == Place::InLine && self.is_prequeue();
                assert_eq!(*queue_number, if has_none { 0 } else { ticket.queue_number }, "a place of another");
                self.leave(*token_id);
            }
            RoomEvent::TokenGranted(TokenGranted {
                token_id,
                user_id,
                token_hash,
                replaced_token_id,
                expires_at,
                ..
            }) => {
                if let Some(replaced) = replaced_token_id {
                    self.leave(*replaced);
                }
                self.hashes.insert(*token_hash, *token_id);
                self.tickets.remove(token_id);
                self.seat(*token_id, *user_id, Place::Inside, 0, *expires_at);
            }
            RoomEvent::SalePaused(paused) => self.write_pause(PauseChange::Paused(paused)),
            RoomEvent::SaleResumed(resumed) => self.write_pause(PauseChange::Resumed(resumed)),
        }
    }

    /// Whatever a user does says that they have come, unless it is too late for that.
    pub(super) fn arrive(&mut self, user_id: UserId) {
        let now = self.sale_time(self.now);
        for ticket in self.tickets.values_mut().filter(|ticket| ticket.user_id == user_id) {
            ticket.arrive_by = ticket.arrive_by.filter(|by| now >= *by);
        }
    }

    /// A token that was inside at a close ended then. Entrants wait until a day after the close; before the close they
    /// have no deadline.
    pub(super) fn deadline(&self, ticket: &Ticket) -> SaleTime {
        let is_open = self.is_prequeue() && self.opening.as_ref().is_some_and(|opening| !opening.is_closed);
        let (number, close) = (ticket.queue_number, self.last_close);
        let own = ticket.arrive_by.map_or(ticket.deadline, |by| by.min(ticket.deadline));
        match (ticket.place, close) {
            (Place::InLine, _) if is_open => SaleTime::from_millis(i64::MAX),
            (Place::InLine, Some(close)) if number < close.end => close.opened_at.plus_seconds(WAITING_SECONDS),
            (Place::Inside, Some(close)) if number > 0 && number < close.first => close.opened_at.min(own),
            (Place::InLine | Place::Inside | Place::Over, _) => own,
        }
    }

    pub(super) fn ticket(&self, token_id: TokenId) -> &Ticket {
        self.tickets.get(&token_id).expect("a token that was issued")
    }

    pub(super) fn in_line(&self) -> usize {
        self.tickets.values().filter(|ticket| ticket.place == Place::InLine).count()
    }

    pub(super) fn active(&self) -> u64 {
        let takes_a_slot = |ticket: &&Ticket| ticket.place == Place::Inside && ticket.queue_number > 0;
        self.tickets.values().filter(takes_a_slot).count() as u64
    }

    pub(super) fn slots(&self) -> u64 {
        if self.is_paused(self.now) {
            return 0;
        }
        let second = |time: &Timestamp| time.millis().div_euclid(1_000);
        let admitted = self.admissions.iter().filter(|time| second(time) == second(&self.now)).count() as u64;
        let free = self.capacity.saturating_sub(self.active());
        self.pace.map_or(free, |pace| free.min(u64::from(pace).saturating_sub(admitted)))
    }

    pub(super) fn seat(
        &mut self,
        token_id: TokenId,
        user_id: UserId,
        place: Place,
        queue_number: u64,
        deadline: SaleTime,
    ) {
        let in_room = |ticket: &Ticket| ticket.user_id == user_id && ticket.place != Place::Over;
        assert!(!self.tickets.values().any(in_room), "two tokens of one user are in the room");
        assert!(deadline > self.sale_time(self.now));
        let before = self.tickets.insert(token_id, Ticket { user_id, place, queue_number, deadline, arrive_by: None });
        assert!(before.is_none(), "a token's number was given twice");
    }

    pub(super) fn admit(&mut self, token_id: TokenId, deadline: SaleTime) {
        assert!(!self.is_prequeue(), "someone came in before the draw");
        assert!(self.slots() > 0, "more were admitted than there are slots, or faster than the pace");
        self.admissions.push(self.now);
        let in_line = self.tickets.values().filter(|ticket| ticket.place == Place::InLine);
        let first = in_line.map(|ticket| ticket.queue_number).min();
        let over = self.deadline(self.ticket(token_id));
        let now = self.sale_time(self.now);
        let ticket = self.tickets.get_mut(&token_id).expect("a token that was issued");
        assert_eq!((ticket.place, Some(ticket.queue_number)), (Place::InLine, first), "not the first in line");
        assert!(now < over, "a token whose wait was over came in");
        assert!(ticket.queue_number > self.serving_number, "the serving number fell");
        self.serving_number = ticket.queue_number;
        (ticket.place, ticket.deadline) = (Place::Inside, deadline);
    }

    pub(super) fn leave(&mut self, token_id: TokenId) {
        assert!(self.sale_time(self.now) < self.deadline(self.ticket(token_id)), "a token that is over was left");
        self.end(token_id);
    }

    pub(super) fn end(&mut self, token_id: TokenId) {
        let ticket = self.tickets.get_mut(&token_id).expect("a token that was issued");
        assert_ne!(ticket.place, Place::Over, "a token ended twice");
        ticket.place = Place::Over;
    }

    /// The user's token that may hold seats now.
    pub(super) fn inside(&self, user_id: UserId) -> Option<TokenId> {
        let now = self.sale_time(self.now);
        let inside = |ticket: &Ticket| ticket.place == Place::Inside && now < self.deadline(ticket);
        self.tickets.iter().find(|(_, ticket)| ticket.user_id == user_id && inside(ticket)).map(|(id, _)| *id)
    }

    /// Whether the token with this hash may hold seats at `now`.
    pub fn is_inside(&self, hash: &TokenHash, now: Timestamp) -> bool {
        let ticket = self.hashes.get(hash).map(|token_id| self.ticket(*token_id));
        let now = self.sale_time(now);
        ticket.is_some_and(|ticket| ticket.place == Place::Inside && now < self.deadline(ticket))
    }
}
