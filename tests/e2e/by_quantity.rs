//! Seats by quantity, over HTTP: chosen, told whether they are together, refused in the contract's order, sold to the last.

use domain::spec::slow_choice;
use domain::{Points, Seat, SeatId, Together, Wanted};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Answer, Server, reprise, rows, run};

/// Rows of a length that leaves odd seats over, a row with odd numbers only, dear seats in the middle, standing.
fn house() -> Vec<Value> {
    let mut seats = Vec::new();
    let mut add = |zone: &str, row: Option<String>, number: Option<usize>, price: u64| {
        let name = format!("{}", seats.len() + 1);
        seats.push(json!({ "seatName": name, "zoneName": zone, "price": price, "row": row, "number": number }));
    };
    for row in 1..=6 {
        for number in 1..=11 {
            add("Floor", Some(format!("{row}")), Some(number), if number == 6 { 300 } else { 200 });
        }
    }
    (1..=7).for_each(|number| add("Balcony", Some("A".to_owned()), Some(2 * number - 1), 100));
    (0..13).for_each(|_| add("Floor", None, None, 50));
    seats
}

/// A server with that house, on sale.
fn on_sale(more: &Value) -> (TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let mut schedule = json!({ "startsAt": "2099-12-24T10:30:00Z", "seats": house() });
    schedule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let concert = json!({ "concertName": "A", "artist": "B", "venue": "C", "schedules": [schedule] });
    let file = folder.path().join("catalogue.json");
    std::fs::write(&file, json!({ "concerts": [concert] }).to_string()).unwrap();
    let data = folder.path().join("data");
    let (code, said, error) = run(reprise(&data, &["catalog", "import", file.to_str().unwrap()]));
    assert_eq!(code, 0, "{said}{error}");
    (folder, Server::start_in(&data, &["--identity", "open"]))
}

async fn hold(server: &Server, user: u64, wanted: Value) -> Answer {
    let token = server.token(user).await;
    let mut body = json!({ "concertId": 1, "scheduleId": 1, "userId": user });
    body.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone());
    server.post("/api/concerts/reservation", &token, body).await
}

fn ids(held: &Value) -> Vec<u64> {
    held["seats"].as_array().unwrap().iter().map(|seat| seat["seatId"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_pair_is_next_to_each_other_and_a_repeated_request_is_the_same_pair() {
    let (_folder, server) = on_sale(&json!({}));
    let held = hold(&server, 1, json!({ "quantity": 2 })).await;
    assert_eq!((ids(held.ok()), &held.ok()["nextToEachOther"]), (vec![5, 6], &json!(true)));
    assert_eq!(held.ok()["totalPrice"], 500);
    let by_id = hold(&server, 2, json!({ "seatId": 1 })).await;
    assert!(by_id.ok().get("nextToEachOther").is_none());

    let token = server.token(3).await;
    let body = json!({ "concertId": 1, "scheduleId": 1, "userId": 3, "quantity": 2 });
    let ask = || {
        let request = server.request(reqwest::Method::POST, "/api/concerts/reservation", &token);
        Answer::of(request.header("Idempotency-Key", "once").json(&body))
    };
    let (first, again) = (ask().await, ask().await);
    assert_eq!(first.ok()["seats"], again.ok()["seats"]);
    assert_eq!((again.header("Idempotent-Replayed"), &again.ok()["nextToEachOther"]), ("true", &json!(true)));
}

#[tokio::test]
async fn what_cannot_be_had_is_refused_in_order() {
    let (_folder, server) = on_sale(&json!({ "seatsPerUser": 3 }));
    assert_eq!(hold(&server, 1, json!({ "quantity": 1, "zoneName": "Pit" })).await.problem(), (404, "zone-not-found"));
    assert_eq!(hold(&server, 1, json!({ "quantity": 4 })).await.problem(), (409, "seat-limit-reached"));
    let cheap = json!({ "quantity": 2, "zoneName": "Balcony", "maxPrice": 99 });
    assert_eq!(hold(&server, 1, cheap).await.problem(), (409, "no-seats-left"));
    assert_eq!(hold(&server, 1, json!({ "quantity": 2, "seatId": 1 })).await.problem(), (422, "invalid-request"));
    // Of the balcony's seven, every other one goes.
    for (user, seat) in (2..).zip([68, 70, 72]) {
        hold(&server, user, json!({ "seatId": seat })).await.ok();
    }
    let together = json!({ "quantity": 2, "zoneName": "Balcony", "together": "REQUIRED" });
    let refused = hold(&server, 1, together).await;
    assert_eq!(refused.problem(), (409, "not-together"));
    assert_eq!(refused.body["largestBlock"], 1);
    let apart = hold(&server, 1, json!({ "quantity": 2, "zoneName": "Balcony" })).await;
    assert_eq!(apart.ok()["nextToEachOther"], false);
}

#[tokio::test]
async fn a_house_is_sold_to_its_last_seat_and_every_choice_is_the_slow_ones() {
    let (folder, server) = on_sale(&json!({}));
    let seats: Vec<Seat> = (1..).zip(house()).map(|(number, seat)| seat_of(number, &seat)).collect();
    let mut free = vec![true; seats.len()];
    let mut left = seats.len();
    for user in 1.. {
        if left == 0 {
            break;
        }
        let quantity = (1 + user as usize % 4).min(left);
        let (zone, max_price) = match user % 5 {
            0 => (Some("Floor"), None),
            1 => (None, Some(200)),
            _ => (None, None),
        };
        let body = json!({ "quantity": quantity, "zoneName": zone, "maxPrice": max_price });
        let wanted: serde_json::Map<_, _> = body
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let held = hold(&server, user, Value::Object(wanted)).await;
        let slowly = slow_choice(
            &seats,
            |seat_id| free[seat_id.get() as usize - 1],
            &Wanted {
                quantity,
                zone: zone.map(str::to_owned),
                max_price: max_price.map(Points::new),
                together: Together::Preferred,
            },
        );
        match slowly {
            Ok(chosen) => {
                let chosen: Vec<u64> = chosen.into_iter().map(SeatId::get).collect();
                assert_eq!(ids(held.ok()), chosen, "user {user}");
                chosen.iter().for_each(|seat| free[*seat as usize - 1] = false);
                left -= chosen.len();
            }
            Err(none) => assert_eq!(held.problem().1, "no-seats-left", "user {user}: {none:?}"),
        }
    }
    assert_eq!(hold(&server, 999, json!({ "quantity": 1 })).await.problem(), (409, "no-seats-left"));
    let held =
        rows(&folder.path().join("data"), "SELECT CAST(count(*) AS TEXT) FROM log WHERE type = 'SeatsHeld'").await;
    assert_ne!(held, ["0"]);
    drop(server);
    let (code, said, error) = run(reprise(&folder.path().join("data"), &["audit", "all"]));
    assert_eq!(code, 0, "{said}{error}");
}

fn seat_of(number: u64, seat: &Value) -> Seat {
    let text = |member: &str| seat[member].as_str();
    Seat {
        seat_id: SeatId::try_from(number).unwrap(),
        name: text("seatName").unwrap().into(),
        zone: text("zoneName").unwrap().into(),
        price: Points::new(seat["price"].as_u64().unwrap()),
        row: text("row").map(Into::into),
        number: seat["number"].as_u64().map(|number| number as u32),
        x: None,
        y: None,
    }
}

#[tokio::test]
async fn dates_tell_each_zone_s_prices_and_the_map_is_anyone_s_and_never_changes() {
    let (_folder, server) = on_sale(&json!({}));
    hold(&server, 1, json!({ "quantity": 2 })).await.ok();
    let dates = server.get("/api/concerts/1/dates", "").await;
    let floor = json!({ "zoneName": "Floor", "priceFrom": 50, "priceTo": 300, "seatsTotal": 79, "seatsAvailable": 77 });
    let balcony =
        json!({ "zoneName": "Balcony", "priceFrom": 100, "priceTo": 100, "seatsTotal": 7, "seatsAvailable": 7 });
    assert_eq!(dates.ok()[0]["zones"], json!([floor, balcony]));

    let path = "/api/concerts/1/schedules/1/map";
    let map = server.get(path, "").await;
    assert!(map.header("Cache-Control").contains("immutable"));
    assert_eq!(map.ok()["scheduleId"], 1);
    let zones = map.ok()["zones"].as_array().unwrap();
    assert_eq!((zones[0]["rows"].as_array().unwrap().len(), zones[0]["seats"].as_array().unwrap().len()), (6, 13));
    assert_eq!(zones[1]["rows"][0]["seats"][1], json!({ "seatId": 68, "seatName": "68", "number": 3 }));
    let etag = map.header("ETag").to_owned();
    hold(&server, 2, json!({ "quantity": 4 })).await.ok();
    let again = server.request(reqwest::Method::GET, path, "").header("If-None-Match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(server.get("/api/concerts/1/schedules/9/map", "").await.problem(), (404, "schedule-not-found"));
}
