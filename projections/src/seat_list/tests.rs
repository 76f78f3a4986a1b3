use std::sync::Arc;

use super::*;
use crate::ReadModels;
use crate::seat_pages::SEATS_PER_BLOCK;
use crate::testing::*;
use domain::spec::*;
use domain::{ConcertPublished, Rejection};
use uuid::Uuid;

fn list(models: &ReadModels) -> SeatList<'_> {
    models.seats(CONCERT, SCHEDULE).unwrap()
}

/// Seats with these numbers are on sale.
fn house(numbers: impl IntoIterator<Item = u64>) -> ReadModels {
    let seats: Vec<Seat> = numbers.into_iter().map(seat).collect();
    let added = seats.chunks(1_000).map(|seats| seats_added(seats.to_vec()));
    shown([concert()].into_iter().chain(added).chain([schedule_published()]))
}

fn statuses(models: &ReadModels) -> Vec<String> {
    let seats: Vec<serde_json::Value> = serde_json::from_slice(&list(models).all().body).unwrap();
    seats.iter().map(|seat| seat["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn only_a_visible_schedule_of_that_concert_is_found() {
    let other = CONCERT.successor();
    let mut models = shown([concert(), seats_added(vec![seat(1)])]);
    let hidden = models.seats(CONCERT, SCHEDULE).map(|_| ());
    assert_eq!(hidden, Err(Rejection::ScheduleNotFound { schedule_id: SCHEDULE }));
    let no_concert = models.seats(other, SCHEDULE).map(|_| ());
    assert_eq!(no_concert, Err(Rejection::ConcertNotFound { concert_id: other }));
    let (name, artist, venue) = (String::new(), String::new(), String::new());
    let other_concert = ConcertPublished { concert_id: other, name, artist, venue };
    fold(&mut models, [schedule_published(), other_concert.into()]);
    assert!(models.seats(CONCERT, SCHEDULE).is_ok());
    let stolen = models.seats(other, SCHEDULE).map(|_| ());
    assert_eq!(stolen, Err(Rejection::ScheduleNotFound { schedule_id: SCHEDULE }));
}

#[test]
fn a_schedule_of_an_import_is_shown_with_its_end() {
    let import_id = Uuid::from_u128(7);
    let mut models = shown([concert(), seats_added(vec![seat(1)]), schedule_imported(import_id)]);
    let is_shown = |models: &ReadModels| {
        let dates = models.concerts.dates(CONCERT, &models.state).unwrap().body;
        (models.seats(CONCERT, SCHEDULE).is_ok(), dates != "[]")
    };
    assert_eq!(is_shown(&models), (false, false));
    fold(&mut models, [catalog_imported(Uuid::from_u128(8))]);
    assert_eq!(is_shown(&models), (false, false));
    fold(&mut models, [catalog_imported(import_id)]);
    assert_eq!(is_shown(&models), (true, true));
}

#[test]
fn seats_that_can_be_had_are_listed_by_id() {
    let mut models = house([300, 2, 1]);
    fold(&mut models, [held(1, ANN, [2])]);
    let expected = concat!(
        r#"[{"seatId":1,"seatName":"A-1","price":100,"zoneName":"A"},"#,
        r#"{"seatId":300,"seatName":"A-300","price":100,"zoneName":"A"}]"#
    );
    assert_eq!(list(&models).available().body, expected);
}

#[test]
fn every_seat_is_listed_with_its_status_and_its_row_and_number_where_known() {
    let front = Seat { row: Some("R".into()), number: Some(7), ..seat(1) };
    let mut models = shown([concert(), seats_added(vec![front, seat(2), seat(3)]), schedule_published()]);
    fold(&mut models, [held(1, ANN, [2]), held(2, BOB, [3]), paid(1, 2, BOB, [3], 0)]);
    let expected = concat!(
        r#"[{"seatId":1,"seatName":"A-1","price":100,"zoneName":"A","status":"AVAILABLE","row":"R","number":7},"#,
        r#"{"seatId":2,"seatName":"A-2","price":100,"zoneName":"A","status":"HELD"},"#,
        r#"{"seatId":3,"seatName":"A-3","price":100,"zoneName":"A","status":"SOLD"}]"#
    );
    assert_eq!(list(&models).all().body, expected);
}

#[test]
fn a_seat_that_the_schedule_does_not_have_hides_no_other_one_that_is_taken() {
    let mut models = house([1, 2, 4]);
    fold(&mut models, [held(1, ANN, [3, 4])]);
    assert_eq!(statuses(&models), ["AVAILABLE", "AVAILABLE", "HELD"]);
}

#[test]
fn a_seat_that_is_added_again_is_described_anew_and_counted_once() {
    let mut models = house([1]);
    assert!(list(&models).available().body.starts_with(br#"[{"seatId":1,"seatName":"A-1","#));
    fold(&mut models, [seats_added(vec![Seat { name: "B-1".into(), ..seat(1) }])]);
    assert!(list(&models).available().body.starts_with(br#"[{"seatId":1,"seatName":"B-1","#));
    assert_eq!(models.state.seats_available(SCHEDULE), 1);
}

#[test]
fn the_map_shows_zones_rows_and_places_as_the_catalogue_has_them_and_never_changes() {
    let at = |seat: Seat| Seat { x: serde_json::from_str("1.5").ok(), y: serde_json::from_str("2").ok(), ..seat };
    let seats = vec![
        Seat { zone: "Z".into(), ..seat(9) },
        at(seat_in_row(2, "R", 3)),
        seat_in_row(1, "R", 1),
        seat_in_row(5, "Q", 1),
        seat(3),
    ];
    let mut models = shown([concert(), seats_added(seats), schedule_published()]);
    let expected = concat!(
        r#"{"scheduleId":1,"zones":[{"zoneName":"Z","rows":[],"seats":[{"seatId":9,"seatName":"A-9"}]},"#,
        r#"{"zoneName":"A","rows":[{"row":"R","seats":[{"seatId":1,"seatName":"A-1","number":1},"#,
        r#"{"seatId":2,"seatName":"A-2","number":3,"x":1.5,"y":2}]},"#,
        r#"{"row":"Q","seats":[{"seatId":5,"seatName":"A-5","number":1}]}],"#,
        r#""seats":[{"seatId":3,"seatName":"A-3"}]}]}"#
    );
    let map = list(&models).map();
    assert_eq!(map.body, expected);
    fold(&mut models, [held(1, ANN, [2])]);
    assert_eq!(list(&models).map(), map);
    assert!(list(&models).are_together([1, 2].map(seat_id)));
    assert!(!list(&models).are_together([1, 5].map(seat_id)));
}

#[test]
fn a_zone_tells_its_prices_and_what_of_it_can_be_had() {
    let dear = Seat { price: Points::new(300), ..seat(3) };
    let other = Seat { zone: "B".into(), ..seat(4) };
    let seats = vec![seat(1), seat(2), dear, other];
    let mut models = shown([concert(), seats_added(seats), schedule_published()]);
    let zones = |models: &ReadModels| serde_json::to_string(&list(models).zones()).unwrap();
    let told = |available: u64| {
        format!(
            r#"[{{"zoneName":"A","priceFrom":100,"priceTo":300,"seatsTotal":3,"seatsAvailable":{available}}},{}]"#,
            r#"{"zoneName":"B","priceFrom":100,"priceTo":100,"seatsTotal":1,"seatsAvailable":1}"#
        )
    };
    assert_eq!(zones(&models), told(3));
    for (event, available) in
        [(held(1, ANN, [1, 2]), 1), (paid(1, 1, ANN, [1, 2], 0), 1), (refunded(1, 1, ANN, [1, 2], 200), 3)]
    {
        fold(&mut models, [event]);
        assert_eq!(zones(&models), told(available));
    }
}

#[test]
fn a_list_without_seats_to_be_had_is_empty() {
    let mut models = house([1, SEATS_PER_BLOCK]);
    fold(&mut models, [held(1, ANN, [1, SEATS_PER_BLOCK])]);
    assert_eq!(list(&models).available().body, "[]");
}

#[test]
fn a_sale_changes_the_list_of_all_and_not_that_of_seats_to_be_had() {
    let mut models = shown_on_sale([held(1, ANN, [1])]);
    let (available, all) = (list(&models).available(), list(&models).all());
    fold(&mut models, [paid(1, 1, ANN, [1], 0)]);
    let (available_after, all_after) = (list(&models).available(), list(&models).all());
    assert_eq!(available_after, available);
    assert_eq!(available_after.body.as_ptr(), available.body.as_ptr());
    assert_ne!(all_after.etag, all.etag);
    assert_ne!(all_after.body, all.body);
}

#[test]
fn a_freed_seat_can_be_had_again() {
    let held_first = || shown_on_sale([held(1, ANN, [1])]);
    let free = list(&shown_on_sale([])).available().body;
    assert_ne!(list(&held_first()).available().body, free);
    for freeing in [hold_expired(1, ANN, [1]), cancelled(1, ANN, [1])] {
        let mut models = held_first();
        fold(&mut models, [freeing]);
        assert_eq!(list(&models).available().body, free);
    }
    let mut models = held_first();
    fold(&mut models, [paid(1, 1, ANN, [1], 0), refunded(1, 1, ANN, [1], 100)]);
    assert_eq!(list(&models).available().body, free);
}

#[test]
fn a_hold_that_expires_late_frees_only_what_it_still_has() {
    let mut models = shown_on_sale([held(1, ANN, [1]), cancelled(1, ANN, [1]), held(2, BOB, [1])]);
    let before = (list(&models).available(), list(&models).all(), models.state.seats_available(SCHEDULE));
    fold(&mut models, [hold_expired(1, ANN, [1]), hold_expired(1, ANN, [1])]);
    let after = (list(&models).available(), list(&models).all(), models.state.seats_available(SCHEDULE));
    assert_eq!(after, before);
    assert_eq!(statuses(&models)[0], "HELD");
    assert_eq!(models.state.seats_available(SCHEDULE), SEATS - 1);
}

#[test]
fn bytes_are_made_once_however_often_and_from_whichever_copy_they_are_read() {
    let mut models = shown_on_sale([]);
    let published = models.clone();
    fold(&mut models, [charged(ANN, 500, 500)]);
    let pointer = |models: &ReadModels| (list(models).available().body.as_ptr(), list(models).all().body.as_ptr());
    assert_eq!(pointer(&models), pointer(&models));
    assert_eq!(pointer(&models), pointer(&published));
}

#[test]
fn a_published_copy_stays_as_it_was() {
    let mut models = shown_on_sale([]);
    let published = models.clone();
    fold(&mut models, [held(1, ANN, [1])]);
    assert_eq!(list(&published).all(), list(&shown_on_sale([])).all());
    assert_eq!(statuses(&models)[0], "HELD");
}

#[test]
fn a_hold_changes_its_own_block_and_no_other() {
    let last = 8 * SEATS_PER_BLOCK - 1;
    let mut models = house(1..=last);
    let before = models.clone();
    list(&before).all();
    fold(&mut models, [held(1, ANN, [SEATS_PER_BLOCK])]);
    list(&models).all();
    let (before, after) = (&list(&before).pages.blocks, &list(&models).pages.blocks);
    assert_eq!(after.len(), 8);
    for (number, (before, after)) in before.iter().zip(after).enumerate() {
        assert_eq!(Arc::ptr_eq(before, after), number != 1, "block {number}");
    }
    let changed = models.seats_changed_since(&house(1..=last), SCHEDULE);
    assert_eq!(changed, [(seat_id(SEATS_PER_BLOCK), "HELD")]);
}
