//! The line: first come, first served, and what every token may do.

use std::time::Duration;

use serde_json::json;

use crate::server::{Answer, Server, TOKEN_1};

fn room_of(slots: &str) -> Server {
    Server::start(&["--demo", "--capacity", slots])
}

async fn status(server: &Server, token: &str) -> String {
    server.get("/api/tokens/me", token).await.ok()["status"].as_str().unwrap().to_owned()
}

/// Waits for the tick: what it does is due at once, and comes soon.
async fn becomes_active(server: &Server, token: &str) {
    for _ in 0..200 {
        if status(server, token).await == "ACTIVE" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody was let in");
}

#[tokio::test]
async fn the_line_is_served_in_order_and_who_waits_sees_no_seats() {
    let server = room_of("1");
    let inside = server.token(11).await;
    let second = server.post("/api/tokens", "", json!({ "userId": 12 })).await;
    let third = server.post("/api/tokens", "", json!({ "userId": 13 })).await;
    assert_eq!(
        (&second.ok()["status"], &second.ok()["queueNumber"], &second.ok()["ahead"]),
        (&json!("WAITING"), &json!(2), &json!(0))
    );
    assert_eq!((&third.ok()["queueNumber"], &third.ok()["ahead"]), (&json!(3), &json!(1)));
    let text = |answer: &Answer| answer.ok()["token"].as_str().unwrap().to_owned();
    let (second, third) = (text(&second), text(&third));

    let again = server.post("/api/tokens", "", json!({ "userId": 12 })).await;
    assert_eq!((text(&again), &again.ok()["queueNumber"]), (second.clone(), &json!(2)));
    let queue = server.get("/api/queue", "").await;
    let counts = ["servingNumber", "waiting", "active", "capacity"].map(|name| queue.ok()[name].as_u64().unwrap());
    assert_eq!((counts, &queue.ok()["state"]), ([1, 2, 1, 1], &json!("OPEN")));

    let refused = server.get("/api/concerts/1/schedules/1/seats", &third).await;
    assert_eq!(refused.problem(), (403, "not-admitted"));
    assert_eq!(
        (&refused.body["queueNumber"], &refused.body["servingNumber"], &refused.body["ahead"]),
        (&json!(3), &json!(1), &json!(1))
    );
    let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": 13, "seatId": 1 });
    assert_eq!(server.post("/api/concerts/reservation", &third, hold).await.problem(), (403, "not-admitted"));
    // Who waits may charge.
    server.post("/api/users/13/points/charge", &third, json!({ "amount": 1 })).await.ok();

    let left = server.delete("/api/tokens/me", &inside).await;
    assert_eq!(left.ok()["status"], "FINISHED");
    assert_eq!(server.delete("/api/tokens/me", &inside).await.ok()["status"], "FINISHED");
    becomes_active(&server, &second).await;
    assert_eq!(status(&server, &third).await, "WAITING");
}

#[tokio::test]
async fn a_payment_gives_its_slot_on() {
    let server = room_of("1");
    let buyer = server.token(11).await;
    let waiting = server.token(12).await;
    server.post("/api/users/11/points/charge", &buyer, json!({ "amount": 200_000 })).await.ok();
    let hold = json!({ "concertId": 1, "scheduleId": 1, "userId": 11, "seatId": 1 });
    let held = server.post("/api/concerts/reservation", &buyer, hold).await;
    assert_eq!(status(&server, &waiting).await, "WAITING");
    let pay = json!({ "reservationId": held.ok()["reservationId"], "userId": 11, "paymentAmount": 200_000 });
    server.post("/api/payments", &buyer, pay).await.ok();
    becomes_active(&server, &waiting).await;
}

#[tokio::test]
async fn the_demos_fixed_tokens_are_active_outside_the_line_and_granted_again_at_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path(), &["--demo", "--capacity", "0"]);
    assert!(server.output().contains("the waiting room has no slots"), "{}", server.output());
    let me = server.get("/api/tokens/me", TOKEN_1).await;
    assert_eq!(
        (&me.ok()["status"], &me.ok()["queueNumber"], &me.ok()["userId"]),
        (&json!("ACTIVE"), &json!(0), &json!(1))
    );
    assert_eq!(me.ok()["token"], TOKEN_1);
    assert_eq!(server.post("/api/tokens", "", json!({ "userId": 1 })).await.ok()["token"], TOKEN_1);
    server.get("/api/concerts/1/schedules/296/seats", TOKEN_1).await.ok();
    server.delete("/api/tokens/me", TOKEN_1).await.ok();
    assert_eq!(status(&server, TOKEN_1).await, "FINISHED");
    server.kill();

    let server = Server::start_in(folder.path(), &["--demo"]);
    let again = server.get("/api/tokens/me", TOKEN_1).await;
    assert_eq!((&again.ok()["status"], &again.ok()["tokenId"]), (&json!("ACTIVE"), &me.ok()["tokenId"]));
    assert_eq!(server.count("TokenGranted").await, 4, "one was left and granted again, two had a day left");
    assert_eq!(server.count("SchedulePublished").await, 360);
}
