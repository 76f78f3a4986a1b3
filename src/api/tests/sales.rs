//! Sales, as operators see them, against what buyers see of theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::*;

const USERS: u64 = 6;
/// How long anything may take to happen.
const SOON: Duration = Duration::from_secs(30);

/// What the reservations and payments of everyone come to, by schedule: held, sold, refunded, takings.
#[derive(Default)]
struct Books {
    schedules: BTreeMap<u64, [i64; 4]>,
    statuses: BTreeSet<String>,
}

impl Books {
    async fn of_everyone(server: &Server, at: Position) -> Self {
        let mut books = Self::default();
        for user_id in (1..=USERS).map(user_id) {
            let token = server.token(user_id).await;
            let of = |list: &str| format!("/api/users/{user_id}/{list}?limit=200&minPosition={at}");
            let (reservations, payments) = (of("reservations"), of("payments"));
            books.add(&server.get(&reservations, &token).await, &server.get(&payments, &token).await);
        }
        books
    }

    fn add(&mut self, reservations: &Answered, payments: &Answered) {
        let mut schedule_of = BTreeMap::new();
        for one in reservations.body.as_array().unwrap() {
            let (schedule, status) = (one["scheduleId"].as_u64().unwrap(), one["reservationStatus"].as_str().unwrap());
            let seats = one["seats"].as_array().unwrap().len() as i64;
            let [held, sold, refunded, takings] = self.schedules.entry(schedule).or_default();
            match status {
                "HELD" => *held += seats,
                "PAID" => *sold += seats,
                "REFUNDED" => {
                    *refunded += seats;
                    *takings -= one["totalPrice"].as_i64().unwrap();
                }
                over => assert!(["CANCELLED", "EXPIRED"].contains(&over), "{over}"),
            }
            self.statuses.insert(status.to_owned());
            schedule_of.insert(one["reservationId"].as_u64().unwrap(), schedule);
        }
        for one in payments.body.as_array().unwrap() {
            let schedule = schedule_of[&one["reservationId"].as_u64().unwrap()];
            self.schedules.entry(schedule).or_default()[3] += one["paymentAmount"].as_i64().unwrap();
        }
    }
}

/// Does one thing at random: holds, pays, gives up or takes back, charges; or time goes by.
async fn step(server: &Server, rng: &mut fastrand::Rng, reserved: &mut Vec<(UserId, u64, u64)>) {
    let user_id = user_id(rng.u64(1..=USERS));
    let token = server.token(user_id).await;
    match rng.u8(0..16) {
        0 => server.pass_seconds(100),
        1..=2 => drop(server.charge(&token, user_id, 500).await),
        3..=8 => {
            let first = rng.u64(1..SEATS);
            let seats = if rng.bool() { vec![first, first + 1] } else { vec![first] };
            let schedule = rng.u64(1..=2);
            let body = json!({ "concertId": 1, "scheduleId": schedule, "userId": user_id, "seatIds": seats });
            let held = server.post("/api/concerts/reservation", &token, &body).await;
            if held.status == StatusCode::OK {
                let number = |member: &str| held.body[member].as_u64().unwrap();
                reserved.push((user_id, number("reservationId"), number("totalPrice")));
            }
        }
        what => {
            let Some((user_id, id, price)) = rng.choice(reserved.iter().copied()) else { return };
            let token = server.token(user_id).await;
            if what < 14 {
                let pay = json!({ "reservationId": id, "userId": user_id, "paymentAmount": price });
                server.post("/api/payments", &token, &pay).await;
            } else {
                server.delete(&format!("/api/reservations/{id}"), &token).await;
            }
        }
    }
}

/// What operators are shown, by schedule.
async fn shown(server: &Server, at: Position) -> BTreeMap<u64, [i64; 4]> {
    let shown = server.operations(&format!("/api/operations/sales?minPosition={at}")).await;
    let line = |line: &Value| {
        assert_eq!((&line["concertId"], &line["seatsTotal"]), (&json!(1), &json!(10)));
        let counted = ["held", "sold", "refunded", "takings"].map(|member| line[member].as_i64().unwrap());
        (line["scheduleId"].as_u64().unwrap(), counted)
    };
    shown.body.as_array().unwrap_or_else(|| panic!("{shown:?}")).iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sales_are_what_all_reservations_and_payments_come_to() {
    let (server, engine) = Server::start_with(100).await;
    publish(&engine, SCHEDULE.successor()).await;
    tokio::spawn(server.projector.clone().run());
    let mut statuses = BTreeSet::new();
    for seed in 1..=3 {
        let (mut rng, mut reserved) = (fastrand::Rng::with_seed(seed), Vec::new());
        for _ in 0..200 {
            step(&server, &mut rng, &mut reserved).await;
        }
        let deadline = Instant::now() + SOON;
        loop {
            let at = server.log.head().await.unwrap().position;
            let books = Books::of_everyone(&server, at).await;
            let shown = shown(&server, at).await;
            if shown == books.schedules {
                statuses.extend(books.statuses);
                break;
            }
            // What is overdue is shown as expired at once, and free again only once the tick has come by.
            assert!(Instant::now() < deadline, "seed {seed}: {shown:?}, but {:?}", books.schedules);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), ["CANCELLED", "EXPIRED", "HELD", "PAID", "REFUNDED"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sales_are_shown_to_operators_only() {
    let server = Server::start_projecting(10).await;
    let ann = server.token(ANN).await;
    let held = server.reserve(&ann, ANN, &[1, 2]).await;
    let path = format!("/api/operations/sales?minPosition={}", held.header("log-position").unwrap());
    assert_eq!(server.get(&path, &ann).await.problem(), "route-not-found");
    let shown = server.operations(&path).await;
    assert_eq!(shown.header("log-position"), held.header("log-position"));
    let sold = json!([{ "concertId": 1, "scheduleId": 1, "seatsTotal": 10, "held": 2, "sold": 0, "refunded": 0, "takings": 0 }]);
    assert_eq!(shown.body, sold);
}
