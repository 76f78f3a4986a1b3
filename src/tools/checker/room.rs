//! The books of the waiting room: the line, tokens inside, capacity and pace. `room/fold.rs` enters events.

mod fold;

use std::collections::{BTreeMap, HashMap};

use domain::limits::{ACTIVE_SECONDS, GRANTED_SECONDS, MAX_WAITING_TOKENS, WAITING_SECONDS};
use domain::{
    Event, ExpiryCause, ReservationPaid, RoomEvent, RoomLeft, SaleEvent, SaleTime, SeatsHeld, Timestamp, TokenAdmitted,
    TokenArrived, TokenExpired, TokenGranted, TokenHash, TokenId, TokenIssued, UserId,
};

use super::openings::{Close, OpeningsCheck};
use super::{Findings, Now, Proof};

/// A token that is in line or inside.
#[derive(Debug, Clone, Copy)]
struct Ticket {
    user_id: UserId,
    is_inside: bool,
    /// The queue number; 0 for a granted token, which takes no slot.
    queue_number: u64,
    deadline: SaleTime,
    /// The deadline by which its user must arrive, if they have not arrived.
    arrive_by: Option<SaleTime>,
}

#[derive(Debug, Default)]
pub struct RoomCheck {
    tickets: HashMap<TokenId, Ticket>,
    of_user: HashMap<UserId, TokenId>,
    line: BTreeMap<u64, TokenId>,
    granted: HashMap<TokenHash, TokenId>,
    capacity: u64,
    pace: Option<u32>,
    arrival_seconds: Option<u32>,
    openings: OpeningsCheck,
    active: u64,
    serving_number: u64,
    last_queue_number: u64,
    last_token: u64,
    /// The second of the last admission, and the number of admissions in it.
    paced: (i64, u64),
}

impl RoomCheck {
    /// Finds the token, if it is this user's.
    fn ticket(&self, token_id: TokenId, user_id: UserId) -> Option<&Ticket> {
        self.tickets.get(&token_id).filter(|ticket| ticket.user_id == user_id)
    }

    /// Finds the user's token that may hold seats at `now`.
    fn inside(&self, user_id: UserId, now: Now) -> Option<TokenId> {
        let token_id = self.of_user.get(&user_id)?;
        let ticket = self.tickets.get(token_id)?;
        (ticket.is_inside && now.sale < self.deadline(ticket, now)).then_some(*token_id)
    }

    /// The deadline of a token. A token that was inside at a close ended at the opening time; entrants wait for a day
    /// after it.
    fn deadline(&self, ticket: &Ticket, now: Now) -> SaleTime {
        let close = self.openings.last_close();
        if !ticket.is_inside {
            let never = SaleTime::from_millis(i64::MAX);
            let entrant = close.filter(|close| ticket.queue_number < close.end);
            let entrant = entrant.map(|close| close.opened_at.plus_seconds(WAITING_SECONDS));
            return if self.openings.is_open(now.clock) { never } else { entrant.unwrap_or(ticket.deadline) };
        }
        let own = ticket.arrive_by.map_or(ticket.deadline, |by| by.min(ticket.deadline));
        let was_inside = |close: &&Close| ticket.queue_number > 0 && ticket.queue_number < close.first;
        close.filter(was_inside).map_or(own, |close| close.opened_at.min(own))
    }

    /// True if a token may end at `now` for this cause. Old logs name the deadline as every cause.
    fn ends_by(&self, cause: ExpiryCause, ticket: &Ticket, now: Now) -> bool {
        let is_over = now.sale >= self.deadline(ticket, now);
        match cause {
            ExpiryCause::Deadline | ExpiryCause::Opening => is_over,
            ExpiryCause::NoShow => is_over && ticket.arrive_by.is_some_and(|by| now.sale >= by),
            ExpiryCause::Expulsion => !is_over,
        }
    }

    /// The time of the announced opening.
    pub fn opens_at(&self) -> Option<Timestamp> {
        self.openings.opens_at()
    }

    fn open_slots(&self, now: Now) -> u64 {
        if now.is_paused || self.openings.is_prequeue(now.clock) {
            return 0;
        }
        let free = self.capacity.saturating_sub(self.active);
        let used = if self.paced.0 == second(now.clock) { self.paced.1 } else { 0 };
        self.pace.map_or(free, |pace| free.min(u64::from(pace).saturating_sub(used)))
    }

    /// Checks an event against the books before it.
    pub fn check(&self, event: &Event, now: Now, findings: &mut Findings) {
        self.openings.check(event, now.clock, self.last_queue_number, self.serving_number, findings);
        let mut kept = |is_so, reason: &dyn Fn() -> String| findings.holds(Proof::PlacesWereKept, is_so, reason);
        match event {
            Event::Room(RoomEvent::TokenIssued(issued)) => self.check_issued(issued, now, findings),
            Event::Room(RoomEvent::TokenAdmitted(admitted)) => self.check_admitted(admitted, now, findings),
            Event::Room(RoomEvent::TokenExpired(TokenExpired { token_id, user_id, cause, .. })) => {
                let ticket = self.ticket(*token_id, *user_id);
                let is_over = ticket.is_some_and(|ticket| self.ends_by(*cause, ticket, now));
                kept(is_over, &|| {
                    format!("token {token_id} ended with a cause that was not true, {cause:?}, or was not in the room")
                });
            }
            Event::Room(RoomEvent::RoomLeft(left)) => {
                kept(self.may_leave(left, now), &|| {
                    format!("the user of token {} left, but the token had ended or was not in the room", left.token_id)
                });
            }
            Event::Room(RoomEvent::TokenArrived(TokenArrived { token_id, user_id, .. })) => {
                let ticket = self.ticket(*token_id, *user_id);
                let in_time = ticket.is_some_and(|ticket| now.sale < self.deadline(ticket, now));
                kept(in_time && ticket.is_some_and(|ticket| ticket.arrive_by.is_some()), &|| {
                    format!("the user of token {token_id} arrived, but too late, or did not have to arrive")
                });
            }
            Event::Room(RoomEvent::TokenGranted(granted)) => self.check_granted(granted, now, findings),
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, finished_token_id, .. })) => {
                let inside = self.inside(hold.user_id, now);
                kept(*finished_token_id == inside, &|| {
                    format!(
                        "the payment finished token {finished_token_id:?}; the ACTIVE one of its user is {inside:?}"
                    )
                });
            }
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => {
                kept(!now.is_paused && self.inside(hold.user_id, now).is_some(), &|| {
                    format!("user {} held seats without an ACTIVE token, or while the sale was paused", hold.user_id)
                })
            }
            Event::Log(_)
            | Event::Room(RoomEvent::RoomConfigured(_) | RoomEvent::SalePaused(_) | RoomEvent::SaleResumed(_))
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(_)
            | Event::Sale(
                SaleEvent::HoldExtended(_)
                | SaleEvent::HoldExpired(_)
                | SaleEvent::HoldCancelled(_)
                | SaleEvent::ReservationRefunded(_),
            ) => {}
        }
    }

    fn check_issued(&self, issued: &TokenIssued, now: Now, findings: &mut Findings) {
        let TokenIssued { token_id, user_id, queue_number, admitted, expires_at, .. } = issued;
        findings.holds(Proof::NumbersAreConsecutive, token_id.get() == self.last_token + 1, || {
            format!("token {token_id} follows token {}", self.last_token)
        });
        findings.holds(Proof::NumbersAreConsecutive, *queue_number == self.last_queue_number + 1, || {
            format!("place {queue_number} follows place {}", self.last_queue_number)
        });
        findings.holds(Proof::PlacesWereKept, !self.of_user.contains_key(user_id), || {
            format!("user {user_id} has a second token in the room")
        });
        let may_enter = self.line.is_empty() && self.open_slots(now) > 0;
        findings.holds(Proof::PlacesWereKept, *admitted == may_enter, || {
            let (is, ought) = if *admitted { ("was admitted", "wait") } else { ("waits", "be admitted") };
            format!("user {user_id} {is} and should {ought}")
        });
        findings.holds(Proof::NoCapPassed, *admitted || self.line.len() < MAX_WAITING_TOKENS, || {
            "the line is longer than its limit".to_owned()
        });
        lasts(*expires_at, now, if *admitted { ACTIVE_SECONDS } else { WAITING_SECONDS }, findings);
    }

    fn check_admitted(&self, admitted: &TokenAdmitted, now: Now, findings: &mut Findings) {
        let TokenAdmitted { token_id, user_id, queue_number, expires_at, .. } = admitted;
        let mut kept = |is_so, reason: &dyn Fn() -> String| findings.holds(Proof::PlacesWereKept, is_so, reason);
        let first = self.line.first_key_value();
        kept(first == Some((queue_number, token_id)), &|| {
            format!("token {token_id} with place {queue_number} was admitted; the first in line is {first:?}")
        });
        kept(self.open_slots(now) > 0, &|| {
            "more users were admitted than there are slots, or faster than the pace".to_owned()
        });
        kept(*queue_number > self.serving_number, &|| "the serving number fell".to_owned());
        let ticket = self.ticket(*token_id, *user_id);
        let in_time = ticket.is_some_and(|ticket| now.sale < self.deadline(ticket, now));
        kept(in_time, &|| format!("token {token_id} was admitted after its wait was over, or for another user"));
        lasts(*expires_at, now, ACTIVE_SECONDS, findings);
    }

    fn may_leave(&self, left: &RoomLeft, now: Now) -> bool {
        // A token that leaves a pre-queue had no place.
        let has_none = |ticket: &Ticket| !ticket.is_inside && self.openings.is_prequeue(now.clock);
        let place = |ticket: &Ticket| if has_none(ticket) { 0 } else { ticket.queue_number };
        let ticket = self.ticket(left.token_id, left.user_id).filter(|ticket| place(ticket) == left.queue_number);
        ticket.is_some_and(|ticket| now.sale < self.deadline(ticket, now))
    }

    fn check_granted(&self, granted: &TokenGranted, now: Now, findings: &mut Findings) {
        let TokenGranted { token_id, user_id, token_hash, replaced_token_id, expires_at, .. } = granted;
        let is_next = token_id.get() == self.last_token + 1;
        let is_again = self.granted.get(token_hash) == Some(token_id);
        findings.holds(Proof::NumbersAreConsecutive, is_next || is_again, || {
            format!("granted token {token_id} follows token {}", self.last_token)
        });
        let in_room = self.of_user.get(user_id).filter(|in_room| *in_room != token_id);
        findings.holds(Proof::PlacesWereKept, in_room == replaced_token_id.as_ref(), || {
            format!("user {user_id} was granted token {token_id} beside another in the room")
        });
        lasts(*expires_at, now, GRANTED_SECONDS, findings);
    }
}

/// Checks that a token lasts as long as its kind does.
fn lasts(expires_at: SaleTime, now: Now, seconds: i64, findings: &mut Findings) {
    findings.holds(Proof::NoCapPassed, expires_at == now.sale.plus_seconds(seconds), || {
        format!("the token lasts until {} ms, and should last {seconds} s", expires_at.millis())
    });
}

fn second(time: Timestamp) -> i64 {
    time.millis().div_euclid(1_000)
}
