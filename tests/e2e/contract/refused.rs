//! What routes refuse by their own rules: each route that declares it is asked for it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::older_logs::left_by;
use crate::server::{Answer, Server, TOKEN_1, TOKEN_2};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;
/// Who asks the operators' listener.
const OPERATOR: &str = "operator";
/// The most that a wallet holds, and the largest adjustment.
const MAX_BALANCE: u64 = 1_000_000_000_000;
const MAX_ADJUSTMENT: u64 = 1_000_000_000;

/// A server with both listeners.
struct House(Server);

impl House {
    fn demo() -> Self {
        Self(Server::start(&["--demo", "--operations", "127.0.0.1:0"]))
    }

    async fn ask(&self, who: &str, method: Method, path: &str, body: Value) -> Answer {
        let request = match who {
            OPERATOR => self.0.request_operations(method, path),
            token => self.0.request(method, path, token),
        };
        Answer::of(if body.is_null() { request } else { request.json(&body) }).await
    }

    /// A command of an operator, which is done.
    async fn operate(&self, method: Method, path: &str, body: Value) -> Answer {
        let answer = self.ask(OPERATOR, method, &format!("/api/operations{path}"), body).await;
        answer.ok();
        answer
    }

    async fn refuses(&self, who: &str, method: Method, path: &str, body: Value, code: &str) {
        let place = format!("{method} {path} of {who}");
        assert_eq!(self.ask(who, method, path, body).await.problem().1, code, "{place}");
    }

    /// User 2 holds a seat of a schedule.
    async fn hold(&self, schedule: u64, seat: u64) -> Answer {
        let hold = json!({ "concertId": 1, "scheduleId": schedule, "userId": 2, "seatId": seat });
        self.ask(TOKEN_2, POST, "/api/concerts/reservation", hold).await
    }
}

/// How a hold is paid.
fn payment(held: &Answer) -> Value {
    let hold = held.ok();
    json!({ "reservationId": hold["reservationId"], "userId": hold["userId"], "paymentAmount": hold["totalPrice"] })
}

/// So many milliseconds from now.
fn after(millis: i64) -> String {
    (Timestamp::now() + SignedDuration::from_millis(millis)).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_says_what_is_not_there() {
    let house = House::demo();
    let (price, why) = (json!({ "zoneName": "VIP", "price": 1, "reason": "x" }), json!({ "reason": "x" }));
    for (who, method, path, body, code) in [
        (OPERATOR, GET, "/api/operations/seats?scheduleId=9999", Value::Null, "schedule-not-found"),
        (
            OPERATOR,
            GET,
            "/api/operations/seats?scheduleId=1&asOf=1&minPosition=999999999",
            Value::Null,
            "read-model-behind",
        ),
        (OPERATOR, GET, "/api/operations/why?scheduleId=9999&seatId=1", Value::Null, "schedule-not-found"),
        (OPERATOR, GET, "/api/operations/why?scheduleId=1&seatId=9999", Value::Null, "seat-not-found"),
        (OPERATOR, PATCH, "/api/operations/schedules/9999/prices", price, "schedule-not-found"),
        (OPERATOR, POST, "/api/operations/schedules/9999/cancel", why, "schedule-not-found"),
        (OPERATOR, DELETE, "/api/operations/opening?reason=x", Value::Null, "opening-not-found"),
        (TOKEN_1, GET, "/api/concerts/99/schedules/1/map", Value::Null, "concert-not-found"),
        (TOKEN_1, GET, "/api/concerts/99/schedules/1/seats/stream", Value::Null, "concert-not-found"),
        (TOKEN_1, GET, "/api/concerts/1/schedules/9999/seats/stream", Value::Null, "schedule-not-found"),
        (TOKEN_1, GET, "/api/users/1/records/1", Value::Null, "record-not-found"),
        (TOKEN_1, DELETE, "/api/reservations/9999", Value::Null, "reservation-not-found"),
        (TOKEN_1, POST, "/api/reservations/9999/extension", Value::Null, "reservation-not-found"),
    ] {
        house.refuses(who, method, path, body, code).await;
    }
    for who in [OPERATOR, ""] {
        for path in ["/docs/nothing", "/problems/nothing", "/web/nothing"] {
            house.refuses(who, GET, path, Value::Null, "route-not-found").await;
        }
    }
    let without_a_page = House(Server::start(&["--demo", "--no-page"]));
    without_a_page.refuses("", GET, "/", Value::Null, "route-not-found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_state_that_a_command_needs_is_refused_by_the_name_of_its_state() {
    let house = House::demo();
    let left = house.0.token(50).await;
    house.ask(&left, DELETE, "/api/tokens/me", Value::Null).await.ok();
    house.refuses(&left, POST, "/api/tokens/me/arrival", Value::Null, "not-admitted").await;

    house.operate(POST, "/users/2/charges", json!({ "amount": 10_000_000 })).await;
    let held = house.hold(296, 1).await;
    let path = format!("/api/reservations/{}", held.ok()["reservationId"]);
    house.refuses(TOKEN_2, POST, &format!("{path}/extension"), Value::Null, "not-extendable").await;
    house.ask(TOKEN_2, DELETE, &path, Value::Null).await.ok();
    house.refuses(TOKEN_2, POST, "/api/payments", payment(&held), "reservation-not-payable").await;

    house.operate(POST, "/pause", json!({ "reason": "rain" })).await;
    assert_eq!(house.hold(296, 1).await.problem(), (409, "sale-paused"));
    house.operate(POST, "/resume", json!({ "reason": "sun" })).await;

    // A hold of a show that was called off can be paid no more, until the tick has cancelled it.
    let mut told = Vec::new();
    for schedule in 1..=20 {
        let held = house.hold(schedule, 1).await;
        house.operate(POST, &format!("/schedules/{schedule}/cancel"), json!({ "reason": "ill" })).await;
        told.push(house.ask(TOKEN_2, POST, "/api/payments", payment(&held)).await.problem().1.to_owned());
        if told.ends_with(&["schedule-cancelled".to_owned()]) {
            break;
        }
    }
    assert!(told.contains(&"schedule-cancelled".to_owned()), "{told:?}");

    // Once a show has begun, nothing is sold and nothing taken back. Who has paid has left the room.
    let held = house.hold(296, 1).await;
    house.ask(TOKEN_2, POST, "/api/payments", payment(&held)).await.ok();
    let begun = json!({
        "saleOpensAt": after(-2_000), "saleClosesAt": after(-1_000), "startsAt": after(-1_000), "reason": "now"
    });
    house.operate(PATCH, "/schedules/296", begun).await;
    let path = format!("/api/reservations/{}", held.ok()["reservationId"]);
    house.refuses(TOKEN_2, DELETE, &path, Value::Null, "not-on-sale").await;
    let hold = json!({ "concertId": 1, "scheduleId": 296, "userId": 1, "seatId": 2 });
    house.refuses(TOKEN_1, POST, "/api/concerts/reservation", hold, "not-on-sale").await;

    let other = json!({ "concertId": 1, "concertName": "Another", "artist": "A", "venue": "V", "schedules": [] });
    let catalogue = json!({ "concerts": [other] });
    house.refuses(OPERATOR, POST, "/api/operations/catalog?reason=x", catalogue, "catalog-conflict").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_is_full_takes_nothing_more_from_anybody() {
    let house = House::demo();
    let adjust = |amount: u64| json!({ "amount": amount, "reason": "a gift" });
    for _ in 0..MAX_BALANCE / MAX_ADJUSTMENT {
        house.operate(POST, "/users/1/adjustments", adjust(MAX_ADJUSTMENT)).await;
    }
    let one = json!({ "amount": 1 });
    for (who, path, body) in [
        (TOKEN_1, "/api/users/1/points/charge", one.clone()),
        (OPERATOR, "/api/operations/users/1/charges", one),
        (OPERATOR, "/api/operations/users/1/adjustments", adjust(1)),
    ] {
        house.refuses(who, POST, path, body, "balance-limit-reached").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_is_announced_once_begins_and_waits_for_its_beacon() {
    const OPENING: &str = "/api/operations/opening";
    let house = House::demo();
    let beacon = |digits: &str| json!({ "value": digits.repeat(32), "reason": "it has appeared" });
    let (begins, opens, appears) = (after(1_000), after(61_500), after(62_000));
    let announce = json!({ "prequeueFrom": begins, "opensAt": opens, "beaconSource": "a lottery", "beaconAt": appears,
        "reason": "spring" });
    house.operate(POST, "/opening", announce.clone()).await;
    house.refuses(OPERATOR, POST, OPENING, announce, "opening-exists").await;
    house.refuses(OPERATOR, POST, &format!("{OPENING}/beacon"), beacon("ab"), "beacon-not-due").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    house.refuses(OPERATOR, DELETE, &format!("{OPENING}?reason=x"), Value::Null, "opening-begun").await;
    // For nobody nothing would be drawn.
    house.0.token(60).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    let later =
        json!({ "opensAt": after(600_000), "beaconSource": "the next", "beaconAt": after(700_000), "reason": "x" });
    house.refuses(OPERATOR, PATCH, OPENING, later, "opening-begun").await;
    house.operate(POST, "/opening/beacon", beacon("ab")).await;
    house.refuses(OPERATOR, POST, &format!("{OPENING}/beacon"), beacon("cd"), "beacon-known").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_was_not_paid_in_time_is_over_for_everybody() {
    // Users 50 to 52 held reservations 25 to 27 when the first program stopped, long ago.
    let folder = left_by("first-versions");
    let house = House(Server::start_in(folder.path(), &["--identity", "open", "--operations", "127.0.0.1:0"]));
    let token = house.0.token(50).await;
    let pay = json!({ "reservationId": 25, "userId": 50, "paymentAmount": 90_000 });
    for (who, method, path, body) in [
        (&*token, POST, "/api/payments", pay),
        (&*token, DELETE, "/api/reservations/25", Value::Null),
        (&*token, POST, "/api/reservations/25/extension", Value::Null),
        (OPERATOR, POST, "/api/operations/reservations/26/cancel", json!({ "reason": "x" })),
    ] {
        house.refuses(who, method, path, body, "hold-expired").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_that_cannot_be_had_are_told_as_what_is_behind() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--demo", "--operations", "127.0.0.1:0"];
    assert!(Server::start_in(folder.path(), &arguments).terminate().success());
    for file in ["read-models.db", "read-models.db-wal", "read-models.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(file));
    }
    std::fs::create_dir(folder.path().join("read-models.db")).unwrap();
    let house = House(Server::start_in(folder.path(), &arguments));
    let projections = "/api/operations/projections";
    for (method, path, body) in [
        (GET, projections.to_owned(), Value::Null),
        (POST, format!("{projections}/sales/rebuild"), Value::Null),
        (POST, format!("{projections}/sales/repair"), json!({ "scheduleId": 1 })),
    ] {
        house.refuses(OPERATOR, method, &path, body, "read-model-behind").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_listener_turns_away_foreign_hosts_pages_and_headers_and_whoever_is_too_many() {
    let folder = crate::server::made(20_000);
    let house = House(Server::start_in(folder.path(), &["--identity", "open", "--operations", "127.0.0.1:0"]));
    for (header, value, code) in [
        ("Host", "evil.example", "host-not-allowed"),
        ("Origin", "http://evil.example", "origin-not-allowed"),
        ("Idempotency-Key", "not visible: ü", "malformed-header"),
    ] {
        let pause = house.0.request_operations(POST, "/api/operations/pause").header(header, value);
        assert_eq!(Answer::of(pause.json(&json!({ "reason": "x" }))).await.problem().1, code);
    }
    // Two at once may look at the past.
    let look = || house.ask(OPERATOR, GET, "/api/operations/seats?scheduleId=1&asOf=20000", Value::Null);
    let looked = futures_util::future::join_all((0..8).map(|_| look())).await;
    let told: Vec<u16> = looked.iter().map(|answer| answer.status.as_u16()).collect();
    assert!(told.contains(&200) && told.contains(&503), "{told:?}");
}
