//! What operators change while people buy: over their listener, by the program beside a server, and without one.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Answer, Server, TOKEN_1, TOKEN_2, reprise, rows, run};

const OPERATIONS: [&str; 3] = ["--demo", "--operations", "127.0.0.1:0"];
const SCHEDULE: &str = "/api/operations/schedules/1";

/// A demo with a listener for operators.
struct House {
    server: Server,
}

impl House {
    fn new() -> Self {
        Self { server: Server::start(&OPERATIONS) }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = self.server.ask_operations(path).build().unwrap().url().clone();
        Answer::of(reqwest::Client::new().request(method, url).json(&body)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, body).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, body).await
    }

    async fn look(&self, path: &str) -> Answer {
        Answer::of(self.server.ask_operations(path)).await
    }

    /// Charges the user and holds a seat of schedule 1.
    async fn hold(&self, token: &str, user: u64, seat: u64) -> Value {
        let charge = format!("/api/users/{user}/points/charge");
        self.server.post(&charge, token, json!({ "amount": 1_000_000 })).await.ok();
        let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": user, "seatId": seat });
        self.server.post("/api/concerts/reservation", token, hold).await.ok().clone()
    }

    async fn pay(&self, token: &str, held: &Value) {
        let (id, user, price) = (&held["reservationId"], &held["userId"], &held["totalPrice"]);
        let pay = json!({ "reservationId": id, "userId": user, "paymentAmount": price });
        self.server.post("/api/payments", token, pay).await.ok();
    }

    async fn seat(&self, seat: usize) -> Value {
        let all = self.server.get("/api/concerts/1/schedules/1/seats?status=all", TOKEN_2).await;
        all.ok()[seat - 1].clone()
    }

    /// The program on this server's folder; what it prints.
    fn run(&self, arguments: &[&str]) -> String {
        let (code, said, error) = run(reprise(self.server.folder(), arguments));
        assert_eq!(code, 0, "{arguments:?}: {said}{error}");
        said
    }

    fn is_proved(&self) {
        let audit: Value = serde_json::from_str(&self.run(&["audit", "all", "--json"])).unwrap();
        assert_eq!(audit["ok"], true, "{audit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_and_a_show_are_moved_and_every_date_says_so() {
    let house = House::new();
    let before = house.look(SCHEDULE).await.ok().clone();
    assert_eq!((&before["scheduleId"], &before["cancelled"]), (&json!(1), &Value::Null));
    let closes = json!({ "saleClosesAt": "2090-01-01T00:00:00Z", "reason": "later" });
    assert_eq!(house.patch(SCHEDULE, closes).await.problem(), (422, "invalid-request"));
    let moved = json!({ "saleClosesAt": "2090-01-01T09:00:00Z", "startsAt": "2090-01-01T10:30:00Z", "reason": "ill" });
    let after = house.patch(SCHEDULE, moved.clone()).await;
    let shown = [("startsAt", "2090-01-01T10:30:00.000Z"), ("concertDate", "2090-01-01"), ("concertTime", "19:30")];
    for (member, value) in shown {
        assert_eq!(after.ok()[member], value, "{member}");
    }
    assert_eq!(house.look(SCHEDULE).await.ok(), after.ok());
    let dates = house.server.get("/api/concerts/1/dates", "").await;
    assert_eq!(
        (&dates.ok()[0]["startsAt"], &dates.ok()[0]["concertDate"]),
        (&after.ok()["startsAt"], &json!("2090-01-01"))
    );
    let again = house.patch(SCHEDULE, moved).await;
    assert_eq!(again.header("log-position"), after.header("log-position"), "it is so already");
    for wrong in [
        json!({ "reason": "x" }),
        json!({ "startsAt": "2090-01-01T10:30:00Z" }),
        json!({ "startsAt": "soon", "reason": "x" }),
    ] {
        assert_eq!(house.patch(SCHEDULE, wrong.clone()).await.problem(), (422, "invalid-request"), "{wrong}");
    }
    let nowhere = json!({ "startsAt": "2090-01-01T10:30:00Z", "reason": "x" });
    assert_eq!(house.patch("/api/operations/schedules/999", nowhere).await.problem(), (404, "schedule-not-found"));
    assert_eq!(house.look("/api/operations/schedules/999").await.problem(), (404, "schedule-not-found"));
    let said = house.run(&["schedule", "move", "1", "--starts", "2091-01-01T10:30:00Z", "--reason", "still ill"]);
    assert!(said.contains("starts: 2091-01-01T10:30:00.000Z") && said.contains("position: "), "{said}");
    house.run(&["schedule", "window", "1", "--closes", "2091-01-01T10:00:00Z", "--reason", "more time"]);
    house.is_proved();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_changes_for_free_seats_and_for_no_hold() {
    let house = House::new();
    let held = house.hold(TOKEN_1, 1, 1).await;
    let zone = house.seat(1).await["zoneName"].clone();
    // A name is spelled here as a buyer may spell it.
    let spelled = format!(" {} ", zone.as_str().unwrap());
    let wanted = json!({ "zoneName": spelled, "price": 7, "reason": "a mistake" });
    let prices = format!("{SCHEDULE}/prices");
    let changed = house.patch(&prices, wanted).await;
    let priced = |zones: &Value| {
        zones.as_array().unwrap().iter().find(|one| one["zoneName"] == zone).unwrap()["priceFrom"].clone()
    };
    assert_eq!(priced(&changed.ok()["zones"]), 7);
    assert_eq!(house.seat(2).await["price"], 7);
    let dates = house.server.get("/api/concerts/1/dates", "").await;
    assert_eq!(priced(&dates.ok()[0]["zones"]), 7);
    house.pay(TOKEN_1, &held).await;
    let next = house.hold(TOKEN_2, 2, 2).await;
    assert_eq!(next["totalPrice"], 7);
    let nowhere = json!({ "zoneName": "no such zone", "price": 7, "reason": "x" });
    assert_eq!(house.patch(&prices, nowhere).await.problem(), (404, "zone-not-found"));
    let dear = json!({ "zoneName": "x", "price": 1_000_000_001, "reason": "x" });
    assert_eq!(house.patch(&prices, dear).await.problem(), (422, "invalid-request"));
    let zone = zone.as_str().unwrap();
    let said = house.run(&["schedule", "price", "1", "--zone", zone, "--price", "8", "--reason", "not so cheap"]);
    assert!(said.contains(&format!("zone {zone}: 8 points")), "{said}");
    let why = house.run(&["why", "--schedule", "1", "--seat", "2"]);
    assert!(why.contains("costs 7 points from now on: a mistake"), "{why}");
    house.is_proved();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_show_that_is_called_off_gives_everything_back() {
    let house = House::new();
    let paid = house.hold(TOKEN_1, 1, 1).await;
    house.pay(TOKEN_1, &paid).await;
    let held = house.hold(TOKEN_2, 2, 2).await;
    let cancel = format!("{SCHEDULE}/cancel");
    let off = house.post(&cancel, json!({ "reason": "the singer is ill" })).await;
    assert_eq!(off.ok()["cancelled"]["reason"], "the singer is ill");
    let mut cancelled = off.ok()["cancelled"].clone();
    while cancelled["holdsLeft"] != 0 || cancelled["paymentsLeft"] != 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        cancelled = house.look(SCHEDULE).await.ok()["cancelled"].clone();
    }
    let seats = house.look("/api/operations/seats?scheduleId=1&status=CANCELLED").await;
    assert_eq!(seats.ok()["seats"].as_array().unwrap().len(), 50);
    assert_eq!(cancelled["refunded"], 1);
    let dates = house.server.get("/api/concerts/1/dates", "").await;
    let date = &dates.ok()[0];
    assert_eq!((&date["cancelledAt"], &date["seatsAvailable"]), (&cancelled["at"], &json!(0)));
    assert_eq!(house.seat(1).await["status"], "CANCELLED");
    let user = house.look("/api/operations/users/1").await;
    assert_eq!((&user.ok()["balance"], &user.ok()["reservations"]), (&json!(1_000_000), &json!([])));
    let next = json!({ "concertId": 1, "scheduleId": 1, "userId": 2, "seatId": 3 });
    let refused = house.server.post("/api/concerts/reservation", TOKEN_2, next).await;
    assert_eq!(refused.problem(), (409, "schedule-cancelled"));
    let gone = house.server.get(&format!("/api/reservations/{}", held["reservationId"]), TOKEN_2).await;
    assert_eq!(gone.ok()["reservationStatus"], "CANCELLED");
    let move_it = json!({ "startsAt": "2090-01-01T10:30:00Z", "reason": "x" });
    assert_eq!(house.patch(SCHEDULE, move_it).await.problem(), (409, "schedule-cancelled"));
    let again = house.post(&cancel, json!({ "reason": "twice" })).await;
    assert_eq!(again.ok()["cancelled"]["reason"], "the singer is ill");
    let said = house.run(&["schedule", "show", "1"]);
    assert!(said.contains("called off at") && said.contains("refunded: 1"), "{said}");
    house.is_proved();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_put_right_by_naming_the_movement_that_was_wrong() {
    let house = House::new();
    let charged = house.server.post("/api/users/1/points/charge", TOKEN_1, json!({ "amount": 500 })).await;
    let position: u64 = charged.header("log-position").parse().unwrap();
    let adjustments = "/api/operations/users/1/adjustments";
    let mend = json!({ "amount": -200, "reason": "charged twice", "corrects": position });
    let mended = house.post(adjustments, mend).await;
    assert_eq!(mended.ok()["balance"], 300);
    let page = format!("/api/operations/users/1/points/history?minPosition={}", mended.header("log-position"));
    let history = house.look(&page).await;
    let last = &history.ok()[0];
    assert_eq!(
        (&last["kind"], &last["amount"], &last["reason"]),
        (&json!("ADJUSTMENT"), &json!(-200), &json!("charged twice"))
    );
    for wrong in [json!(1), json!(position + 1_000_000)] {
        let body = json!({ "amount": 1, "reason": "x", "corrects": wrong });
        assert_eq!(house.post(adjustments, body).await.problem(), (422, "invalid-request"), "{wrong}");
    }
    for amount in [json!(0), json!(1_000_000_001), json!(-1_000_000_001), json!(1.5)] {
        let body = json!({ "amount": amount, "reason": "x" });
        assert_eq!(house.post(adjustments, body).await.problem(), (422, "invalid-request"), "{amount}");
    }
    let too_much = house.post(adjustments, json!({ "amount": -301, "reason": "x" })).await;
    assert_eq!(too_much.problem(), (409, "insufficient-points"));
    let nobody = house.post("/api/operations/users/77/adjustments", json!({ "amount": 1, "reason": "x" })).await;
    assert_eq!(nobody.problem(), (404, "user-not-found"));
    let said = house.run(&["users", "adjust", "1", "--amount", "-50", "--reason", "again", "--idempotency-key", "k1"]);
    assert!(said.contains("balance: 250 points") && said.contains("position: "), "{said}");
    let again = house.run(&["users", "adjust", "1", "--amount", "-50", "--reason", "again", "--idempotency-key", "k1"]);
    assert_eq!(again, said, "it is done once");
    let audit = house.run(&["audit", "points", "--user", "1"]);
    assert!(audit.contains("ADJUSTMENT"), "{audit}");
    house.is_proved();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_something_that_people_can_read_wherever_it_is_printed() {
    let house = House::new();
    let head = house.look("/api/operations/head").await.ok()["position"].clone();
    for reason in ["", " ", "\u{200b}", "a\0b", "a\nb", "\u{1b}[2J", "a\u{202e}b"] {
        for (path, mut body) in [
            ("/api/operations/users/1/adjustments", json!({ "amount": 5 })),
            ("/api/operations/pause", json!({})),
            ("/api/operations/schedules/1/cancel", json!({})),
        ] {
            body["reason"] = reason.into();
            let refused = house.post(path, body).await;
            assert_eq!(refused.problem(), (422, "invalid-request"), "{path}: {reason:?}");
            assert_eq!(refused.body["errors"][0]["field"], "reason", "{path}: {reason:?}");
        }
    }
    let refused = house.ask(Method::DELETE, "/api/operations/opening?reason=%00", Value::Null).await;
    assert_eq!((refused.problem(), &refused.body["errors"][0]["field"]), ((422, "invalid-request"), &json!("reason")));
    assert_eq!(house.look("/api/operations/head").await.ok()["position"], head, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_came_in_is_charged_for_whom_the_house_knows() {
    let house = House::new();
    house.server.token(42).await;
    let charged = house.post("/api/operations/users/42/charges", json!({ "amount": 70 })).await;
    assert_eq!((&charged.ok()["chargedAmount"], &charged.ok()["currentBalance"]), (&json!(70), &json!(70)));
    let nobody = house.post("/api/operations/users/4242/charges", json!({ "amount": 70 })).await;
    assert_eq!(nobody.problem(), (404, "user-not-found"));
    assert_eq!(house.post("/api/operations/users/42/charges", json!({ "amount": 0 })).await.problem().0, 422);
    let said = house.run(&["users", "charge", "42", "--amount", "30"]);
    assert!(said.contains("the balance is 100 points"), "{said}");
    let actors = rows(
        house.server.folder(),
        "SELECT DISTINCT substr(json_extract(metadata, '$.actor'), 1, 5) FROM log WHERE type = 'PointsCharged' ORDER BY 1",
    );
    assert_eq!(actors.await, ["local", "opera"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_expelled_keeps_their_hold_and_joins_again_at_the_end() {
    let house = House::new();
    let token = house.server.token(42).await;
    let held = house.hold(&token, 42, 5).await;
    let expulsion = "/api/operations/users/42/expulsion";
    let expelled = house.post(expulsion, json!({ "reason": "a script" })).await;
    assert_eq!(expelled.ok()["token"]["status"], "EXPIRED");
    assert_eq!(expelled.ok()["reservations"][0]["reservationId"], held["reservationId"]);
    assert_eq!(house.server.get("/api/tokens/me", &token).await.problem(), (401, "token-expired"));
    let again = house.post(expulsion, json!({ "reason": "a script" })).await;
    assert_eq!(again.ok()["token"]["status"], "EXPIRED");
    assert_eq!(house.server.count("TokenExpired").await, 1);
    assert_eq!(house.post("/api/operations/users/4242/expulsion", json!({ "reason": "x" })).await.problem().0, 404);
    let token = house.server.token(42).await;
    assert_ne!(token, "");
    let said = house.run(&["users", "expel", "42", "--reason", "a script again"]);
    assert!(said.contains("token: EXPIRED"), "{said}");
    house.is_proved();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_ended_for_its_buyer() {
    let house = House::new();
    let (paid, held) = (house.hold(TOKEN_1, 1, 1).await, house.hold(TOKEN_2, 2, 2).await);
    house.pay(TOKEN_1, &paid).await;
    let path = |reservation: &Value| format!("/api/operations/reservations/{}/cancel", reservation["reservationId"]);
    let refunded = house.post(&path(&paid), json!({ "reason": "by telephone" })).await;
    assert_eq!(refunded.ok()["reservationStatus"], "REFUNDED");
    let cancelled =
        house.run(&["reservation", "cancel", &held["reservationId"].to_string(), "--reason", "by telephone"]);
    assert!(cancelled.contains("CANCELLED"), "{cancelled}");
    let again = house.post(&path(&paid), json!({ "reason": "by telephone" })).await;
    assert_eq!((again.ok(), again.header("log-position").is_empty()), (refunded.ok(), false));
    let nothing = house.post("/api/operations/reservations/999/cancel", json!({ "reason": "x" })).await;
    assert_eq!(nothing.problem(), (404, "reservation-not-found"));
    let why = house.run(&["why", "--schedule", "1", "--seat", "1"]);
    assert!(why.contains("was refunded by an operator: by telephone"), "{why}");
    house.is_proved();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_users_have_ids_of_their_own_no_name_is_looked_up() {
    let house = House::new();
    assert_eq!(house.look("/api/operations/users?sub=ann").await.problem(), (404, "user-not-found"));
    assert_eq!(house.look("/api/operations/users").await.problem(), (422, "invalid-request"));
    assert_eq!(house.post("/api/operations/users", json!({ "sub": "ann" })).await.problem(), (422, "invalid-request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_same_commands_change_the_log_themselves() {
    let house = House::new();
    let held = house.hold(TOKEN_1, 1, 1).await;
    house.pay(TOKEN_1, &held).await;
    let House { mut server } = house;
    assert!(server.terminate().success());
    let folder = server.folder();
    let run = |arguments: &[&str]| {
        let (code, said, error) = run(reprise(folder, arguments));
        assert_eq!(code, 0, "{arguments:?}: {said}{error}");
        said
    };
    run(&["schedule", "window", "1", "--closes", "2026-12-01T00:00:00Z", "--reason", "sold out soon"]);
    run(&["reservation", "cancel", "1", "--reason", "by telephone"]);
    run(&["users", "adjust", "1", "--amount", "5", "--reason", "for the trouble"]);
    run(&["users", "charge", "1", "--amount", "5"]);
    let expelled = run(&["users", "expel", "2", "--reason", "a script"]);
    assert!(expelled.contains("token: EXPIRED"), "{expelled}");
    let user: Value = serde_json::from_str(&run(&["users", "show", "1", "--json"])).unwrap();
    assert_eq!(user["balance"], 1_000_010);
    let off = run(&["schedule", "cancel", "1", "--reason", "the singer is ill"]);
    assert!(off.contains("called off at"), "{off}");
    run(&["projections", "repair", "balances", "--user", "1"]);
    let actors = rows(
        folder,
        "SELECT DISTINCT substr(json_extract(metadata, '$.actor'), 1, 6) FROM log WHERE type IN ('SaleWindowChanged', 'PointsAdjusted', 'ScheduleCancelled')",
    );
    assert_eq!(actors.await, ["local:"]);
    let audit: Value = serde_json::from_str(&run(&["audit", "all", "--json"])).unwrap();
    assert_eq!(audit["ok"], true, "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_wrong_are_set_right_while_all_else_serves() {
    let house = House::new();
    let held = house.hold(TOKEN_2, 2, 2).await;
    house.pay(TOKEN_2, &held).await;
    let end = house.look("/api/operations/head").await.ok()["position"].clone();
    house.look(&format!("/api/operations/users/2/points/history?minPosition={end}")).await.ok();
    // All tables have the same position before long.
    house.look(&format!("/api/operations/sales?minPosition={end}")).await.ok();
    spoil(&house, "UPDATE balances SET balance = 1 WHERE user_id = 2").await;
    spoil(&house, "DELETE FROM point_history WHERE user_id = 2 AND kind = 'CHARGE'").await;
    spoil(&house, "UPDATE seat_list SET price = 5, status = 'HELD' WHERE schedule_id = 1 AND seat_id IN (3, 4)").await;
    spoil(&house, "UPDATE sales SET sold = 40 WHERE schedule_id = 1").await;
    let repair = |name: &str, body: Value| {
        let path = format!("/api/operations/projections/{name}/repair");
        let house = &house;
        async move { house.post(&path, body).await }
    };
    for (name, whose, repaired) in [
        ("balances", json!({ "userId": 2 }), 1),
        ("balances", json!({ "userId": 2 }), 0),
        ("point_history", json!({ "userId": 2 }), 1),
        ("seat_list", json!({ "scheduleId": 1 }), 2),
        ("payments", json!({ "userId": 2 }), 0),
        ("reservations", json!({ "scheduleId": 1 }), 0),
    ] {
        let answer = repair(name, whose.clone()).await;
        assert_eq!(answer.ok()["repaired"], repaired, "{name} {whose}");
    }
    assert!(house.run(&["projections", "repair", "sales", "--schedule", "1"]).contains("1 of 1 rows"));
    assert_eq!(repair("nothing", json!({ "userId": 2 })).await.problem(), (404, "projection-not-found"));
    for wrong in [json!({}), json!({ "userId": 2, "scheduleId": 1 }), json!({ "userId": 0 })] {
        assert_eq!(repair("payments", wrong.clone()).await.problem(), (422, "invalid-request"), "{wrong}");
    }
    assert_eq!(repair("sales", json!({ "userId": 2 })).await.problem(), (422, "invalid-request"));
    house.run(&["projections", "verify"]);
}

/// Writes into the read models behind the server's back.
async fn spoil(house: &House, statement: &'static str) {
    use sqlx::ConnectOptions;
    let file = house.server.folder().join("read-models.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.unwrap();
    assert_ne!(sqlx::query(statement).execute(&mut connection).await.unwrap().rows_affected(), 0, "{statement}");
}
