//! The books of reservations: who has which seats.

use domain::limits::{CHANGEABLE_SECONDS, EXTENSION_SECONDS, EXTENSION_WINDOW_SECONDS};
use domain::{
    Cause, Hold, HoldCancelled, HoldExpired, HoldExtended, ReservationId, ReservationPaid, ReservationRefunded,
    SaleEvent, SeatId, SeatsHeld, Timestamp, UserId,
};

use super::Books;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Held,
    Paid,
    Closed,
}

impl Books {
    /// Writes down what becomes of seats.
    pub(super) fn write_sale(&mut self, event: &SaleEvent) {
        let (now, sale_now) = (self.now, self.sale_time(self.now));
        match event {
            SaleEvent::SeatsHeld(SeatsHeld { hold }) => self.hold(hold),
            SaleEvent::HoldExpired(HoldExpired { hold, .. }) => {
                assert!(sale_now >= hold.expires_at, "a hold expired before its deadline");
                self.move_on(hold, Fate::Held, Fate::Closed);
            }
            SaleEvent::HoldCancelled(HoldCancelled { hold, cause, .. }) => {
                assert!(sale_now < hold.expires_at, "a hold that is over was cancelled");
                assert!(*cause != Cause::ScheduleCancelled || self.is_called_off, "the show is not off");
                self.move_on(hold, Fate::Held, Fate::Closed);
            }
            SaleEvent::ReservationPaid(ReservationPaid { hold, balance_after, finished_token_id, .. }) => {
                assert!(sale_now < hold.expires_at, "a hold that is over was paid");
                assert!(!self.is_called_off, "a seat of a show that is off was paid");
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
            SaleEvent::ReservationRefunded(ReservationRefunded { hold, balance_after, cause, .. }) => {
                let starts_at = self.sale.expect("a schedule is published").2;
                let last = if *cause == Cause::Buyer { starts_at } else { starts_at.plus_seconds(CHANGEABLE_SECONDS) };
                assert!(now < last, "a refund after the start");
                assert!(*cause != Cause::ScheduleCancelled || self.is_called_off, "the show is not off");
                self.move_on(hold, Fate::Paid, Fate::Closed);
                self.taken_in -= hold.total_price.get();
                let wallet = self.wallets.entry(hold.user_id).or_default();
                *wallet += hold.total_price.get();
                assert_eq!(*wallet, balance_after.get());
            }
            SaleEvent::HoldExtended(HoldExtended { hold, .. }) => self.extend(hold),
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

    fn hold(&mut self, hold: &Hold) {
        let (opens_at, closes_at, _) = self.sale.expect("a schedule is published");
        assert!(self.now >= opens_at && self.now < closes_at, "seats were held outside the sale");
        assert!(self.inside(hold.user_id).is_some(), "who is not inside held seats");
        assert!(!self.is_paused(self.now), "seats were held while the sale was paused");
        assert!(!self.is_called_off, "seats of a show that is off were held");
        for held in &hold.seats {
            let known = self.seats.iter().find(|seat| seat.seat_id == held.seat_id);
            assert_eq!(Some(held.price), known.map(|seat| seat.price), "a seat was held at another price");
        }
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
}
