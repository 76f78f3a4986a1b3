//! Books that are kept beside the domain, from events alone, by someone who trusts none of them.

use std::collections::BTreeMap;

use domain::draw::{self, Shuffle};
use domain::limits::{CHANGEABLE_SECONDS, EXTENSION_SECONDS, EXTENSION_WINDOW_SECONDS, WAITING_SECONDS};
use domain::{
    ActorName, CatalogueEvent, Cause, EntryClosed, Event, ExpiryCause, Hash, Hold, HoldCancelled, HoldExpired,
    HoldExtended, OpeningEvent, PointsCharged, PointsEvent, ReservationId, ReservationPaid, ReservationRefunded,
    RoomConfigured, RoomEvent, RoomLeft, SaleEvent, SalePaused, SaleResumed, SaleTime, SchedulePublished, SeatId,
    SeatsHeld, State, Timestamp, TokenAdmitted, TokenExpired, TokenGranted, TokenHash, TokenId, TokenIssued, UserId,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    InLine,
    Inside,
    Over,
}

#[derive(Debug)]
struct Ticket {
    user_id: UserId,
    place: Place,
    /// 0 for a granted one.
    queue_number: u64,
    deadline: SaleTime,
    /// Until when whoever was let in must come, where they have not.
    arrive_by: Option<SaleTime>,
}

/// The end of an opening's entry: its places, its time, and its record's hash.
#[derive(Debug, Clone, Copy)]
struct Close {
    first: u64,
    end: u64,
    opened_at: SaleTime,
    hash: Hash,
}

#[derive(Debug)]
struct Opening {
    prequeue_from: Timestamp,
    opens_at: Timestamp,
    commitment: Hash,
    is_closed: bool,
    /// When the value appears that the draw waits for, and what it is.
    beacon_at: Option<Timestamp>,
    beacon: Option<Hash>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Held,
    Paid,
    Closed,
}

/// What events have said so far.
#[derive(Debug, Default)]
pub struct Books {
    now: Timestamp,
    capacity: u64,
    pace: Option<u32>,
    arrival_seconds: Option<u32>,
    admissions: Vec<Timestamp>,
    tickets: BTreeMap<TokenId, Ticket>,
    hashes: BTreeMap<TokenHash, TokenId>,
    serving_number: u64,
    last_queue_number: u64,
    reservations: BTreeMap<ReservationId, (Hold, Fate)>,
    wallets: BTreeMap<UserId, u64>,
    charged: u64,
    taken_in: u64,
    sale: Option<(Timestamp, Timestamp, Timestamp)>,
    /// The length of all pauses that ended, and the one that is on: since when, and until when at most.
    paused_millis: i64,
    pause: Option<(Timestamp, Option<Timestamp>)>,
    opening: Option<Opening>,
    last_close: Option<Close>,
    extended: Vec<ReservationId>,
    seats_per_user: usize,
}

impl Books {
    /// Writes an event down, and stops at one that must not have happened.
    pub fn write(&mut self, event: &Event, by: &ActorName, now: Timestamp, hash: Hash) {
        self.write_event(event, now, hash);
        if let ActorName::User(user_id) = by {
            self.arrive(*user_id);
        }
    }

    /// Whatever a user does says that they have come, unless it is too late for that.
    fn arrive(&mut self, user_id: UserId) {
        let now = self.sale_time(self.now);
        for ticket in self.tickets.values_mut().filter(|ticket| ticket.user_id == user_id) {
            ticket.arrive_by = ticket.arrive_by.filter(|by| now >= *by);
        }
    }

    fn write_event(&mut self, event: &Event, now: Timestamp, hash: Hash) {
        assert!(now >= self.now, "time goes back");
        self.now = now;
        let sale_now = self.sale_time(now);
        let due = self.opening.as_ref().is_some_and(|opening| !opening.is_closed && now >= opening.opens_at);
        let closes = matches!(event, Event::Opening(OpeningEvent::EntryClosed(_)));
        assert_eq!(due, closes, "entry is closed before all else, once, when its time has come");
        match event {
            Event::Opening(event) => self.open(event, hash),
            Event::Room(RoomEvent::TokenArrived(arrived)) => {
                assert_eq!(self.inside(arrived.user_id), Some(arrived.token_id), "who is not inside has come");
                assert!(self.ticket(arrived.token_id).arrive_by.is_some(), "who need not come has come");
                self.arrive(arrived.user_id);
            }
            Event::Sale(SaleEvent::HoldExtended(HoldExtended { hold, .. })) => self.extend(hold),
            Event::Log(_)
            | Event::Users(_)
            | Event::Catalogue(
                CatalogueEvent::ConcertPublished(_)
                | CatalogueEvent::SeatsAdded(_)
                | CatalogueEvent::CatalogImported(_)
                | CatalogueEvent::PriceChanged(_)
                | CatalogueEvent::ScheduleCancelled(_)
                | CatalogueEvent::SaleWindowChanged(_)
                | CatalogueEvent::ScheduleMoved(_),
            ) => {}
            Event::Room(RoomEvent::RoomConfigured(RoomConfigured {
                capacity,
                admissions_per_second,
                arrival_seconds,
                ..
            })) => {
                (self.capacity, self.pace) = (*capacity, *admissions_per_second);
                self.arrival_seconds = *arrival_seconds;
            }
            Event::Room(RoomEvent::TokenIssued(TokenIssued {
                token_id,
                user_id,
                token_hash,
                queue_number,
                admitted,
                issued_at,
                expires_at,
                ..
            })) => {
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
            Event::Room(RoomEvent::TokenAdmitted(TokenAdmitted { token_id, expires_at, .. })) => {
                self.admit(*token_id, *expires_at);
                let by = self.arrival_seconds.map(|seconds| sale_now.plus_seconds(seconds.into()));
                self.tickets.get_mut(token_id).expect("a token that was issued").arrive_by = by;
            }
            Event::Room(RoomEvent::TokenExpired(TokenExpired { token_id, cause, .. })) => {
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
            Event::Room(RoomEvent::RoomLeft(RoomLeft { token_id, queue_number, .. })) => {
                let ticket = self.ticket(*token_id);
                let has_none = ticket.place == Place::InLine && self.is_prequeue();
                assert_eq!(*queue_number, if has_none { 0 } else { ticket.queue_number }, "a place of another");
                self.leave(*token_id);
            }
            Event::Room(RoomEvent::TokenGranted(TokenGranted {
                token_id,
                user_id,
                token_hash,
                replaced_token_id,
                expires_at,
                ..
            })) => {
                if let Some(replaced) = replaced_token_id {
                    self.leave(*replaced);
                }
                self.hashes.insert(*token_hash, *token_id);
                self.tickets.remove(token_id);
                self.seat(*token_id, *user_id, Place::Inside, 0, *expires_at);
            }
            Event::Room(RoomEvent::SalePaused(SalePaused { paused_at, resumes_at, .. })) => {
                assert_eq!(*paused_at, now);
                assert!(resumes_at.is_none_or(|resumes_at| now < resumes_at), "a pause was over before it began");
                assert!(self.pause.is_none() || self.is_paused(now), "a pause that is over was made longer");
                let since = self.pause.map_or(now, |(since, _)| since);
                self.pause = Some((since, *resumes_at));
            }
            Event::Room(RoomEvent::SaleResumed(SaleResumed { resumed_at, reason, .. })) => {
                let (since, until) = self.pause.take().expect("what goes on was paused");
                let by_itself = until.filter(|until| now >= *until);
                assert_eq!((*resumed_at, reason.is_none()), (by_itself.unwrap_or(now), by_itself.is_some()));
                self.paused_millis += resumed_at.millis() - since.millis();
                assert_eq!(self.sale_time(now), sale_now, "sale time jumped");
            }
            Event::Points(PointsEvent::PointsCharged(PointsCharged { user_id, amount, balance_after, .. })) => {
                self.charged += amount.get();
                let wallet = self.wallets.entry(*user_id).or_default();
                *wallet += amount.get();
                assert_eq!(*wallet, balance_after.get());
            }
            Event::Points(PointsEvent::PointsAdjusted(adjusted)) => {
                self.charged = self.charged.checked_add_signed(adjusted.amount).expect("no more is taken than came in");
                let wallet = self.wallets.entry(adjusted.user_id).or_default();
                *wallet = wallet.checked_add_signed(adjusted.amount).expect("no wallet is below zero");
                assert_eq!(*wallet, adjusted.balance_after.get());
            }
            Event::Catalogue(CatalogueEvent::SchedulePublished(SchedulePublished {
                seats_per_user,
                sale_opens_at,
                sale_closes_at,
                starts_at,
                ..
            })) => {
                self.seats_per_user = usize::from(*seats_per_user);
                self.sale = Some((*sale_opens_at, *sale_closes_at, *starts_at));
            }
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => self.hold(hold),
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. })) => {
                assert!(sale_now >= hold.expires_at, "a hold expired before its deadline");
                self.move_on(hold, Fate::Held, Fate::Closed);
            }
            Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. })) => {
                assert!(sale_now < hold.expires_at, "a hold that is over was cancelled");
                self.move_on(hold, Fate::Held, Fate::Closed);
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid {
                hold, balance_after, finished_token_id, ..
            })) => {
                assert!(sale_now < hold.expires_at, "a hold that is over was paid");
                self.move_on(hold, Fate::Held, Fate::Paid);
                let wallet = self.wallets.entry(hold.user_id).or_default();
                *wallet = wallet.checked_sub(hold.total_price.get()).expect("no wallet is below zero");
                assert_eq!(*wallet, balance_after.get());
                self.taken_in += hold.total_price.get();
                assert_eq!(*finished_token_id, self.inside(hold.user_id), "a payment gives its user's slot on");
                if let Some(finished) = finished_token_id {
                    self.leave(*finished);
                }
            }
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, balance_after, cause, .. })) => {
                let starts_at = self.sale.expect("a schedule is published").2;
                let last = if *cause == Cause::Buyer { starts_at } else { starts_at.plus_seconds(CHANGEABLE_SECONDS) };
                assert!(now < last, "a refund after the start");
                self.move_on(hold, Fate::Paid, Fate::Closed);
                self.taken_in -= hold.total_price.get();
                let wallet = self.wallets.entry(hold.user_id).or_default();
                *wallet += hold.total_price.get();
                assert_eq!(*wallet, balance_after.get());
            }
        }
    }

    /// Sale time at `now`.
    fn sale_time(&self, now: Timestamp) -> SaleTime {
        let stopped = self.pause.map_or(0, |(since, until)| {
            let until = until.map_or(now, |until| until.min(now));
            until.millis() - since.millis()
        });
        SaleTime::from_millis(now.millis() - self.paused_millis - stopped)
    }

    fn is_paused(&self, now: Timestamp) -> bool {
        self.pause.is_some_and(|(_, until)| until.is_none_or(|until| now < until))
    }

    fn is_prequeue(&self) -> bool {
        self.opening.as_ref().is_some_and(|opening| self.now >= opening.prequeue_from)
    }

    /// Whoever was inside at a close was there until then; entrants wait for a day after it, and before it without end.
    fn deadline(&self, ticket: &Ticket) -> SaleTime {
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

    fn open(&mut self, event: &OpeningEvent, hash: Hash) {
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

    fn extend(&mut self, hold: &Hold) {
        let now = self.sale_time(self.now);
        let (begun, fate) = self.reservations.get_mut(&hold.reservation_id).expect("a hold that began");
        assert_eq!((*fate, hold.expires_at), (Fate::Held, begun.expires_at.plus_seconds(EXTENSION_SECONDS)));
        let first = begun.expires_at.plus_seconds(-EXTENSION_WINDOW_SECONDS);
        assert!(first <= now && now < begun.expires_at, "extended out of its last two minutes");
        *begun = hold.clone();
        assert!(!self.extended.contains(&hold.reservation_id), "extended twice");
        self.extended.push(hold.reservation_id);
    }

    fn ticket(&self, token_id: TokenId) -> &Ticket {
        self.tickets.get(&token_id).expect("a token that was issued")
    }

    fn in_line(&self) -> usize {
        self.tickets.values().filter(|ticket| ticket.place == Place::InLine).count()
    }

    fn active(&self) -> u64 {
        let takes_a_slot = |ticket: &&Ticket| ticket.place == Place::Inside && ticket.queue_number > 0;
        self.tickets.values().filter(takes_a_slot).count() as u64
    }

    fn slots(&self) -> u64 {
        if self.is_paused(self.now) {
            return 0;
        }
        let second = |time: &Timestamp| time.millis().div_euclid(1_000);
        let admitted = self.admissions.iter().filter(|time| second(time) == second(&self.now)).count() as u64;
        let free = self.capacity.saturating_sub(self.active());
        self.pace.map_or(free, |pace| free.min(u64::from(pace).saturating_sub(admitted)))
    }

    fn seat(&mut self, token_id: TokenId, user_id: UserId, place: Place, queue_number: u64, deadline: SaleTime) {
        let in_room = |ticket: &Ticket| ticket.user_id == user_id && ticket.place != Place::Over;
        assert!(!self.tickets.values().any(in_room), "two tokens of one user are in the room");
        assert!(deadline > self.sale_time(self.now));
        let before = self.tickets.insert(token_id, Ticket { user_id, place, queue_number, deadline, arrive_by: None });
        assert!(before.is_none(), "a token's number was given twice");
    }

    fn admit(&mut self, token_id: TokenId, deadline: SaleTime) {
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

    fn leave(&mut self, token_id: TokenId) {
        assert!(self.sale_time(self.now) < self.deadline(self.ticket(token_id)), "a token that is over was left");
        self.end(token_id);
    }

    fn end(&mut self, token_id: TokenId) {
        let ticket = self.tickets.get_mut(&token_id).expect("a token that was issued");
        assert_ne!(ticket.place, Place::Over, "a token ended twice");
        ticket.place = Place::Over;
    }

    /// The user's token that may hold seats now.
    fn inside(&self, user_id: UserId) -> Option<TokenId> {
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

    fn hold(&mut self, hold: &Hold) {
        let (opens_at, closes_at, _) = self.sale.expect("a schedule is published");
        assert!(self.now >= opens_at && self.now < closes_at, "seats were held outside the sale");
        assert!(self.inside(hold.user_id).is_some(), "who is not inside held seats");
        assert!(!self.is_paused(self.now), "seats were held while the sale was paused");
        for (other, fate) in self.reservations.values() {
            let shares = other.seat_ids().any(|seat_id| hold.seat_ids().any(|wanted| wanted == seat_id));
            assert!(*fate == Fate::Closed || !shares, "a seat has two live reservations");
        }
        let total: u64 = hold.seats.iter().map(|seat| seat.price.get()).sum();
        assert_eq!(hold.total_price.get(), total);
        let before = self.reservations.insert(hold.reservation_id, (hold.clone(), Fate::Held));
        assert!(before.is_none(), "a reservation's number was given twice");
        assert!(self.live_seats(hold.user_id, self.now) <= self.seats_per_user);
    }

    fn move_on(&mut self, hold: &Hold, from: Fate, to: Fate) {
        let (begun, fate) = self.reservations.get_mut(&hold.reservation_id).expect("a hold that began");
        assert_eq!((&*begun, *fate), (hold, from));
        *fate = to;
    }

    /// Reservations that have their seats at `now`: sold, or held and not over.
    fn live(&self, now: Timestamp) -> impl Iterator<Item = &Hold> {
        let now = self.sale_time(now);
        let live = self.reservations.values().filter(move |(hold, fate)| match fate {
            Fate::Held => now < hold.expires_at,
            Fate::Paid => true,
            Fate::Closed => false,
        });
        live.map(|(hold, _)| hold)
    }

    /// How many seats a user holds or owns at `now`.
    pub fn live_seats(&self, user_id: UserId, now: Timestamp) -> usize {
        self.live(now).filter(|hold| hold.user_id == user_id).map(|hold| hold.seats.len()).sum()
    }

    /// Whether the seat is held or sold at `now`.
    pub fn is_taken(&self, seat_id: SeatId, now: Timestamp) -> bool {
        self.live(now).any(|hold| hold.seat_ids().any(|taken| taken == seat_id))
    }

    /// Whether the reservation is a hold that is not over at `now`.
    pub fn is_held(&self, reservation_id: ReservationId, now: Timestamp) -> bool {
        let reservation = self.reservations.get(&reservation_id);
        let now = self.sale_time(now);
        reservation.is_some_and(|(hold, fate)| *fate == Fate::Held && now < hold.expires_at)
    }

    /// Whose the reservations are, by number.
    pub fn owners(&self) -> Vec<(ReservationId, UserId)> {
        self.reservations.iter().map(|(reservation_id, (hold, _))| (*reservation_id, hold.user_id)).collect()
    }

    /// Every token's number, by number.
    pub fn tokens(&self) -> impl Iterator<Item = TokenId> {
        self.tickets.keys().copied()
    }

    /// What a user has in points.
    pub fn balance(&self, user_id: UserId) -> u64 {
        self.wallets.get(&user_id).copied().unwrap_or(0)
    }

    /// Holds the books against the state that the domain folded.
    pub fn balance_with(&self, state: &State, users: &[UserId], seats: &[SeatId]) {
        assert_eq!(self.charged, self.wallets.values().sum::<u64>() + self.taken_in, "points came or went");
        for user_id in users {
            assert_eq!(state.wallets.balance(*user_id).get(), self.balance(*user_id));
            let in_room = self.tickets.iter().find(|(_, t)| t.user_id == *user_id && t.place != Place::Over);
            assert_eq!(state.room.in_room(*user_id).map(|token| token.token_id), in_room.map(|(id, _)| *id));
        }
        let has = |hold: &Hold, seat_id: SeatId| hold.seat_ids().any(|taken| taken == seat_id);
        for seat_id in seats {
            let of = self.reservations.values().find(|(hold, fate)| *fate != Fate::Closed && has(hold, *seat_id));
            let owner = of.map(|(hold, _)| hold.reservation_id);
            let taken = state.seating.taken(domain::ScheduleId::FIRST, *seat_id);
            assert_eq!(taken.map(|taken| taken.reservation_id), owner);
        }
        let room = &state.room;
        assert_eq!((room.active(), room.waiting()), (self.active(), self.in_line()));
        assert_eq!((room.capacity(), room.serving_number()), (self.capacity, self.serving_number));
        assert!(room.line().is_sorted_by_key(|(number, _)| number));
    }
}
