//! A sale over three nodes, which are killed meanwhile: every seat is sold, and none twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::cluster::Cluster;
use super::shopper::Shopper;

const SEATS: u64 = 100;
/// How many want one, unless `REPRISE_TEST_BUYERS` says otherwise; measured once with 10,000.
const BUYERS: u64 = 400;
/// How many seats somebody tries who finds each of them taken. Every seat is somebody's favourite, so all are sold.
const TRIES: u64 = 10;
/// How many are at it at the same time.
const AT_ONCE: usize = 64;

fn catalogue() -> String {
    let day = 86_400;
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let starts_at = format!("{}", jiff::Timestamp::from_second((now + day) as i64).unwrap());
    let zones = json!([{ "zoneName": "Floor", "price": 90_000, "seats": SEATS }]);
    let schedules = json!([{ "scheduleId": 1, "startsAt": starts_at, "zones": zones }]);
    let concert = json!({ "concertId": 1, "concertName": "C", "artist": "A", "venue": "V", "schedules": schedules });
    json!({ "concerts": [concert] }).to_string()
}

/// Tries seat after seat, beginning with their own favourite, and pays the first that they get.
async fn buy(shopper: &Shopper) -> Option<u64> {
    shopper.join().await;
    shopper.charge(90_000).await;
    for offset in 0..TRIES {
        let seat = (shopper.user + offset * 7) % SEATS + 1;
        let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": shopper.user, "seatId": seat });
        let held = shopper.command(Method::POST, "/api/concerts/reservation", hold.clone()).await;
        if held.status == 409 {
            assert_eq!(held.problem().1, "seat-taken");
            continue;
        }
        let again = shopper.command(Method::POST, "/api/concerts/reservation", hold).await;
        assert_eq!(again.ok()["reservationId"], held.ok()["reservationId"], "its own seat is not taken");
        let (id, price) = (&held.ok()["reservationId"], &held.ok()["totalPrice"]);
        let pay = json!({ "reservationId": id, "userId": shopper.user, "paymentAmount": price });
        shopper.command(Method::POST, "/api/payments", pay).await.ok();
        return Some(seat);
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn every_seat_is_sold_once_over_three_nodes_that_are_killed_meanwhile() {
    let Some(server) = private_postgres::shared() else { return };
    let database = server.database();
    let buyers = std::env::var("REPRISE_TEST_BUYERS").map_or(BUYERS, |buyers| buyers.parse().unwrap());
    let cluster = Arc::new(Cluster::start(&database, 3));
    cluster.import(&catalogue());
    let next = Arc::new(AtomicU64::new(1));
    let buying = (0..AT_ONCE).map(|_| {
        let (next, nodes) = (Arc::clone(&next), Arc::clone(cluster.nodes()));
        tokio::spawn(async move {
            let mut sold = Vec::new();
            loop {
                let user = next.fetch_add(1, Ordering::Relaxed);
                if user > buyers {
                    return sold;
                }
                sold.extend(buy(&Shopper::new(user, &nodes)).await.map(|seat| (seat, user)));
            }
        })
    });
    let buying: Vec<_> = buying.collect();
    let mut kills = 0;
    while next.load(Ordering::Relaxed) < buyers {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let cluster = Arc::clone(&cluster);
        tokio::task::spawn_blocking(move || cluster.restart(kills % 3)).await.unwrap();
        kills += 1;
    }
    let mut sold = BTreeMap::new();
    for buyer in buying {
        for (seat, user) in buyer.await.unwrap() {
            assert_eq!(sold.insert(seat, user), None, "seat {seat} was sold twice");
        }
    }
    assert!(kills > 0);
    assert_eq!(sold.len() as u64, SEATS);
    let paid = "SELECT count(DISTINCT data::json #>> '{hold,seats,0,seat_id}') || ' of ' || count(*) FROM log \
                WHERE type = 'ReservationPaid'";
    assert_eq!(server.sql(database.rsplit('/').next().unwrap(), paid), format!("{SEATS} of {SEATS}"));
    cluster.audit();
}
