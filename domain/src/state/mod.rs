//! The state that the log folds to. It holds all that decisions need, and little that is only shown.
//!
//! Every map is persistent (crate `imbl`). So a copy of the whole state costs nothing, and a batch that was not
//! appended is undone by dropping its copy. Every map is ordered, so that one state has one snapshot, and iteration has
//! the same order on every node. An ordered map of `imbl` also takes less than half of the memory of a hashed one.

pub mod catalogue;
pub mod idempotency;
pub mod numbered;
pub mod reservations;
pub mod room;
pub mod sale_clock;
pub mod seating;
pub mod users;
pub mod wallets;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::{
    CatalogueEvent, Event, HoldCancelled, HoldExpired, HoldExtended, LogEvent, PriceChanged, ReservationPaid,
    ReservationRefunded, SaleEvent, SeatsHeld, UsersEvent,
};
use crate::house::House;
use crate::record::{ActorName, Head, RecordedEvent};
use crate::values::{Hash, ReservationId, SaleTime, ScheduleId, Timestamp, UserId};
use catalogue::Catalogue;
use idempotency::IdempotencyKeys;
use reservations::{Payment, Reservation, Reservations};
use room::Room;
use seating::Seating;
use users::Users;
use wallets::Wallets;

/// The identity of the log, from its first event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogIdentity {
    /// Names the log.
    pub log_id: Uuid,
    /// A check value: it proves that a server key belongs to this log.
    pub key_check: Hash,
}

/// The state that a log folds to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The last record folded.
    pub head: Head,
    /// The time of the last record. A later command is never decided at an earlier time.
    pub recorded_at: Timestamp,
    /// `None` before the first event.
    pub log: Option<LogIdentity>,
    /// The waiting room: tokens in line, inside, and ended.
    pub room: Room,
    /// The users that an identity provider names.
    pub users: Users,
    /// Balances in points.
    pub wallets: Wallets,
    /// Concerts, schedules and their seats.
    pub catalogue: Catalogue,
    /// The seats that are taken.
    pub seating: Seating,
    /// Reservations and payments.
    pub reservations: Reservations,
    /// The requests with an idempotency key.
    pub idempotency: IdempotencyKeys,
}

impl Default for State {
    fn default() -> Self {
        Self {
            head: Head::EMPTY,
            recorded_at: Timestamp::default(),
            log: None,
            room: Room::default(),
            users: Users::default(),
            wallets: Wallets::default(),
            catalogue: Catalogue::default(),
            seating: Seating::default(),
            reservations: Reservations::default(),
            idempotency: IdempotencyKeys::default(),
        }
    }
}

impl State {
    /// Sale time at `now`. Deadlines of holds and of waiting and active tokens are in sale time.
    pub fn sale_time(&self, now: Timestamp) -> SaleTime {
        self.room.sale_time(now)
    }

    /// The number of seats of a visible schedule that can be held, as events say: seats of overdue holds do not count.
    pub fn seats_available(&self, schedule_id: ScheduleId) -> u64 {
        let house = self.seating.house(schedule_id).filter(|_| !self.catalogue.is_called_off(schedule_id));
        house.map_or(0, House::free)
    }

    /// Finds a reservation that its buyer can still use at `now`.
    pub fn reservation(&self, id: ReservationId, now: Timestamp) -> Option<&Reservation> {
        let hold = &self.reservations.get(id)?.hold;
        self.reservations.visible_to_buyer(id, self.catalogue.starts_at(hold.schedule_id), now)
    }

    /// The reservations that a user can still use at `now`, the newest first. It looks at every reservation, so it is
    /// only for operators' requests, which are rare.
    pub fn reservations_of(&self, user_id: UserId, now: Timestamp) -> impl Iterator<Item = &Reservation> {
        let all = self.reservations.newest_first().filter(move |found| found.hold.user_id == user_id);
        all.filter(move |found| self.reservation(found.hold.reservation_id, now).is_some())
    }

    /// True if the user is registered, or has a wallet or a token. A user with a reservation has had a token.
    pub fn knows(&self, user_id: UserId) -> bool {
        self.users.is_registered(user_id) || self.wallets.has(user_id) || self.room.knows(user_id)
    }

    /// Folds the next record. Old entries are forgotten by the time of this record, never by a clock.
    pub fn apply(&mut self, recorded: &RecordedEvent) {
        assert_eq!(recorded.head.position, self.head.position.next(), "records are folded in order, each once");
        self.fold(&recorded.event, recorded.head);
        if let ActorName::User(user_id) = recorded.metadata.actor {
            self.room.arrive(user_id, recorded.recorded_at);
        }
        self.idempotency.remember(recorded);
        self.head = recorded.head;
        self.recorded_at = self.recorded_at.max(recorded.recorded_at);
        self.room.forget(self.recorded_at);
        self.reservations.forget(self.recorded_at);
        self.idempotency.forget(self.recorded_at);
    }

    /// Folds an event. Every event is named here, so that the compiler asks for the meaning of a new one.
    fn fold(&mut self, event: &Event, head: Head) {
        self.wallets.fold(event);
        match event {
            Event::Log(LogEvent::LogCreated(created)) => {
                self.log = Some(LogIdentity { log_id: created.log_id, key_check: created.key_check });
            }
            Event::Room(event) => {
                self.room.fold(event);
                if self.room.has_had_tokens() {
                    self.users.see_own_id();
                }
            }
            Event::Opening(event) => self.room.fold_opening(event, head),
            Event::Users(UsersEvent::UserRegistered(registered)) => {
                self.users.register(registered.subject, registered.user_id);
            }
            Event::Points(_) => {}
            Event::Catalogue(event) => self.fold_catalogue(event),
            Event::Sale(event) => self.fold_sale(event),
        }
    }

    fn fold_catalogue(&mut self, event: &CatalogueEvent) {
        for (schedule_id, plan) in self.catalogue.fold(event) {
            let schedule = &self.catalogue.schedules()[&schedule_id];
            let house = House::new(plan, |seat_id| schedule.price(seat_id).unwrap_or_default());
            self.seating.open(schedule_id, house);
        }
        match event {
            CatalogueEvent::SchedulePublished(published) => {
                self.reservations.set_start(published.schedule_id, published.starts_at);
            }
            CatalogueEvent::ScheduleMoved(moved) => self.reservations.set_start(moved.schedule_id, moved.starts_at),
            CatalogueEvent::ScheduleCancelled(cancelled) => self.finish_cancellation(cancelled.schedule_id),
            CatalogueEvent::PriceChanged(PriceChanged { schedule_id, zone, price, .. }) => {
                self.seating.set_price(*schedule_id, zone, *price);
            }
            CatalogueEvent::ConcertPublished(_)
            | CatalogueEvent::SeatsAdded(_)
            | CatalogueEvent::CatalogImported(_)
            | CatalogueEvent::SaleWindowChanged(_) => {}
        }
    }

    /// Ends the work on a schedule that was called off, if it has no holds and no payments left.
    fn finish_cancellation(&mut self, schedule_id: ScheduleId) {
        if self.catalogue.is_called_off(schedule_id) && self.seating.reservations(schedule_id).next().is_none() {
            self.catalogue.has_given_all_back(schedule_id);
        }
    }

    fn fold_sale(&mut self, event: &SaleEvent) {
        match event {
            SaleEvent::SeatsHeld(SeatsHeld { hold }) => {
                self.seating.hold(hold);
                self.reservations.open(hold);
            }
            SaleEvent::HoldExtended(HoldExtended { hold, .. }) => {
                self.seating.extend(hold);
                self.reservations.extend(hold);
            }
            SaleEvent::HoldExpired(HoldExpired { hold, expired_at }) => {
                self.seating.free(hold);
                self.reservations.expire(hold.reservation_id, *expired_at);
                self.finish_cancellation(hold.schedule_id);
            }
            SaleEvent::HoldCancelled(HoldCancelled { hold, cancelled_at, .. }) => {
                self.seating.free(hold);
                self.reservations.cancel(hold.reservation_id, *cancelled_at);
                self.finish_cancellation(hold.schedule_id);
            }
            SaleEvent::ReservationPaid(paid) => self.fold_payment(paid),
            SaleEvent::ReservationRefunded(ReservationRefunded { hold, refunded_at, .. }) => {
                self.seating.free(hold);
                self.reservations.refund(hold.reservation_id, *refunded_at);
                self.finish_cancellation(hold.schedule_id);
            }
        }
    }

    fn fold_payment(&mut self, paid: &ReservationPaid) {
        let ReservationPaid { payment_id, hold, balance_after, finished_token_id, paid_at, .. } = paid;
        self.seating.sell(hold);
        let payment = Payment::of(*payment_id, hold, *balance_after, *paid_at);
        self.reservations.pay(payment, hold.schedule_id);
        if let Some(token_id) = finished_token_id {
            self.room.finish(*token_id, *paid_at);
        }
    }
}

/// Changes the value of a key; a missing value begins as the default. A map's own `entry` goes down its tree up to three
/// times for this.
fn changed<K, V, R>(map: &mut OrdMap<K, V>, key: K, change: impl FnOnce(&mut V) -> R) -> R
where
    K: Ord + Clone,
    V: Default + Clone,
{
    if let Some(value) = map.get_mut(&key) {
        return change(value);
    }
    let mut value = V::default();
    let result = change(&mut value);
    map.insert(key, value);
    result
}

#[cfg(test)]
mod tests {
    use crate::spec::*;

    #[test]
    fn the_states_time_is_that_of_the_latest_record_and_never_goes_back() {
        let state = given([room(1)]);
        assert_eq!(state.state().recorded_at, T0);
        let later = state.after_seconds(9).and([charged(ANN, 1, 1)]);
        assert_eq!(later.state().recorded_at, T0.plus_seconds(9));
        let back = later.after_seconds(-5).and([charged(ANN, 1, 2)]);
        assert_eq!(back.state().recorded_at, T0.plus_seconds(9));
    }

    #[test]
    #[should_panic(expected = "records are folded in order, each once")]
    fn a_record_is_not_folded_twice() {
        let mut state = given([room(1)]).state().clone();
        let record = recorded(&state.head, T0, charged(ANN, 1, 1));
        state.apply(&record);
        state.apply(&record);
    }

    #[test]
    fn a_copy_that_is_dropped_leaves_no_trace() {
        let before = on_sale([admitted(ANN, 1), held(1, ANN, [1])]);
        let copy = before.state().clone();
        let after = before.and([paid(1, 1, ANN, [1], 7).finishing(1)]);
        assert!(copy.seating.taken(SCHEDULE, seat_id(1)).unwrap().held_until.is_some());
        assert_eq!((copy.wallets.balance(ANN).get(), copy.room.active()), (0, 1));
        assert_eq!((after.state().wallets.balance(ANN).get(), after.state().room.active()), (7, 0));
    }
}
