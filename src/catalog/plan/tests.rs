//! What an import would do, on top of what others have done.

use domain::{Action, Command, Credential, State};
use serde_json::{Value, json};

use super::*;
use crate::catalog;
use crate::engine::rehearse;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const STARTS: &str = "2027-12-24T10:30:00Z";
const LATER: &str = "2027-12-25T10:30:00Z";

fn date(starts: &str, seats: u64) -> Value {
    json!({ "startsAt": starts, "zones": [{ "zoneName": "Z", "price": 100, "seats": seats }] })
}

fn concert(name: &str, dates: impl IntoIterator<Item = Value>) -> Value {
    let dates: Vec<Value> = dates.into_iter().collect();
    json!({ "concertName": name, "artist": "B", "venue": "C", "schedules": dates })
}

fn file(concerts: impl IntoIterator<Item = Value>) -> Value {
    json!({ "concerts": concerts.into_iter().collect::<Vec<_>>() })
}

/// What is published.
#[derive(Default)]
struct House(State);

impl House {
    fn with(file: &Value) -> Self {
        let mut house = Self::default();
        house.import(file);
        house
    }

    fn plan_with(&self, file: &Value, options: Options) -> Plan {
        catalog::plan(file.to_string().as_bytes(), &self.0.catalogue, options, NOW).unwrap()
    }

    fn plan(&self, file: &Value) -> Plan {
        self.plan_with(file, Options::default())
    }

    fn refused(&self, file: &Value) -> String {
        self.plan(file).check().unwrap_err().to_string()
    }

    /// Carries out the first commands of a plan; a power cut ends it.
    fn carry_out(&mut self, plan: Plan, commands: usize) {
        plan.check().unwrap();
        for portion in plan.into_portions(None).into_iter().take(commands) {
            let action = Action::ImportCatalogue(portion.import);
            rehearse(&mut self.0, &Command { by: Credential::OPERATOR, idempotency: None, action }, NOW).unwrap();
        }
    }

    fn import(&mut self, file: &Value) {
        self.carry_out(self.plan(file), usize::MAX);
    }

    /// Schedules that can be seen, with their seats.
    fn on_sale(&self) -> Vec<(u64, usize)> {
        let visible = self.0.catalogue.schedules().iter().filter(|(_, schedule)| schedule.visible_times().is_some());
        visible.map(|(id, schedule)| (id.get(), schedule.seats.values().count())).collect()
    }
}

#[test]
fn a_file_is_imported_once() {
    let file = file([concert("A", [date(STARTS, 3), date(LATER, 2)])]);
    let mut house = House::default();
    assert_eq!(house.plan(&file).added(), Added { concerts: 1, schedules: 2, seats: 5 });
    house.import(&file);
    assert_eq!(house.on_sale(), [(1, 3), (2, 2)]);
    assert!(house.plan(&file).is_empty());
    house.import(&file);
    assert_eq!(house.on_sale(), [(1, 3), (2, 2)]);
}

#[test]
fn what_is_known_is_known_under_another_spelling() {
    let house = House::with(&file([concert("Caf\u{e9}", [date(STARTS, 3)])]));
    assert!(house.plan(&file([concert(" Cafe\u{301} ", [date(STARTS, 3)])])).is_empty());
}

#[test]
fn another_date_goes_beside_the_first_where_the_file_has_both() {
    let mut house = House::with(&file([concert("A", [date(STARTS, 3)])]));
    house.import(&file([concert("A", [date(STARTS, 3), date(LATER, 3)])]));
    assert_eq!(house.on_sale(), [(1, 3), (2, 3)]);
}

#[test]
fn what_looks_like_a_corrected_name_is_asked_about() {
    let mut house = House::with(&file([concert("A", [date(STARTS, 3)])]));
    let corrected = file([concert("D", [date(STARTS, 3)])]);
    let said = house.refused(&corrected);
    assert!(said.contains("concertName") && said.contains("\"concertId\": 1") && said.contains("--new"), "{said}");
    let plan = house.plan_with(&corrected, Options { is_new: true });
    house.carry_out(plan, usize::MAX);
    assert_eq!(house.on_sale(), [(1, 3), (2, 3)]);
    assert!(house.plan(&corrected).is_empty());
}

#[test]
fn what_looks_like_a_corrected_date_is_asked_about() {
    let mut house = House::with(&file([concert("A", [date(STARTS, 3)])]));
    let corrected = file([concert("A", [date(LATER, 3)])]);
    let said = house.refused(&corrected);
    assert!(said.contains("schedule 1") && said.contains("2027-12-24T10:30:00") && said.contains("--new"), "{said}");
    let plan = house.plan_with(&corrected, Options { is_new: true });
    house.carry_out(plan, usize::MAX);
    assert_eq!(house.on_sale(), [(1, 3), (2, 3)]);
}

#[test]
fn other_concerts_and_other_halls_are_no_corrections() {
    let mut house = House::with(&file([concert("A", [date(STARTS, 3)])]));
    house.import(&file([concert("D", [date(LATER, 3)])]));
    house.import(&file([concert("A", [date(LATER, 9)])]));
    assert_eq!(house.on_sale(), [(1, 3), (2, 3), (3, 9)]);
}

#[test]
fn a_name_with_a_slip_of_the_hand_is_asked_about_whenever_it_is_played() {
    let house = House::with(&file([concert("Winter Reprise", [date(STARTS, 3)])]));
    assert!(house.refused(&file([concert("Winter Reprize", [date(LATER, 9)])])).contains("looks like concert 1"));
}

#[test]
fn a_member_that_differs_is_named_with_both_values() {
    let with_ids = |name: &str, artist: &str, price: u64, starts: &str| {
        let zones = json!([{ "zoneName": "Z", "price": price, "seats": 3 }]);
        let schedule = json!({ "scheduleId": 1, "startsAt": starts, "zones": zones });
        json!({ "concerts": [{ "concertId": 1, "concertName": name, "artist": artist, "venue": "C", "schedules": [schedule] }] })
    };
    let house = House::with(&with_ids("A", "B", 100, STARTS));
    let cases = [
        (with_ids("A", "D", 100, STARTS), ["concert 1", "artist", "\"B\"", "\"D\""]),
        (with_ids("D", "B", 100, STARTS), ["concert 1", "concertName", "\"A\"", "\"D\""]),
        (with_ids("A", "B", 120, STARTS), ["schedule 1", "price", "100", "120"]),
        (with_ids("A", "B", 100, LATER), ["schedule 1", "startsAt", "2027-12-24T10:30:00", "2027-12-25T10:30:00"]),
    ];
    for (file, words) in cases {
        let said = house.refused(&file);
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    }
}

#[test]
fn every_member_of_a_date_and_of_a_seat_is_compared() {
    let seat =
        json!({ "seatId": 1, "seatName": "1", "zoneName": "Z", "price": 5, "row": "R", "number": 7, "x": 1.5, "y": 2 });
    let good = file([concert(
        "A",
        [json!({
            "startsAt": STARTS, "timeZone": "Asia/Seoul", "saleOpensAt": "2027-01-01T00:00:00Z",
            "saleClosesAt": "2027-12-24T10:00:00Z", "seatsPerUser": 2, "seats": [seat]
        })],
    )]);
    let house = House::with(&good);
    assert!(house.plan(&good).is_empty());
    let spoiled = [
        ("timeZone", json!("Asia/Tokyo")),
        ("saleOpensAt", json!("2027-01-02T00:00:00Z")),
        ("saleClosesAt", json!("2027-12-24T10:01:00Z")),
        ("seatsPerUser", json!(3)),
    ];
    for (member, value) in spoiled {
        let mut bad = good.clone();
        bad["concerts"][0]["schedules"][0][member] = value;
        assert!(house.refused(&bad).contains(member), "{member}");
        // What the file leaves out is as it is.
        bad["concerts"][0]["schedules"][0][member] = Value::Null;
        assert!(house.plan(&bad).is_empty(), "{member}");
    }
    let spoiled = [
        ("seatName", json!("2")),
        ("zoneName", json!("Y")),
        ("price", json!(6)),
        ("row", json!("S")),
        ("number", json!(8)),
        ("x", json!(1.25)),
        ("y", json!(3)),
    ];
    for (member, value) in spoiled {
        let mut bad = good.clone();
        bad["concerts"][0]["schedules"][0]["seats"][0][member] = value;
        let said = house.refused(&bad);
        assert!(said.contains("seat 1 of schedule 1") && said.contains(member), "{member}: {said}");
    }
}

#[test]
fn the_seats_of_a_published_date_are_fixed() {
    let house = House::with(&file([concert("A", [date(STARTS, 3)])]));
    let more = house.refused(&file([concert("A", [date(STARTS, 5)])]));
    assert!(more.contains("without \"Z-4\" of zone \"Z\", \"Z-5\" of zone \"Z\""), "{more}");
    let fewer = house.refused(&file([concert("A", [date(STARTS, 2)])]));
    assert!(fewer.contains("with \"Z-3\" of zone \"Z\""), "{fewer}");
    assert_eq!(house.on_sale(), [(1, 3)]);
}

#[test]
fn seats_that_differ_in_one_way_are_told_once() {
    let house = House::with(&file([concert("A", [date(STARTS, 500)])]));
    let mut dear = date(STARTS, 500);
    dear["zones"][0]["price"] = json!(120);
    let said = house.refused(&file([concert("A", [dear])]));
    assert!(said.contains("and 499 more seats: price: published is 100, the file has 120"), "{said}");
}

#[test]
fn an_import_that_was_cut_off_is_finished_by_the_same_file_and_never_seen_else() {
    let large = file([concert("A", [date(STARTS, 30_000)])]);
    let count = House::default().plan(&large).into_portions(None).len();
    assert!(count > 2, "{count}");
    for commands in 0..=count {
        let mut house = House::default();
        house.carry_out(house.plan(&large), commands);
        assert_eq!(house.on_sale(), if commands < count { vec![] } else { vec![(1, 30_000)] });
        house.import(&large);
        assert_eq!(house.on_sale(), [(1, 30_000)], "after {commands} of {count} commands");
    }
}

#[test]
fn what_another_import_has_left_is_never_sold() {
    let large = file([concert("A", [date(STARTS, 30_000)])]);
    let small = file([concert("A", [date(STARTS, 10)])]);
    let mut house = House::default();
    house.carry_out(house.plan(&large), 2);
    house.import(&small);
    assert_eq!(house.on_sale(), [(2, 10)]);
    assert!(house.plan(&small).is_empty());
    // Now there is a date of that time, with other seats.
    assert!(house.refused(&large).contains("schedule 2"));
    assert_eq!(house.on_sale(), [(2, 10)]);
}

#[test]
fn an_id_that_another_import_has_begun_is_not_taken_over() {
    let with_id = |seats: u64| {
        let mut date = date(STARTS, seats);
        date["scheduleId"] = json!(7);
        file([concert("A", [date])])
    };
    let mut house = House::default();
    house.carry_out(house.plan(&with_id(30_000)), 2);
    let said = house.refused(&with_id(10));
    assert!(said.contains("an import of schedule 7"), "{said}");
    house.import(&with_id(30_000));
    assert_eq!(house.on_sale(), [(7, 30_000)]);
}

#[test]
fn a_killed_import_keeps_the_opening_that_it_was_planned_with() {
    let large = file([concert("A", [date(STARTS, 30_000)])]);
    let mut house = House::default();
    let count = house.plan(&large).into_portions(None).len();
    house.carry_out(house.plan(&large), count - 1);
    let hour_later = Timestamp::from_millis(NOW.millis() + 3_600_000);
    let plan = catalog::plan(large.to_string().as_bytes(), &house.0.catalogue, Options::default(), hour_later).unwrap();
    house.carry_out(plan, usize::MAX);
    assert_eq!(house.on_sale(), [(1, 30_000)]);
}

#[test]
fn a_plan_is_told_in_words() {
    let mut house = House::with(&file([concert("A", [date(STARTS, 3)])]));
    let both = file([concert("A", [date(STARTS, 3), date(LATER, 9)]), concert("D", [date(LATER, 1)])]);
    let said = house.plan(&both).to_string();
    for line in [
        "known concert 1: \"A\" of B at C",
        "  known date 1: 2027-12-24 19:30 Asia/Seoul, 3 seats",
        "  new date 2: 2027-12-25 19:30 Asia/Seoul, 9 seats",
        "new concert 2: \"D\" of B at C",
        "  new date 3: 2027-12-25 19:30 Asia/Seoul, 1 seat",
        "to import: 1 concert, 2 dates, 10 seats",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}:\n{said}");
    }
    let large = file([concert("E", [date(STARTS, 30_000)])]);
    house.carry_out(house.plan_with(&large, Options { is_new: true }), 1);
    let said = house.plan_with(&large, Options { is_new: true }).to_string();
    assert!(said.contains("unfinished date") && said.contains("of them published already"), "{said}");
    let shown = serde_json::to_value(house.plan(&both)).unwrap();
    assert_eq!((&shown["concerts"][1]["status"], &shown["added"]["seats"]), (&json!("NEW"), &json!(10)));
}

#[test]
fn many_dates_are_few_commands() {
    let concerts = (0..350).map(|number| {
        concert(
            &format!("Concert {number:03} of the year"),
            (1..=3).map(|day| date(&format!("2027-12-0{day}T10:30:00Z"), 50)),
        )
    });
    let plan = House::default().plan_with(&file(concerts), Options { is_new: true });
    assert_eq!(plan.added(), Added { concerts: 350, schedules: 1_050, seats: 52_500 });
    let commands = plan.into_portions(None).len();
    assert!(commands <= 16, "{commands}");
}
