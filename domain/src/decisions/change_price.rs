//! Changing the price of a zone: free seats have the new price at once, holds and tickets keep theirs.
//!
//! Rejections: [`Rejection::ScheduleNotFound`], [`Rejection::ScheduleCancelled`], [`Rejection::ZoneNotFound`].

use crate::answer::Answer;
use crate::event::PriceChanged;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{Points, ScheduleId, Timestamp};

/// Gives the seats of a zone another price, at most [`MAX_SEAT_PRICE`](crate::limits::MAX_SEAT_PRICE), as the HTTP
/// layer has checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePrice {
    pub schedule_id: ScheduleId,
    pub zone: String,
    pub price: Points,
    pub reason: String,
}

impl Decide for ChangePrice {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        let Self { schedule_id, zone, price, reason } = self.clone();
        let (schedule, _) = state.catalogue.published(schedule_id)?;
        if schedule.called_off.is_some() {
            return Err(Rejection::ScheduleCancelled { schedule_id });
        }
        let mut seats = schedule.seats.values().filter(|seat| *seat.zone == *zone).peekable();
        if seats.peek().is_none() {
            return Err(Rejection::ZoneNotFound { zone });
        }
        if seats.all(|seat| schedule.price_of(seat) == price) {
            return Ok(Decided::Already(Answer::Done));
        }
        let concert_id = schedule.concert_id;
        Ok(Decided::one(PriceChanged { concert_id, schedule_id, zone, price, reason, changed_at: now }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::decisions::{HoldSeats, PayReservation};
    use crate::event::{Event, SaleEvent, SeatsHeld};
    use crate::spec::*;

    fn change(price: u64) -> ChangePrice {
        let (zone, reason) = ("A".to_owned(), "a zero too many".to_owned());
        ChangePrice { schedule_id: SCHEDULE, zone, price: Points::new(price), reason }
    }

    #[test]
    fn a_price_is_changed_once() {
        on_sale([]).when(Credential::OPERATOR, change(70)).then([price_changed(70)]);
        on_sale([price_changed(70)]).when(Credential::OPERATOR, change(70)).already(Answer::Done);
        on_sale([]).when(Credential::OPERATOR, change(PRICE)).already(Answer::Done);
    }

    #[test]
    fn free_seats_have_the_new_price_at_once_and_holds_keep_theirs() {
        let hold = HoldSeats { user_id: ANN, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids: vec![seat_id(2)] };
        let after = on_sale([admitted(ANN, 1), held(1, ANN, [1]), price_changed(70)]).when(token(ANN), hold);
        let Ok(Decided::Events(events)) = after.decided() else { panic!("it was not held") };
        let [Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold }))] = &*events else { panic!("{events:?}") };
        assert_eq!((hold.total_price, hold.seats[0].price), (Points::new(70), Points::new(70)));
        let pay = PayReservation { reservation_id: reservation_id(1), user_id: ANN, amount: Points::new(PRICE) };
        on_sale([admitted(ANN, 1), charged(ANN, PRICE, PRICE), held(1, ANN, [1]), price_changed(70)])
            .when(token(ANN), pay)
            .then([paid(1, 1, ANN, [1], 0).finishing(1)]);
    }

    #[test]
    fn a_zone_that_is_not_there_has_no_price() {
        let elsewhere = ChangePrice { zone: "B".to_owned(), ..change(70) };
        on_sale([]).when(Credential::OPERATOR, elsewhere).refuses(Rejection::ZoneNotFound { zone: "B".to_owned() });
        let off = Rejection::ScheduleCancelled { schedule_id: SCHEDULE };
        on_sale([called_off()]).when(Credential::OPERATOR, change(70)).refuses(off);
    }
}
