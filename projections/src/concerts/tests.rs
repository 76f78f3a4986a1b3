use super::*;
use crate::ReadModels;
use crate::testing::*;
use domain::spec::*;

fn dates(models: &ReadModels) -> Representation {
    models.concerts.dates(CONCERT, &models.state).unwrap()
}

fn seats_available(models: &ReadModels) -> u64 {
    let dates: serde_json::Value = serde_json::from_slice(&dates(models).body).unwrap();
    dates[0]["seatsAvailable"].as_u64().unwrap()
}

/// Another schedule of the concert, on this date.
fn published(schedule: u64, date: &str) -> Event {
    let mut event = schedule_published();
    if let Event::Catalogue(CatalogueEvent::SchedulePublished(SchedulePublished { schedule_id, local_date, .. })) =
        &mut event
    {
        *schedule_id = ScheduleId::try_from(schedule).unwrap();
        *local_date = date.to_owned();
    }
    event
}

#[test]
fn a_concert_without_dates_has_none_to_show() {
    let models = shown([concert()]);
    let expected = r#"{"concertId":1,"concertName":"Concert","artist":"Artist","venue":"Venue"}"#;
    assert_eq!(models.concerts.concert(CONCERT).unwrap().body, expected);
    assert_eq!(models.concerts.list().body, format!("[{expected}]"));
    assert_eq!(dates(&models).body, "[]");
}

#[test]
fn a_concert_goes_from_its_first_to_its_last_date() {
    let models = shown_on_sale([published(2, "2026-12-31"), published(3, "2026-12-26")]);
    let concert: serde_json::Value = serde_json::from_slice(&models.concerts.concert(CONCERT).unwrap().body).unwrap();
    assert_eq!((&concert["startDate"], &concert["endDate"]), (&"2026-12-24".into(), &"2026-12-31".into()));
}

#[test]
fn a_date_within_the_others_changes_no_concert() {
    let mut models = shown_on_sale([published(2, "2026-12-31")]);
    let before = (models.concerts.list(), models.concerts.concert(CONCERT), dates(&models));
    fold(&mut models, [published(3, "2026-12-26")]);
    assert_eq!((models.concerts.list(), models.concerts.concert(CONCERT)), (before.0, before.1));
    assert_ne!(dates(&models), before.2);
}

#[test]
fn an_unknown_concert_is_not_shown() {
    let models = shown([]);
    assert_eq!(models.concerts.list().body, "[]");
    assert_eq!(models.concerts.concert(CONCERT), None);
    assert_eq!(models.concerts.dates(CONCERT, &models.state), None);
}

#[test]
fn an_unpublished_schedule_is_not_shown() {
    let models = shown([concert(), seats_added(vec![seat(1)])]);
    assert_eq!(dates(&models).body, "[]");
}

#[test]
fn a_date_tells_its_times_and_how_many_seats_are_left() {
    let models = shown_on_sale([held(1, ANN, [1, 2])]);
    let expected = concat!(
        r#"[{"concertScheduleId":1,"concertId":1,"concertDate":"2026-12-24","concertTime":"19:30","#,
        r#""timeZone":"Asia/Seoul","startsAt":"2027-01-15T10:00:00.000Z","saleOpensAt":"2027-01-15T08:00:00.000Z","#,
        r#""saleClosesAt":"2027-01-15T09:00:00.000Z","seatsTotal":10,"seatsPerUser":4,"#,
        r#""cancelledAt":null,"seatsAvailable":8,"#,
        r#""zones":[{"zoneName":"A","priceFrom":100,"priceTo":100,"seatsTotal":10,"seatsAvailable":8}]}]"#
    );
    assert_eq!(dates(&models).body, expected);
}

#[test]
fn seats_left_follow_what_happens_to_them() {
    let mut models = shown_on_sale([]);
    let steps = [
        (held(1, ANN, [1, 2]), 8),
        (held(2, BOB, [3]), 7),
        (paid(1, 1, ANN, [1, 2], 0), 7),
        (hold_expired(2, BOB, [3]), 8),
        (hold_expired(2, BOB, [3]), 8),
        (refunded(1, 1, ANN, [1, 2], 200), 10),
        (held(3, BOB, [1]), 9),
        (cancelled(3, BOB, [1]), 10),
    ];
    for (event, left) in steps {
        fold(&mut models, [event.clone()]);
        assert_eq!(seats_available(&models), left, "after {event:?}");
    }
}

#[test]
fn dates_change_with_the_number_of_seats_left_and_concerts_do_not() {
    let mut models = shown_on_sale([]);
    let (list_before, dates_before) = (models.concerts.list(), dates(&models));
    fold(&mut models, [held(1, ANN, [1])]);
    let dates_held = dates(&models);
    assert_ne!(dates_held.etag, dates_before.etag);
    fold(&mut models, [paid(1, 1, ANN, [1], 0)]);
    assert_eq!(dates(&models), dates_held);
    assert_eq!(dates(&models).body.as_ptr(), dates_held.body.as_ptr());
    assert_eq!(models.concerts.list(), list_before);
}
