//! Books that are kept beside the domain, from events alone, by someone who trusts none of them.

mod openings;
mod pauses;
mod reservations;
mod room;

use std::collections::BTreeMap;

use domain::{
    ActorName, CatalogueEvent, Event, Hash, Hold, OpeningEvent, PriceChanged, ReservationId, SchedulePublished, Seat,
    SeatId, SeatsAdded, State, Timestamp, TokenHash, TokenId, UserId,
};

use openings::{Close, Opening};
use reservations::Fate;
use room::{Place, Ticket};

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
    /// As the catalogue has them, at what they cost now.
    seats: Vec<Seat>,
    is_called_off: bool,
}

impl Books {
    /// Writes an event down, and stops at one that must not have happened.
    pub fn write(&mut self, event: &Event, by: &ActorName, now: Timestamp, hash: Hash) {
        assert!(now >= self.now, "time goes back");
        self.now = now;
        let due = self.opening.as_ref().is_some_and(|opening| !opening.is_closed && now >= opening.opens_at);
        let closes = matches!(event, Event::Opening(OpeningEvent::EntryClosed(_)));
        assert_eq!(due, closes, "entry is closed before all else, once, when its time has come");
        match event {
            Event::Room(event) => self.write_room(event),
            Event::Opening(event) => self.write_opening(event, hash),
            Event::Points(_) => self.write_points(event),
            Event::Catalogue(event) => self.write_catalogue(event),
            Event::Sale(event) => self.write_sale(event),
            Event::Log(_) | Event::Users(_) => {}
        }
        if let ActorName::User(user_id) = by {
            self.arrive(*user_id);
        }
    }

    /// Points come from outside, or go there; what goes from wallet to wallet adds up to nothing.
    fn write_points(&mut self, event: &Event) {
        for moved in event.movements() {
            let amount = i64::try_from(moved.amount).unwrap();
            self.charged = self.charged.checked_add_signed(amount).expect("no more is taken than came in");
            let wallet = self.wallets.entry(moved.user_id).or_default();
            *wallet = wallet.checked_add_signed(amount).expect("no wallet is below zero");
            assert_eq!(*wallet, moved.balance_after.get());
        }
    }

    fn write_catalogue(&mut self, event: &CatalogueEvent) {
        match event {
            CatalogueEvent::SchedulePublished(SchedulePublished {
                seats_per_user,
                sale_opens_at,
                sale_closes_at,
                starts_at,
                ..
            }) => {
                self.seats_per_user = usize::from(*seats_per_user);
                self.sale = Some((*sale_opens_at, *sale_closes_at, *starts_at));
            }
            CatalogueEvent::SeatsAdded(SeatsAdded { seats, .. }) => self.seats.extend(seats.iter().cloned()),
            CatalogueEvent::PriceChanged(PriceChanged { zone, price, .. }) => {
                let of_zone = self.seats.iter_mut().filter(|seat| *seat.zone == **zone);
                assert!(!self.is_called_off && of_zone.map(|seat| seat.price = *price).count() > 0);
            }
            CatalogueEvent::SaleWindowChanged(changed) => {
                self.retime(|times| (changed.sale_opens_at, changed.sale_closes_at, times.2));
            }
            CatalogueEvent::ScheduleMoved(moved) => self.retime(|times| (times.0, times.1, moved.starts_at)),
            CatalogueEvent::ScheduleCancelled(_) => {
                assert!(!std::mem::replace(&mut self.is_called_off, true), "a show was called off twice");
            }
            CatalogueEvent::ConcertPublished(_) | CatalogueEvent::CatalogImported(_) => {}
        }
    }

    fn retime(&mut self, change: impl Fn((Timestamp, Timestamp, Timestamp)) -> (Timestamp, Timestamp, Timestamp)) {
        assert!(!self.is_called_off, "a show that is off was moved");
        self.sale = self.sale.map(change);
    }

    /// The schedule's seats, at what they cost now.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
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
        let is_in_order = |(opens, closes, starts)| opens < closes && closes <= starts;
        assert!(self.sale.is_none_or(is_in_order), "times do not follow each other: {:?}", self.sale);
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
