//! Calling a show off: its seats cannot be held or paid any more. Ticks cancel all holds and refund all payments, a
//! limited number at a time.
//!
//! Rejections: `ScheduleNotFound`, `ScheduleOver`.

use std::collections::BTreeMap;

use crate::answer::Answer;
use crate::decisions::change_schedule::changeable;
use crate::decisions::expire_hold;
use crate::decisions::refund_reservation::refund_event;
use crate::event::{Cause, Event, HoldCancelled, ScheduleCancelled};
use crate::limits::MAX_GIVEN_BACK_BYTES;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{Points, ReservationStatus, ScheduleId, Timestamp, UserId};

/// Bytes of an event that gives back four seats, with its metadata but without the reason.
const EVENT_BYTES: usize = 1_200;

/// Calls a show off. A second request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelSchedule {
    pub schedule_id: ScheduleId,
    pub reason: String,
}

impl Decide for CancelSchedule {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let (schedule_id, reason) = (self.schedule_id, self.reason.clone());
        let (schedule, _) = state.catalogue.published(schedule_id)?;
        if schedule.called_off.is_some() {
            return Ok(Decided::Already(Answer::Done));
        }
        let (schedule, _) = changeable(state, schedule_id, now)?;
        let concert_id = schedule.concert_id;
        Ok(Decided::one(ScheduleCancelled { concert_id, schedule_id, reason, cancelled_at: now }))
    }
}

/// Makes the events with which a tick gives back holds and payments of shows that were called off: at most `at_most`.
pub(super) fn refunds_and_cancellations(state: &State, now: Timestamp, at_most: usize) -> Vec<Event> {
    let mut events = Vec::new();
    let mut bytes = 0;
    // One user may have several payments: each refund starts from the balance after the refund before it.
    let mut balances = BTreeMap::<UserId, Points>::new();
    for (schedule_id, called_off) in state.catalogue.being_called_off() {
        for reservation_id in state.seating.reservations(schedule_id) {
            bytes += EVENT_BYTES + 2 * called_off.reason.len();
            if events.len() >= at_most || bytes > MAX_GIVEN_BACK_BYTES {
                return events;
            }
            let Some(reservation) = state.reservations.get(reservation_id) else { continue };
            let reason = Some(called_off.reason.to_string());
            match reservation.status_at(state.sale_time(now)) {
                ReservationStatus::Held => events.push(
                    HoldCancelled {
                        hold: reservation.hold.clone(),
                        cancelled_at: now,
                        cause: Cause::ScheduleCancelled,
                        reason,
                    }
                    .into(),
                ),
                ReservationStatus::Paid => {
                    let user_id = reservation.hold.user_id;
                    let before = balances.get(&user_id).copied();
                    let before = before.unwrap_or_else(|| state.wallets.balance(user_id));
                    let refunded = refund_event(reservation, state, before, Cause::ScheduleCancelled, reason, now);
                    balances.insert(user_id, refunded.balance_after);
                    events.push(refunded.into());
                }
                ReservationStatus::Expired => events.push(expire_hold(reservation, now)),
                ReservationStatus::Cancelled | ReservationStatus::Refunded => {}
            }
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::decisions::{HoldSeats, PayReservation, Tick};
    use crate::event::{CatalogueEvent, SaleEvent};
    use crate::limits::{CHANGEABLE_SECONDS, MAX_GIVEN_BACK_WHILE_OTHERS_WAIT, MAX_TICK_EVENTS};
    use crate::rejection::Rejection;
    use crate::spec::*;

    fn cancel() -> CancelSchedule {
        CancelSchedule { schedule_id: SCHEDULE, reason: "the singer is ill".to_owned() }
    }

    fn off() -> Rejection {
        Rejection::ScheduleCancelled { schedule_id: SCHEDULE }
    }

    #[test]
    fn a_show_is_called_off_once() {
        on_sale([]).when(Credential::OPERATOR, cancel()).then([called_off()]);
        on_sale([called_off()]).when(Credential::OPERATOR, cancel()).already(Answer::Done);
        let end = STARTS + CHANGEABLE_SECONDS;
        let over = Rejection::ScheduleOver { schedule_id: SCHEDULE };
        on_sale([])
            .after_seconds(end - 1)
            .when(Credential::OPERATOR, cancel())
            .then([called_off().at_seconds(end - 1)]);
        on_sale([]).after_seconds(end).when(Credential::OPERATOR, cancel()).refuses(over);
    }

    #[test]
    fn nothing_more_of_it_is_held_or_paid() {
        let hold = HoldSeats { user_id: ANN, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids: vec![seat_id(2)] };
        let pay = PayReservation { reservation_id: reservation_id(1), user_id: ANN, amount: Points::new(PRICE) };
        let live = || on_sale([admitted(ANN, 1), charged(ANN, PRICE, PRICE), held(1, ANN, [1]), called_off()]);
        live().when(token(ANN), hold).refuses(off());
        live().when(token(ANN), pay).refuses(off());
    }

    #[test]
    fn the_tick_cancels_every_hold_and_refunds_every_payment() {
        let sold = [
            granted(ANN, 1, None),
            charged(ANN, 500, 500),
            held(1, ANN, [1]),
            paid(1, 1, ANN, [1], 400),
            held(2, ANN, [2, 3]),
            paid(2, 2, ANN, [2, 3], 200),
            held(3, BOB, [4]),
            called_off(),
        ];
        let given_back = [
            refunded(1, 1, ANN, [1], 300).because("the singer is ill"),
            refunded(2, 2, ANN, [2, 3], 500).because("the singer is ill"),
            cancelled(3, BOB, [4]).because("the singer is ill"),
        ];
        on_sale(sold.clone()).when(Credential::System, Tick::ALONE).then(given_back.clone());
        let done = on_sale(sold).and(given_back);
        assert_eq!(done.state().catalogue.being_called_off().count(), 0);
        done.when(Credential::System, Tick::ALONE).already(Answer::Done);
    }

    /// Moves an event to another schedule.
    fn elsewhere(mut event: Event) -> Event {
        let schedule_id = match &mut event {
            Event::Catalogue(CatalogueEvent::SeatsAdded(added)) => &mut added.schedule_id,
            Event::Catalogue(CatalogueEvent::SchedulePublished(published)) => &mut published.schedule_id,
            Event::Catalogue(CatalogueEvent::ScheduleCancelled(cancelled)) => &mut cancelled.schedule_id,
            Event::Sale(SaleEvent::SeatsHeld(held)) => &mut held.hold.schedule_id,
            Event::Sale(SaleEvent::ReservationPaid(paid)) => &mut paid.hold.schedule_id,
            Event::Sale(SaleEvent::ReservationRefunded(refunded)) => &mut refunded.hold.schedule_id,
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(_)
            | Event::Sale(_) => panic!("{event:?}"),
        };
        *schedule_id = SCHEDULE.successor();
        event
    }

    #[test]
    fn who_has_tickets_of_two_shows_that_are_off_gets_both_prices_back() {
        let here = [
            charged(ANN, 300, 300),
            charged(BOB, 100, 100),
            held(1, ANN, [1]),
            paid(1, 1, ANN, [1], 200),
            held(2, BOB, [2]),
            paid(2, 2, BOB, [2], 0),
            called_off(),
        ];
        let there = [seats_added(vec![seat(1)]), schedule_published(), held(3, ANN, [1]), paid(3, 3, ANN, [1], 100)];
        let refunds =
            [refunded(1, 1, ANN, [1], 200), refunded(2, 2, BOB, [2], 100), elsewhere(refunded(3, 3, ANN, [1], 300))];
        on_sale(here)
            .and(there.map(elsewhere))
            .and([elsewhere(called_off())])
            .when(Credential::System, Tick::ALONE)
            .then(refunds.map(|refund| refund.because("the singer is ill")));
    }

    #[test]
    fn while_a_show_is_called_off_the_line_goes_on() {
        let sold = [held(1, BOB, [1]), called_off(), admitted(EVE, 1), left(EVE, 1), waiting(ANN, 2)];
        let gone_on = [cancelled(1, BOB, [1]).because("the singer is ill"), let_in(ANN, 2)];
        on_sale(sold).when(Credential::System, Tick::ALONE).then(gone_on);
    }

    #[test]
    fn a_tick_gives_back_a_bounded_number_and_fewer_while_others_wait() {
        let many = MAX_TICK_EVENTS as u64 + 1;
        let user = |number: u64| UserId::try_from(number).unwrap();
        let holds = (1..=many).map(|number| held(number, user(number), [number]));
        let house = || on_sale([]).and(holds.clone()).and([called_off()]);
        let count = |tick: Tick| match house().when(Credential::System, tick).decided() {
            Ok(Decided::Events(events)) => events.len(),
            other => panic!("{other:?}"),
        };
        let alone = count(Tick::ALONE);
        assert!(alone > MAX_TICK_EVENTS / 3 && alone <= MAX_TICK_EVENTS, "{alone}");
        assert_eq!(count(Tick { others_wait: true }), MAX_GIVEN_BACK_WHILE_OTHERS_WAIT);
    }
}
