//! The choice, by examples that one can follow on paper, and against the slow one.

use proptest::prelude::*;

use super::*;
use crate::event::Seat;
use crate::spec::slow_choice;

/// Seats, of which some are free.
struct Hall {
    seats: Vec<Seat>,
    free: Vec<bool>,
    house: House,
}

fn id(number: usize) -> SeatId {
    SeatId::try_from(number as u64).unwrap()
}

/// A seat without an id yet: zone, row and number, price.
fn seat(zone: &str, place: Option<(&str, u32)>, price: u64) -> Seat {
    Seat {
        seat_id: SeatId::FIRST,
        name: "".into(),
        zone: zone.into(),
        price: Points::new(price),
        row: place.map(|(row, _)| row.into()),
        number: place.map(|(_, number)| number),
        x: None,
        y: None,
    }
}

fn row(zone: &str, name: &str, numbers: impl IntoIterator<Item = u32>) -> Vec<Seat> {
    numbers.into_iter().map(|number| seat(zone, Some((name, number)), 100)).collect()
}

fn standing(zone: &str, count: usize) -> Vec<Seat> {
    vec![seat(zone, None, 100); count]
}

fn wanted(quantity: usize) -> Wanted {
    Wanted { quantity, zone: None, max_price: None, together: Together::Preferred }
}

impl Hall {
    /// All seats are free, and have the ids 1, 2, 3, ….
    fn of(seats: impl IntoIterator<Item = Vec<Seat>>) -> Self {
        let numbered = (1..).zip(seats.into_iter().flatten());
        let seats: Vec<Seat> = numbered.map(|(number, seat)| Seat { seat_id: id(number), ..seat }).collect();
        let house = House::new(Plan::of(&seats), |seat_id| seats[seat_id.get() as usize - 1].price);
        Self { free: vec![true; seats.len()], house, seats }
    }

    fn put(&mut self, number: usize, is_free: bool) {
        self.free[number - 1] = is_free;
        self.house.put(id(number), is_free);
    }

    fn without(mut self, taken: impl IntoIterator<Item = usize>) -> Self {
        taken.into_iter().for_each(|number| self.put(number, false));
        self
    }

    /// What the index chooses; the slow one agrees.
    fn choose(&self, wanted: &Wanted) -> Result<Vec<u64>, NoChoice> {
        let price = |seat_id: SeatId| self.seats[seat_id.get() as usize - 1].price;
        let chosen = self.house.choose(wanted, price);
        let slowly = slow_choice(&self.seats, |seat_id| self.free[seat_id.get() as usize - 1], wanted);
        assert_eq!(chosen, slowly, "{wanted:?}");
        chosen.map(|seats| seats.into_iter().map(SeatId::get).collect())
    }

    fn chooses<const N: usize>(&self, expected: [u64; N]) {
        assert_eq!(self.choose(&wanted(N)), Ok(expected.to_vec()));
    }
}

#[test]
fn a_pair_sits_in_the_middle_of_the_first_row() {
    Hall::of([row("A", "1", 1..=6), row("A", "2", 1..=6)]).chooses([3, 4]);
}

#[test]
fn a_single_seat_is_left_behind_only_where_it_must_be() {
    // 1 2 3 4 5: the middle pair would leave 1 and 4, or 2 and 5 alone.
    Hall::of([row("A", "1", 1..=5)]).chooses([1, 2]);
    // Who comes alone takes the seat that stands alone.
    Hall::of([row("A", "1", 1..=6)]).without([2]).chooses([1]);
}

#[test]
fn the_lower_number_goes_before_the_higher_one_where_both_are_as_near() {
    Hall::of([row("A", "1", 1..=4)]).without([2, 3]).chooses([1]);
    Hall::of([row("A", "1", 1..=4)]).chooses([1]);
}

#[test]
fn odd_numbers_are_neighbours_where_a_row_has_no_others() {
    Hall::of([row("A", "1", [1, 3, 5, 7])]).chooses([1, 2]);
    // 5 and 9 are not.
    let gap = Hall::of([row("A", "1", [1, 3, 5, 9])]);
    gap.chooses([1, 2, 3]);
    let required = Wanted { together: Together::Required, ..wanted(4) };
    assert_eq!(gap.choose(&required), Err(NoChoice::NotTogether { largest_block: 3 }));
}

#[test]
fn zones_and_rows_come_as_the_catalogue_has_them_and_standing_last_in_its_zone() {
    let hall = Hall::of([standing("B", 2), row("A", "9", 1..=2), row("B", "2", 1..=2), row("A", "1", 1..=2)]);
    hall.chooses([5, 6]);
    let hall = hall.without([5, 6]);
    hall.chooses([1, 2]);
    let hall = hall.without([1]);
    hall.chooses([3, 4]);
    hall.without([3, 4]).chooses([7, 8]);
}

#[test]
fn places_without_a_row_are_next_to_each_other_and_the_lowest_go_first() {
    let hall = Hall::of([standing("A", 6)]).without([1, 3]);
    hall.chooses([2, 4, 5, 6]);
    assert!(hall.house.plan().are_together([2, 4, 5].map(id)));
}

#[test]
fn seats_apart_come_from_one_zone_the_largest_piece_first() {
    let hall = Hall::of([row("A", "1", 1..=3), row("B", "1", 1..=3), row("B", "2", 1..=3)]);
    hall.chooses([4, 5, 6, 7]);
    assert!(!hall.house.plan().are_together([4, 5, 6, 7].map(id)));
    assert!(hall.house.plan().are_together([6, 5, 4].map(id)));
}

#[test]
fn who_must_sit_together_is_told_how_many_can() {
    let hall = Hall::of([row("A", "1", 1..=3), row("B", "1", 1..=2), row("B", "2", 1..=2)]);
    let required = Wanted { together: Together::Required, ..wanted(4) };
    assert_eq!(hall.choose(&required), Err(NoChoice::NotTogether { largest_block: 3 }));
    let in_b = Wanted { zone: Some("B".to_owned()), ..required };
    assert_eq!(hall.choose(&in_b), Err(NoChoice::NotTogether { largest_block: 2 }));
}

#[test]
fn no_zone_that_was_asked_for_may_have_that_many() {
    let hall = Hall::of([row("A", "1", 1..=3), row("B", "1", 1..=3)]);
    assert_eq!(hall.choose(&wanted(4)), Err(NoChoice::NoSeatsLeft));
    let nowhere = Wanted { zone: Some("C".to_owned()), ..wanted(1) };
    assert_eq!(hall.choose(&nowhere), Err(NoChoice::ZoneNotFound));
}

#[test]
fn a_price_limits_what_is_taken_and_not_what_counts_as_free() {
    let mut seats = row("A", "1", 1..=5);
    seats[2].price = Points::new(900);
    let hall = Hall::of([seats]);
    let cheap = |quantity| Wanted { max_price: Some(Points::new(100)), ..wanted(quantity) };
    assert_eq!(hall.choose(&cheap(2)), Ok(vec![1, 2]));
    assert_eq!(hall.choose(&cheap(1)), Ok(vec![1]));
    assert_eq!(hall.choose(&cheap(4)), Ok(vec![1, 2, 4, 5]));
    let none = Wanted { max_price: Some(Points::new(99)), ..wanted(1) };
    assert_eq!(hall.choose(&none), Err(NoChoice::NoSeatsLeft));
}

#[test]
fn a_zones_new_price_counts_at_once() {
    let mut hall = Hall::of([row("A", "1", 1..=2), row("B", "1", 1..=2)]);
    hall.seats.iter_mut().filter(|seat| seat.zone.as_ref() == "A").for_each(|seat| seat.price = Points::new(300));
    hall.house.set_price("A", Points::new(300));
    let cheap = Wanted { max_price: Some(Points::new(100)), ..wanted(2) };
    assert_eq!(hall.choose(&cheap), Ok(vec![3, 4]));
}

#[test]
fn a_house_is_sold_to_its_last_seat() {
    let mut hall = Hall::of([row("A", "1", 1..=7), standing("A", 3), row("B", "1", [1, 2, 4, 6, 8])]);
    let mut sold = 0;
    for quantity in [2, 2, 3, 2, 1, 3, 2] {
        let chosen = hall.choose(&wanted(quantity)).unwrap();
        chosen.iter().for_each(|number| hall.put(*number as usize, false));
        sold += chosen.len();
    }
    assert_eq!(sold, hall.seats.len());
    assert_eq!(hall.choose(&wanted(1)), Err(NoChoice::NoSeatsLeft));
}

#[test]
fn a_copy_stays_as_it_was() {
    let mut hall = Hall::of([row("A", "1", 1..=6)]);
    let copy = hall.house.clone();
    hall.put(3, false);
    assert_eq!(copy.choose(&wanted(2), |_| Points::new(100)), Ok(vec![id(3), id(4)]));
    hall.chooses([1, 2]);
}

/// Zones of rows with odd, gapped and doubled numbers, prices that differ within a row, and places without rows.
fn halls() -> impl Strategy<Value = Vec<Seat>> {
    let place = prop_oneof![
        1 => Just(None),
        8 => (0_usize..3, 1_u32..14).prop_map(|(row, number)| Some((["1", "2", "3"][row], number * [1, 2, 3][row]))),
    ];
    let seat = (0_usize..3, place, 1_u64..4).prop_map(|(zone, place, price)| {
        // One zone has one price, as most have.
        seat(["A", "B", "C"][zone], place, if zone == 0 { 100 } else { 100 * price })
    });
    prop::collection::vec(seat, 1..90)
}

fn requests() -> impl Strategy<Value = Wanted> {
    let zone = prop_oneof![3 => Just(None), 1 => "[A-D]".prop_map(Some)];
    let max_price = prop_oneof![2 => Just(None), 1 => (0_u64..4).prop_map(|price| Some(Points::new(100 * price)))];
    let together = prop_oneof![Just(Together::Preferred), Just(Together::Required)];
    (1..=MAX_SEATS_PER_RESERVATION, zone, max_price, together)
        .prop_map(|(quantity, zone, max_price, together)| Wanted { quantity, zone, max_price, together })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_choice_is_the_slow_ones(
        seats in halls(),
        steps in prop::collection::vec((requests(), prop::option::of(0_usize..90)), 1..60),
    ) {
        let mut hall = Hall::of([seats]);
        for (wanted, freed) in steps {
            if let Ok(chosen) = hall.choose(&wanted) {
                prop_assert_eq!(chosen.len(), wanted.quantity);
                chosen.iter().for_each(|number| hall.put(*number as usize, false));
            }
            if let Some(number) = freed.map(|index| 1 + index % hall.seats.len()) {
                hall.put(number, true);
            }
        }
    }

    #[test]
    fn a_house_that_was_stored_is_the_same(seats in halls(), taken in prop::collection::vec(0_usize..90, 0..40)) {
        let count = seats.len();
        let hall = Hall::of([seats]).without(taken.into_iter().map(|index| 1 + index % count));
        let stored = serde_json::to_string(&hall.house).unwrap();
        let house: House = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&serde_json::to_string(&house).unwrap(), &stored);
    }
}
