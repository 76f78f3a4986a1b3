//! Idempotency keys: a repeated request gets the first answer, whichever node and run it reaches.

use super::*;

fn keyed(amount: u64, key: u8) -> Submission {
    let request = Fingerprint::new([u8::try_from(amount).unwrap(); 16]);
    let idempotency = Some(IdempotencyKey { key: Fingerprint::new([key; 16]), request });
    let action = charge(ANN, amount).into();
    Submission::new(Command { by: token(ANN), idempotency, action }, None)
}

#[tokio::test(start_paused = true)]
async fn thirty_two_requests_at_once_with_one_key_are_one_event_and_one_answer() {
    let (log, node) = sale().await;
    let asked: Vec<_> = (0..32)
        .map(|_| {
            let engine = node.engine.clone();
            tokio::spawn(async move { engine.submit(keyed(5, 1)).await.unwrap() })
        })
        .collect();
    let mut first = 0;
    for reply in asked {
        let reply = reply.await.unwrap();
        assert_eq!(reply.outcome, Ok(charged(ANN, 5, 5).answer()));
        first += usize::from(!reply.replayed);
    }
    assert_eq!((first, charges(&log, 5)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_known_after_a_restart_and_on_another_node() {
    let (log, node) = sale().await;
    let first = node.engine.submit(keyed(5, 1)).await.unwrap();
    node.ask(token(ANN), charge(ANN, 1)).await.unwrap().outcome.unwrap();
    let other = Node::start(&shared(&log)).await;
    let again = other.engine.submit(keyed(5, 1)).await.unwrap();
    assert_eq!(again, Reply { replayed: true, ..first });
}

#[tokio::test(start_paused = true)]
async fn the_same_key_for_another_request_is_refused() {
    let (log, node) = sale().await;
    node.engine.submit(keyed(5, 1)).await.unwrap().outcome.unwrap();
    let other = node.engine.submit(keyed(6, 1)).await.unwrap();
    assert_eq!(other.outcome, Err(Rejection::IdempotencyKeyReused));
    assert_eq!(charges(&log, 6), 0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_an_unknown_outcome_learns_what_happened() {
    let (log, node) = sale().await;
    log.fail(Fault::UnknownLanded);
    log.fail(Fault::Delay(COMMAND_DEADLINE + Duration::from_secs(1)));
    assert_eq!(node.engine.submit(keyed(5, 1)).await, Err(Undecided::OutcomeUnknown));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let retried = node.engine.submit(keyed(5, 1)).await.unwrap();
    assert_eq!((retried.outcome, retried.replayed), (Ok(charged(ANN, 5, 5).answer()), true));
    assert_eq!(charges(&log, 5), 1);
}
