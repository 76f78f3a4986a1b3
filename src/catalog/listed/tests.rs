//! What a file says, and what is wrong with it by itself.

use serde_json::{Value, json};

use super::*;
use crate::catalog::read;

const STARTS: &str = "2027-12-24T10:30:00Z";

fn zones() -> Value {
    json!([{ "zoneName": "Z", "price": 100, "seats": 3 }])
}

/// A concert of one schedule with these members.
fn file(schedule: Value) -> Value {
    json!({ "concerts": [{ "concertName": "A", "artist": "B", "venue": "C", "schedules": [schedule] }] })
}

fn seats(seats: Value) -> Value {
    file(json!({ "startsAt": STARTS, "seats": seats }))
}

fn understood(file: &Value) -> Result<Listed, String> {
    Listed::of(read(file.to_string().as_bytes()).map_err(|error| error.to_string())?)
        .map_err(|faults| faults.to_string())
}

fn listed(file: &Value) -> Listed {
    understood(file).unwrap()
}

fn refused(file: &Value) -> String {
    understood(file).unwrap_err()
}

fn schedule(file: &Value) -> ListedSchedule {
    listed(file).concerts.remove(0).schedules.remove(0)
}

#[test]
fn a_concert_that_is_named_twice_is_one_with_the_dates_of_both() {
    let date = |starts: &str| json!({ "startsAt": starts, "zones": zones() });
    let concert = |name: &str, starts: &str| json!({ "concertName": name, "artist": "B", "venue": "C", "schedules": [date(starts)] });
    let file =
        json!({ "concerts": [concert("A", STARTS), concert("A ", "2027-12-25T10:30:00Z"), concert("D", STARTS)] });
    let dates: Vec<usize> = listed(&file).concerts.iter().map(|concert| concert.schedules.len()).collect();
    assert_eq!(dates, [2, 1]);
}

#[test]
fn one_id_is_not_two_concerts_and_two_ids_are() {
    let concert = |id: u64, name: &str| json!({ "concertId": id, "concertName": name, "artist": "B", "venue": "C" });
    let said = refused(&json!({ "concerts": [concert(1, "A"), concert(1, "D")] }));
    assert!(said.contains("concertId 1") && said.contains("\"A\"") && said.contains("\"D\""), "{said}");
    assert_eq!(listed(&json!({ "concerts": [concert(1, "A"), concert(2, "A")] })).concerts.len(), 2);
    assert_eq!(listed(&json!({ "concerts": [concert(1, "A"), concert(1, "A")] })).concerts.len(), 1);
}

#[test]
fn two_dates_at_one_time_need_ids() {
    let date = |id: Option<u64>| json!({ "scheduleId": id, "startsAt": STARTS, "zones": zones() });
    let twice = |a, b| json!({ "concerts": [{ "concertName": "A", "artist": "B", "venue": "C", "schedules": [date(a), date(b)] }] });
    assert!(
        refused(&twice(None, None))
            .contains("concerts[0].schedules[1]: it starts at the same time as concerts[0].schedules[0]")
    );
    assert!(refused(&twice(Some(1), Some(1))).contains("scheduleId 1 is in the file twice"));
    assert_eq!(listed(&twice(Some(1), Some(2))).concerts[0].schedules.len(), 2);
}

#[test]
fn one_chair_is_one_chair_however_it_is_written() {
    let seat = |zone: &str, name: &str| json!({ "zoneName": zone, "seatName": name, "price": 1 });
    for (one, other) in [("A-1", "A-1 "), ("\u{c9}1", "E\u{301}1"), ("A-1", "\u{ff21}-1"), ("A-1", "A\u{200b}-1")] {
        let said = refused(&seats(json!([seat("Z", one), seat("Z", other)])));
        assert!(said.contains("seats[1]") && said.contains("named twice"), "{said}");
    }
    let said = refused(&seats(json!([seat("Z", "1"), seat("\u{ff3a}", "2")])));
    assert!(said.contains("zone") && said.contains("looks like"), "{said}");
    let row = |row: &str, number: u32| json!({ "zoneName": "Z", "seatName": format!("{row}{number}"), "price": 1, "row": row, "number": number });
    assert!(refused(&seats(json!([row("R", 1), row("R\u{200b}", 2)]))).contains("row"));
    let twice = json!({ "zoneName": "Z", "seatName": "other", "price": 1, "row": "R", "number": 1 });
    assert!(refused(&seats(json!([row("R", 1), twice]))).contains("number 1 twice"));
    assert_eq!(schedule(&seats(json!([seat("Z", "1"), seat("Y", "1")]))).seats.len(), 2);
}

#[test]
fn names_that_show_nothing_are_refused_wherever_they_stand() {
    for name in ["", " ", "\u{200b}", "\u{202e}", "\u{3164}"] {
        let concerts = [
            json!({ "concertName": name, "artist": "B", "venue": "C" }),
            json!({ "concertName": "A", "artist": name, "venue": "C" }),
            json!({ "concertName": "A", "artist": "B", "venue": name }),
        ];
        for concert in concerts {
            assert!(understood(&json!({ "concerts": [concert] })).is_err(), "{name:?}");
        }
        assert!(understood(&seats(json!([{ "zoneName": "Z", "seatName": name, "price": 1 }]))).is_err(), "{name:?}");
        assert!(understood(&seats(json!([{ "zoneName": name, "seatName": "1", "price": 1 }]))).is_err(), "{name:?}");
        let zone = json!([{ "zoneName": name, "price": 1, "seats": 1 }]);
        assert!(understood(&file(json!({ "startsAt": STARTS, "zones": zone }))).is_err(), "{name:?}");
    }
}

#[test]
fn a_time_is_the_venues() {
    let new_york = [
        json!({ "startsAt": "2027-07-04T20:00:00-04:00[America/New_York]", "zones": zones() }),
        json!({ "startsAt": "2027-07-04T20:00:00", "timeZone": "America/New_York", "zones": zones() }),
        json!({ "startsAt": "2027-07-05T00:00:00Z", "timeZone": "America/New_York", "zones": zones() }),
    ];
    for written in new_york {
        let schedule = schedule(&file(written));
        assert_eq!(schedule.time_zone, "America/New_York");
        assert_eq!(schedule.local, ("2027-07-04".to_owned(), "20:00".to_owned()));
        assert_eq!(schedule.starts_at.millis(), 1_814_745_600_000);
    }
    assert_eq!(schedule(&file(json!({ "startsAt": STARTS, "zones": zones() }))).local.1, "19:30");
}

#[test]
fn two_zones_for_one_time_are_a_contradiction() {
    let starts = "2027-07-04T20:00:00-04:00[America/New_York]";
    let said = refused(&file(json!({ "startsAt": starts, "timeZone": "Asia/Seoul", "zones": zones() })));
    assert!(said.contains("America/New_York") && said.contains("Asia/Seoul"), "{said}");
    let said = refused(&file(json!({ "startsAt": starts.replace("-04", "-05"), "zones": zones() })));
    assert!(said.contains("startsAt"), "{said}");
}

#[test]
fn a_sale_opens_before_it_closes_and_closes_at_the_start() {
    let window = |opens: &str, closes: Option<&str>| {
        understood(&file(json!({ "startsAt": STARTS, "saleOpensAt": opens, "saleClosesAt": closes, "zones": zones() })))
    };
    assert!(window("2027-12-24T10:29:59Z", None).is_ok());
    assert!(window("2027-12-24T10:30:00Z", None).unwrap_err().contains("opens when the show has started"));
    assert!(window("2027-12-01T00:00:00Z", Some(STARTS)).is_ok());
    assert!(window("2027-12-01T00:00:00Z", Some("2027-12-24T10:30:01Z")).unwrap_err().contains("closes after"));
    assert!(
        window("2027-12-01T00:00:00Z", Some("2027-12-01T00:00:00Z")).unwrap_err().contains("closes before it opens")
    );
}

#[test]
fn seats_are_numbered_after_those_that_have_an_id() {
    let seat = |id: Option<u64>, name: &str| json!({ "seatId": id, "zoneName": "Z", "seatName": name, "price": 1 });
    let schedule = schedule(&seats(json!([seat(None, "a"), seat(Some(7), "b"), seat(None, "c")])));
    let ids: Vec<(u64, bool)> = schedule.seats.iter().map(|seat| (seat.seat.seat_id.get(), seat.has_id)).collect();
    assert_eq!(ids, [(8, false), (7, true), (9, false)]);
    assert!(refused(&seats(json!([seat(Some(7), "a"), seat(Some(7), "b")]))).contains("seatId 7 is named twice"));
    // One that was refused is not what the next one is held against.
    let thrice = refused(&seats(json!([seat(None, "a"), seat(None, "a"), seat(None, "a")])));
    assert_eq!(thrice.matches("people see \"a\"").count(), 2, "{thrice}");
}

#[test]
fn numbers_have_their_bounds() {
    let priced = |price: u64| understood(&seats(json!([{ "zoneName": "Z", "seatName": "1", "price": price }])));
    assert!(priced(1_000_000_000).is_ok());
    assert!(priced(1_000_000_001).unwrap_err().contains("costs 1000000001"));
    let per_user =
        |seats: u64| understood(&file(json!({ "startsAt": STARTS, "seatsPerUser": seats, "zones": zones() })));
    assert!(per_user(0).is_err() && per_user(1).is_ok() && per_user(4).is_ok() && per_user(5).is_err());
    let drawn = |x: Value, y: Value| {
        understood(&seats(json!([{ "zoneName": "Z", "seatName": "1", "price": 1, "x": x, "y": y }])))
    };
    assert!(drawn(json!(1.5), json!(-3)).is_ok() && drawn(Value::Null, Value::Null).is_ok());
    assert!(drawn(json!(1.5), Value::Null).is_err() && drawn(json!(1.000_01), json!(1)).is_err());
    let many = |seats: usize| {
        understood(&file(json!({ "startsAt": STARTS, "zones": [{ "zoneName": "Z", "price": 1, "seats": seats }] })))
    };
    assert!(many(MAX_SEATS_PER_IMPORT).is_ok());
    assert!(many(MAX_SEATS_PER_IMPORT + 1).unwrap_err().contains("1000000 seats"));
}

#[test]
fn every_mistake_is_told() {
    let mut bad = file(json!({ "startsAt": "tomorrow", "zones": zones() }));
    bad["concerts"][0]["artist"] = json!("");
    bad["concerts"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "concertName": "D", "artist": "B", "venue": "C", "schedules": [{ "startsAt": STARTS }] }));
    let said = refused(&bad);
    for part in ["concerts[0]: artist is empty", "concerts[1].schedules[0]: it has neither zones nor seats"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn the_same_content_has_the_same_name_however_it_is_written() {
    let one = json!({ "startsAt": STARTS, "zones": zones(), "seats": null });
    let same = json!({ "startsAt": "2027-12-24T19:30:00+09:00", "timeZone": "Asia/Seoul", "zones": zones() });
    let other = json!({ "startsAt": STARTS, "zones": [{ "zoneName": "Z", "price": 100, "seats": 4 }] });
    assert_eq!(listed(&file(one.clone())).import_id(), listed(&file(same)).import_id());
    assert_ne!(listed(&file(one)).import_id(), listed(&file(other)).import_id());
}
