//! The engine's bounds: lanes, batches, and who goes first.

use super::*;
use crate::log::{MAX_BATCH_BYTES, MAX_BATCH_COMMANDS};

/// A sale on a log that remembers its batches, and on which the next append takes a second.
async fn slow_sale() -> (Arc<Spy>, Node) {
    let spy = Arc::new(Spy { inner: MemoryLog::new(), batches: Mutex::default() });
    let log: Arc<dyn EventLog> = spy.clone();
    let node = Node::start(&log).await;
    node.open_sale().await;
    spy.inner.fail(Fault::Delay(Duration::from_secs(1)));
    submit(&node, submission(token(ANN), charge(ANN, 1)));
    tokio::time::sleep(Duration::from_millis(1)).await;
    spy.batches.lock().unwrap().clear();
    (spy, node)
}

fn submit(node: &Node, submission: Submission) -> JoinHandle<Result<Reply, Undecided>> {
    let engine = node.engine.clone();
    tokio::spawn(async move { engine.submit(submission).await })
}

fn join(number: u64) -> Submission {
    let user_id = user_id(number);
    submission(user(user_id), joining(user_id))
}

fn types(batch: &[Record]) -> Vec<&str> {
    batch.iter().map(|record| &*record.event_type).collect()
}

async fn decided(asked: Vec<JoinHandle<Result<Reply, Undecided>>>) -> (usize, usize) {
    let (mut taken, mut refused) = (0, 0);
    for reply in asked {
        match reply.await.unwrap() {
            Ok(_) => taken += 1,
            Err(undecided) => {
                assert_eq!(undecided, Undecided::Overloaded);
                refused += 1;
            }
        }
    }
    (taken, refused)
}

#[tokio::test(start_paused = true)]
async fn a_lane_holds_4096_commands_and_refuses_one_more_at_once() {
    let (_, node) = slow_sale().await;
    let charges = (0..=LANE_CAPACITY).map(|_| submit(&node, submission(token(ANN), charge(ANN, 1))));
    let joins = (0..=LANE_CAPACITY as u64).map(|number| submit(&node, join(1_000 + number)));
    let (charges, joins): (Vec<_>, Vec<_>) = (charges.collect(), joins.collect());
    assert_eq!(decided(charges).await, (LANE_CAPACITY, 1));
    assert_eq!(decided(joins).await, (LANE_CAPACITY, 1));
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_1024_commands_and_room_for_both_lanes() {
    let (spy, node) = slow_sale().await;
    let joins: Vec<_> = (0..2_000).map(|number| submit(&node, join(1_000 + number))).collect();
    let charges: Vec<_> = (0..2_000).map(|_| submit(&node, submission(token(ANN), charge(ANN, 1)))).collect();
    decided(joins).await;
    decided(charges).await;
    let batches = spy.batches.lock().unwrap();
    let full = batches.iter().find(|batch| !batch.is_empty()).unwrap();
    let charged = types(full).iter().filter(|name| **name == "PointsCharged").count();
    let joined = types(full).iter().filter(|name| **name == "TokenIssued").count();
    assert!(batches.iter().all(|batch| batch.len() <= MAX_BATCH_COMMANDS));
    // One place may be the tick's.
    assert!(charged + joined >= MAX_BATCH_COMMANDS - 1, "{charged} + {joined}");
    assert!(joined >= MAX_BATCH_COMMANDS / 4 && charged >= MAX_BATCH_COMMANDS / 2, "{charged}, {joined}");
}

#[tokio::test(start_paused = true)]
async fn many_who_join_do_not_push_a_payment_out() {
    let (spy, node) = slow_sale().await;
    let joins: Vec<_> = (0..4_000).map(|number| submit(&node, join(1_000 + number))).collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let charge = submit(&node, submission(token(ANN), charge(ANN, 9)));
    decided(joins).await;
    charge.await.unwrap().unwrap().outcome.unwrap();
    let batches = spy.batches.lock().unwrap();
    let first = batches.iter().find(|batch| !batch.is_empty()).unwrap();
    assert!(types(first).contains(&"PointsCharged"), "it is in the first batch after it came");
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_768_kib_at_most() {
    let (spy, node) = slow_sale().await;
    let wide = |schedule: u64| {
        let seats = (1..=1_000).map(|number| Seat { name: format!("{number:0>100}").into(), ..seat(number) }).collect();
        let schedule_id = ScheduleId::try_from(schedule).unwrap();
        submission(Credential::OPERATOR, AddSeats { concert_id: CONCERT, schedule_id, seats })
    };
    let asked: Vec<_> = (2..12).map(|schedule| submit(&node, wide(schedule))).collect();
    assert_eq!(decided(asked).await, (10, 0));
    let batches = spy.batches.lock().unwrap();
    let bytes: Vec<usize> = batches.iter().map(|batch| batch.iter().map(Record::size_bytes).sum()).collect();
    let most = *bytes.iter().max().unwrap();
    assert!(most <= MAX_BATCH_BYTES && most > MAX_BATCH_BYTES / 2, "{bytes:?}");
    let positions: Vec<u64> = spy.inner.records().iter().map(|record| record.position.get()).collect();
    assert!(positions.iter().copied().eq(1..=positions.len() as u64));
}
