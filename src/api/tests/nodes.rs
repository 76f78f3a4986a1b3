//! Another node's server, asked right after the first has answered: before it has read what that wrote.

use async_trait::async_trait;

use super::*;
use crate::log::{AppendError, ReadError};

/// A log that never says that it has grown.
pub struct Unheard(pub MemoryLog);

#[async_trait]
impl EventLog for Unheard {
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        self.0.append(expected, records).await
    }

    async fn compare_head(&self, expected: &Head) -> Result<(), AppendError> {
        self.0.compare_head(expected).await
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.0.read(after, limit).await
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.0.head().await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn wait_past(&self, _: Position) {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_token_of_another_node_is_known_at_once() {
    let one = Server::start(10).await;
    let two = one.beside().await;
    let token = one.token(ANN).await;
    assert_eq!(two.get("/api/tokens/me", &token).await.status, StatusCode::OK);
    let token = one.token(BOB).await;
    let balance = format!("/api/users/{BOB}/points/balance?minPosition=soon");
    assert_eq!(two.get(&balance, &token).await.problem(), "invalid-request", "and so what is wrong is told");
    let token = one.token(EVE).await;
    let amount = json!({ "amount": "much" });
    let charged = two.post(&format!("/api/users/{EVE}/points/charge"), &token, &amount).await;
    assert_eq!(charged.problem(), "invalid-request", "of a command, too");
}

#[tokio::test]
async fn a_token_that_another_node_admits_sees_the_seats_at_once() {
    let one = Server::start(1).await;
    let two = one.beside().await;
    let first = one.token(ANN).await;
    let waiting = one.token(BOB).await;
    let seats = format!("/api/concerts/{CONCERT}/schedules/{SCHEDULE}/seats");
    assert_eq!(two.get(&seats, &waiting).await.problem(), "not-admitted");
    one.delete("/api/tokens/me", &first).await;
    // The next tick, on whichever node, gives the slot on.
    while one.get(&seats, &waiting).await.status != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    assert_eq!(two.get(&seats, &waiting).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_reservation_of_another_node_is_found_at_once() {
    let one = Server::start_projecting(10).await;
    let two = one.beside().await;
    let token = one.token(ANN).await;
    let held = one.reserve(&token, ANN, &[1]).await;
    let path = format!("/api/reservations/{}", held.body["reservationId"]);
    assert_eq!(two.get(&path, &token).await.body, held.body);
}

#[tokio::test]
async fn a_refusal_that_cannot_be_held_against_the_log_is_not_given() {
    let one = Server::start(10).await;
    let two = one.beside().await;
    one.log.fail_reads(true);
    let unknown = two.get("/api/tokens/me", "96cdc907-fbae-4ebb-8c60-b27fa841b60d").await;
    assert_eq!(unknown.problem(), "log-unavailable");
    one.log.fail_reads(false);
    let unknown = two.get("/api/tokens/me", "96cdc907-fbae-4ebb-8c60-b27fa841b60d").await;
    assert_eq!(unknown.problem(), "token-unknown");
}
