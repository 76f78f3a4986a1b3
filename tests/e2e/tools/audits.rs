//! What happened, told and proved: every point, every seat, every rule.

use std::path::Path;
use std::sync::Arc;

use domain::{
    Event, Hold, HoldExpired, Points, PointsCharged, PointsEvent, Record, ReservationId, SaleEvent, SeatsHeld,
};
use reprise::log::{EventLog, SqliteLog};
use serde_json::{Value, json};

use super::{charge, document, found, hold, pay, said, stopped, tamper_in};
use crate::server::{Server, TOKEN_1};

#[tokio::test]
async fn a_statement_has_every_movement_and_agrees_with_all_else() {
    let folder = stopped().await;
    let statement = found(folder.path(), &["audit", "points", "--user", "42"]);
    let movements = statement["movements"].as_array().unwrap();
    let told: Vec<_> = movements.iter().map(|m| (m["kind"].as_str().unwrap(), m["amount"].as_i64().unwrap())).collect();
    assert_eq!(told, [("CHARGE", 500_000), ("PAYMENT", -400_000), ("REFUND", 400_000)]);
    let running: Vec<_> = movements.iter().map(|m| m["runningBalance"].as_i64().unwrap()).collect();
    assert_eq!(running, [500_000, 100_000, 500_000]);
    assert!(movements.iter().all(|m| m["requestId"].is_string() && m["hash"].as_str().unwrap().len() == 64));
    assert_eq!(
        (&statement["statement"], &statement["balance"], &statement["shown"]),
        (&json!(500_000), &json!(500_000), &json!(500_000))
    );
    let position = movements[1]["position"].to_string();
    let then = found(folder.path(), &["audit", "points", "--user", "42", "--as-of", &position]);
    assert_eq!((then["movements"].as_array().unwrap().len(), &then["balance"]), (2, &json!(100_000)));
    let (_, text, _) = said(folder.path(), &["audit", "points", "--user", "42"]);
    assert!(text.contains("-400,000") && text.contains("agree"), "{text}");
    assert_eq!(found(folder.path(), &["audit", "points", "--user", "9"])["movements"], json!([]));
    let (code, text, _) = said(folder.path(), &["audit", "points", "--user", "9"]);
    assert!(code == 0 && text.contains("this user never had points"), "{text}");
    found(folder.path(), &["projections", "rebuild", "all"]);
    tamper_in(folder.path(), "read-models.db", "UPDATE balances SET balance = 1 WHERE user_id = 43").await;
    let (code, text, _) = said(folder.path(), &["audit", "points", "--user", "42"]);
    let named = "WRONG: read models (balances): the table has user_id 43, balance 1,";
    assert!(code == 1 && text.contains("THEY DISAGREE") && text.contains(named), "{text}");
    let (_, text, _) = said(folder.path(), &["show", "wallet", "--user", "42", "--as-of", "2020-01-01T00:00:00Z"]);
    assert_eq!(text, "user 42 has 0 points before the first record\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_told_of_a_seat_that_was_held_in_it_and_of_the_room() {
    let server = Server::demo();
    let folder = server.folder();
    hold(&server, 1, TOKEN_1, &[7]).await.ok();
    assert_eq!(said(folder, &["sale", "pause", "--reason", "rain", "--resumes-at", "2099-01-01T00:00:00Z"]).0, 0);
    let (_, room, _) = said(folder, &["show", "room"]);
    assert!(room.contains("state          PAUSED") && room.contains("until 2099-01-01T00:00:00.000Z: rain"), "{room}");
    assert_eq!(said(folder, &["sale", "resume", "--reason", "sun"]).0, 0);
    assert_eq!(said(folder, &["room", "set", "--arrival-seconds", "60"]).0, 0);
    let times = ["--prequeue-from", "2098-01-01T00:00:00Z", "--opens-at", "2098-01-02T00:00:00Z"];
    assert_eq!(said(folder, &[&["opening", "announce", "--reason", "spring"], &times[..]].concat()).0, 0);
    let (_, room, _) = said(folder, &["show", "room"]);
    assert!(room.contains("within 60 s") && room.contains("opens at 2098-01-02T00:00:00.000Z"), "{room}");
    let (_, story, _) = said(folder, &["why", "--schedule", "296", "--seat", "7"]);
    assert!(story.contains("until 2099-01-01T00:00:00.000Z, and the hold's deadline stands still: rain"), "{story}");
    assert!(story.contains("the sale was resumed, and the hold lasts until") && story.contains(": sun"), "{story}");
}

#[tokio::test]
async fn a_seats_story_and_the_sales_are_told() {
    let folder = stopped().await;
    let why = |seat: &str| found(folder.path(), &["why", "--schedule", "296", "--seat", seat]);
    let events = |story: &Value| -> Vec<String> {
        let steps = story["steps"].as_array().unwrap().iter();
        steps.map(|step| step["event"].as_str().unwrap().to_owned()).collect()
    };
    let sold = why("2");
    let story = ["SeatsHeld", "ReservationPaid", "ReservationRefunded", "SeatsHeld", "ReservationPaid"];
    assert_eq!(events(&sold)[3..], story);
    assert_eq!((&sold["status"], &sold["steps"][7]["userId"]), (&json!("SOLD"), &json!(43)));
    assert!(sold["because"].as_str().unwrap().starts_with("user 43 paid"), "{sold}");
    assert_eq!((&why("1")["status"], &why("4")["status"]), (&json!("AVAILABLE"), &json!("HELD")));
    assert_eq!(events(&why("3"))[3..], ["SeatsHeld", "HoldCancelled"]);
    let (code, none) = document(folder.path(), &["why", "--schedule", "296", "--seat", "51"]);
    assert!(code == 1 && none["error"].as_str().unwrap().contains("no seat 51"), "{none}");

    let sales = found(folder.path(), &["show", "sales"]);
    let line = sales["sales"].as_array().unwrap().iter().find(|line| line["scheduleId"] == 296).unwrap();
    let counts = ["seatsTotal", "held", "sold", "refunded", "takings"].map(|name| &line[name]);
    assert_eq!(counts, [&json!(50), &json!(1), &json!(1), &json!(2), &json!(200_000)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_races_every_proof_holds() {
    let server = Arc::new(Server::demo());
    let people = (200..240).map(|user| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let token = server.token(user).await;
            charge(&server, user, &token, 1_000_000).await.ok();
            for seat in 1..=5 {
                let held = hold(&server, user, &token, &[seat]).await;
                if held.status == 200 {
                    let path = format!("/api/reservations/{}", held.ok()["reservationId"]);
                    if user % 3 == 0 {
                        server.delete(&path, &token).await.ok();
                        continue;
                    }
                    pay(&server, user, &token, &held).await.ok();
                    if user % 3 == 1 {
                        server.delete(&path, &token).await.ok();
                    }
                    return;
                }
            }
        })
    });
    for person in people.collect::<Vec<_>>() {
        person.await.unwrap();
    }
    // Whoever won the races: one sale stands, and one was taken back.
    for (user, seat) in [(300, 10), (301, 11)] {
        let token = server.token(user).await;
        charge(&server, user, &token, 1_000_000).await.ok();
        let held = hold(&server, user, &token, &[seat]).await;
        pay(&server, user, &token, &held).await.ok();
        if user == 301 {
            server.delete(&format!("/api/reservations/{}", held.ok()["reservationId"]), &token).await.ok();
        }
    }
    let audit = found(server.folder(), &["audit", "all"]);
    let proofs = audit["proofs"].as_array().unwrap();
    assert_eq!(proofs.len(), 10);
    assert!(proofs.iter().all(|proof| proof["ok"] == true && proof["checked"].as_u64() > Some(0)), "{audit}");
    let total = |name: &str| audit["totals"][name].as_i64().unwrap();
    assert_eq!(total("charged"), 42_000_000);
    assert_eq!(total("charged"), total("balances") + total("takings"));
    assert!(total("takings") > 0);
    assert_eq!(audit["readModels"][0]["differences"], json!([]));
}

/// Appends events that no server would have decided, each with a hash that is right.
async fn plant(folder: &Path, make: impl Fn(&Hold) -> Event) -> u64 {
    let log = SqliteLog::open(folder).await.unwrap();
    let records = log.read(domain::Position::START, 10_000).await.unwrap();
    let last_hold = records.iter().rev().find_map(|record| {
        let event = record.decode().unwrap().event;
        if let Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) = event { Some(hold) } else { None }
    });
    let (last, hold) = (records.last().unwrap(), last_hold.unwrap());
    let planted = Record::seal(&last.head(), last.recorded_at, &make(&hold), &domain::spec::metadata());
    log.append(&last.head(), std::slice::from_ref(&planted)).await.unwrap();
    log.into_one_file().await.unwrap();
    planted.position.get()
}

#[tokio::test]
async fn a_read_model_that_cannot_go_on_says_why() {
    let folder = stopped().await;
    found(folder.path(), &["projections", "rebuild", "all"]);
    // The history has the amount, which no other table has, and no column holds it.
    let position = plant(folder.path(), |hold| {
        Event::Points(PointsEvent::PointsCharged(PointsCharged {
            user_id: hold.user_id,
            amount: Points::new(u64::MAX),
            balance_after: Points::new(1_000),
            charged_at: hold.held_at,
        }))
    });
    let position = position.await;
    let (code, standing) = document(folder.path(), &["projections", "status"]);
    let states = ["balances", "point_history"].map(|name| {
        let standing = standing.as_array().unwrap().iter().find(|one| one["projection"] == name).unwrap();
        (standing["state"].as_str().unwrap(), standing["reason"].as_str().unwrap_or_default())
    });
    assert_eq!((code, states[0]), (1, ("behind", "")));
    let named = format!("projection point_history, position {position}: ");
    assert!(states[1].0 == "stopped" && states[1].1.starts_with(&named), "{states:?}");
}

#[tokio::test]
async fn what_breaks_a_rule_is_found_though_its_hash_is_right() {
    type Planted<'a> = (&'a str, &'a dyn Fn(&Hold) -> Event);
    let again = |hold: &Hold| Hold { reservation_id: hold.reservation_id.successor(), ..hold.clone() };
    let planted: [Planted; 4] = [
        ("noSeatSoldTwice", &|hold| Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold: again(hold) }))),
        ("noWalletBelowZero", &|hold| {
            Event::Points(PointsEvent::PointsCharged(PointsCharged {
                user_id: hold.user_id,
                amount: Points::new(1),
                balance_after: Points::new(1_000),
                charged_at: hold.held_at,
            }))
        }),
        ("paymentsHaveHolds", &|hold| {
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold: hold.clone(), expired_at: hold.held_at }))
        }),
        ("numbersAreConsecutive", &|hold| {
            let reservation_id = ReservationId::try_from(99).unwrap();
            Event::from(SeatsHeld { hold: Hold { reservation_id, ..again(hold) } })
        }),
    ];
    for (proof, event) in planted {
        let folder = stopped().await;
        let position = plant(folder.path(), event).await;
        let (code, audit) = document(folder.path(), &["audit", "all"]);
        assert_eq!((code, &audit["ok"], &audit["broken"]), (1, &json!(false), &Value::Null), "{proof}: {audit}");
        let found = audit["violations"].as_array().unwrap();
        assert!(found.iter().any(|v| v["proof"] == proof && v["position"] == position), "{proof}: {found:?}");
        let (code, verified) = document(folder.path(), &["log", "verify"]);
        assert_eq!((code, &verified["position"]), (1, &json!(position)), "{proof}");
    }
}
