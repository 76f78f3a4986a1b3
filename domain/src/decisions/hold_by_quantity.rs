//! Holding a number of seats: the server chooses the best free ones, so that users need not compete for single seats.

use crate::decisions::holding::Holding;
use crate::event::PricedSeat;
use crate::house::{House, NoChoice, Wanted};
use crate::limits::MAX_EXPIRIES_WITH_A_CHOICE;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decision};
use crate::state::State;
use crate::values::{ConcertId, Points, ReservationId, ScheduleId, SeatId, Timestamp, UserId};

/// Holds 1..=4 seats (as the HTTP layer has checked), which the rule of [`House`] chooses. Two requests make two holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldByQuantity {
    pub user_id: UserId,
    pub concert_id: ConcertId,
    pub schedule_id: ScheduleId,
    pub wanted: Wanted,
}

impl Decide for HoldByQuantity {
    fn decide(&self, by: &Actor, state: &State, now: Timestamp) -> Decision {
        let holding = Holding::begin(by, self.user_id, (self.concert_id, self.schedule_id), state, now)?;
        let schedule_id = self.schedule_id;
        let house = state.seating.house(schedule_id).ok_or(Rejection::ScheduleNotFound { schedule_id })?;
        if let Some(zone) = self.wanted.zone.as_deref().filter(|zone| !house.has_zone(zone)) {
            return Err(Rejection::ZoneNotFound { zone: zone.to_owned() });
        }
        holding.must_be_on_sale()?;
        let own = holding.own();
        holding.must_stay_within(&own, self.wanted.quantity)?;

        let (house, mut overdue) = with_overdue_freed(house, &holding);
        let price = |seat_id: SeatId| holding.priced(seat_id).map_or(Points::ZERO, |seat| seat.price);
        let chosen = house.choose(&self.wanted, price).map_err(|none| self.refusal(none))?;
        let seats = chosen.iter().map(|seat_id| holding.priced(*seat_id)).collect::<Result<Vec<PricedSeat>, _>>()?;
        overdue.truncate(MAX_EXPIRIES_WITH_A_CHOICE);
        let in_the_way = chosen.iter().filter_map(|seat_id| state.seating.taken(schedule_id, *seat_id));
        overdue.extend(in_the_way.map(|taken| taken.reservation_id));
        overdue.extend(own.overdue);
        holding.hold(seats, overdue)
    }
}

impl HoldByQuantity {
    fn refusal(&self, none: NoChoice) -> Rejection {
        match none {
            NoChoice::ZoneNotFound => Rejection::ZoneNotFound { zone: self.wanted.zone.clone().unwrap_or_default() },
            NoChoice::NoSeatsLeft => Rejection::NoSeatsLeft,
            NoChoice::NotTogether { largest_block } => Rejection::NotTogether { largest_block },
        }
    }
}

/// The house after all overdue holds have expired. Returns these holds as well, the most overdue first.
fn with_overdue_freed(house: &House, holding: &Holding<'_>) -> (House, Vec<ReservationId>) {
    let (mut house, mut overdue) = (house.clone(), Vec::new());
    let all = holding.state.reservations.overdue(holding.sale_now);
    for hold in all.map(|reservation| &reservation.hold).filter(|hold| hold.schedule_id == holding.schedule_id) {
        overdue.push(hold.reservation_id);
        for seat_id in hold.seat_ids() {
            let taken = holding.state.seating.taken(hold.schedule_id, seat_id);
            if taken.is_some_and(|taken| taken.reservation_id == hold.reservation_id) {
                house.put(seat_id, true);
            }
        }
    }
    (house, overdue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, SaleEvent, SeatsHeld};
    use crate::house::Together;
    use crate::limits::{HOLD_SECONDS, MAX_SEATS_PER_USER_IN_SCHEDULE};
    use crate::spec::*;

    fn wanted(quantity: usize) -> Wanted {
        Wanted { quantity, zone: None, max_price: None, together: Together::Preferred }
    }

    fn hold(user_id: UserId, wanted: Wanted) -> HoldByQuantity {
        HoldByQuantity { user_id, concert_id: CONCERT, schedule_id: SCHEDULE, wanted }
    }

    /// The cast's ten seats stand without rows, so the lowest numbers go first.
    fn held_lowest(first: u64) -> [Event; 1] {
        [held(1, ANN, [first, first + 1])]
    }

    #[test]
    fn seats_are_chosen_and_held_for_five_minutes() {
        on_sale([admitted(ANN, 1)]).when(token(ANN), hold(ANN, wanted(2))).then(held_lowest(1));
    }

    #[test]
    fn seats_in_a_row_are_neighbours_in_its_middle() {
        let seats = (1..=SEATS).map(|number| seat_in_row(number, "R", number as u32)).collect();
        given([room(100), concert(), seats_added(seats), schedule_published(), admitted(ANN, 1)])
            .when(token(ANN), hold(ANN, wanted(2)))
            .then(held_lowest(5));
    }

    #[test]
    fn asked_twice_these_are_two_holds() {
        on_sale([admitted(ANN, 1), held(1, ANN, [1, 2])]).when(token(ANN), hold(ANN, wanted(2))).then([held(
            2,
            ANN,
            [3, 4],
        )]);
    }

    #[test]
    fn a_hold_at_its_deadline_is_free_and_its_expiry_comes_first() {
        let events = [admitted(ANN, 1), granted(BOB, 2, None), held(1, ANN, [1, 2])];
        on_sale(events.clone())
            .after_seconds(HOLD_SECONDS - 1)
            .when(fixed_token(BOB), hold(BOB, wanted(1)))
            .then([held(2, BOB, [3]).at_seconds(HOLD_SECONDS - 1)]);
        on_sale(events)
            .after_seconds(HOLD_SECONDS)
            .when(fixed_token(BOB), hold(BOB, wanted(1)))
            .then([hold_expired(1, ANN, [1, 2]), held(2, BOB, [1])].map(|event| event.at_seconds(HOLD_SECONDS)));
    }

    #[test]
    fn own_holds_past_their_deadline_do_not_count_for_the_limit() {
        on_sale([granted(ANN, 1, None), held(1, ANN, [1, 2, 3, 4])])
            .after_seconds(HOLD_SECONDS)
            .when(fixed_token(ANN), hold(ANN, wanted(4)))
            .then(
                [hold_expired(1, ANN, [1, 2, 3, 4]), held(2, ANN, [1, 2, 3, 4])]
                    .map(|event| event.at_seconds(HOLD_SECONDS)),
            );
    }

    #[test]
    fn the_limit_comes_before_what_is_left() {
        let limit = MAX_SEATS_PER_USER_IN_SCHEDULE;
        on_sale([admitted(ANN, 1), held(1, ANN, [1, 2, 3])])
            .when(token(ANN), hold(ANN, wanted(2)))
            .refuses(Rejection::SeatLimitReached { limit });
        let all = [held(1, BOB, [1, 2, 3, 4]), held(2, EVE, [5, 6, 7, 8]), held(3, ANN, [9, 10])];
        let sold_out = || on_sale([admitted(ANN, 1)]).and(all.clone());
        sold_out().when(token(ANN), hold(ANN, wanted(3))).refuses(Rejection::SeatLimitReached { limit });
        sold_out().when(token(ANN), hold(ANN, wanted(2))).refuses(Rejection::NoSeatsLeft);
    }

    #[test]
    fn a_schedules_own_limit_counts() {
        let limited = |by_id: bool| {
            let seats = seats_added((1..=SEATS).map(seat).collect());
            let state = given([room(100), concert(), seats, schedule_limited(2), admitted(ANN, 1), held(1, ANN, [1])]);
            let refused = Rejection::SeatLimitReached { limit: 2 };
            if by_id {
                let seat_ids = vec![seat_id(2), seat_id(3)];
                let hold = crate::HoldSeats { user_id: ANN, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids };
                state.when(token(ANN), hold).refuses(refused);
            } else {
                state.when(token(ANN), hold(ANN, wanted(2))).refuses(refused);
            }
        };
        limited(true);
        limited(false);
    }

    #[test]
    fn a_zone_that_is_not_there_is_not_found_before_all_conflicts() {
        let nowhere = Wanted { zone: Some("Z".to_owned()), ..wanted(1) };
        on_sale([granted(ANN, 1, None)])
            .after_seconds(SALE_CLOSES)
            .when(fixed_token(ANN), hold(ANN, nowhere))
            .refuses(Rejection::ZoneNotFound { zone: "Z".to_owned() });
        on_sale([granted(ANN, 1, None), held(1, ANN, [1, 2, 3, 4])])
            .after_seconds(SALE_CLOSES)
            .when(fixed_token(ANN), hold(ANN, wanted(1)))
            .refuses(times().not_on_sale());
    }

    #[test]
    fn nothing_is_chosen_during_a_pause_whatever_the_limit() {
        let refused = on_sale([granted(ANN, 1, None), held(1, ANN, [1, 2, 3, 4]), paused(None)])
            .when(fixed_token(ANN), hold(ANN, wanted(1)))
            .decided();
        assert!(matches!(refused, Err(Rejection::SalePaused { .. })), "{refused:?}");
    }

    #[test]
    fn who_waits_holds_nothing_and_nobody_holds_for_another() {
        let refused = on_sale([waiting(ANN, 7)]).when(token(ANN), hold(ANN, wanted(1))).decided();
        assert!(matches!(refused, Err(Rejection::NotAdmitted { .. })));
        on_sale([admitted(ANN, 1)]).when(token(ANN), hold(BOB, wanted(1))).refuses(Rejection::NotYours);
    }

    #[test]
    fn of_many_overdue_holds_a_bounded_number_expires_at_once() {
        let many = MAX_EXPIRIES_WITH_A_CHOICE as u64 + 50;
        let seats = (1..=many).map(seat).collect::<Vec<_>>();
        let added = seats.chunks(200).map(|seats| seats_added(seats.to_vec()));
        let holds = (1..=many).map(|number| held(number, user_id(number + 9), [number]));
        let decided = given([room(100), concert()])
            .and(added)
            .and([schedule_published(), granted(ANN, 1, None)])
            .and(holds)
            .after_seconds(HOLD_SECONDS)
            .when(fixed_token(ANN), hold(ANN, wanted(1)))
            .decided();
        let Ok(crate::Decided::Events(events)) = decided else { panic!("{decided:?}") };
        assert_eq!(events.len(), MAX_EXPIRIES_WITH_A_CHOICE + 1);
        let Some(Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold }))) = events.last() else { panic!("{events:?}") };
        assert_eq!(hold.seat_ids().collect::<Vec<_>>(), [seat_id(1)]);
    }
}
