//! An opening on several nodes: it is closed once and drawn once, whoever comes to it first.

use super::*;

/// The seed that every node's key makes.
fn seeds() -> Seeds {
    Arc::new(|log_id, nonce| {
        let log_id = u8::from(!log_id.is_nil());
        Hash::new([nonce.as_bytes()[0] + log_id; 32])
    })
}

async fn node(log: &Arc<dyn EventLog>) -> Node {
    let clock = Arc::new(AtomicI64::new(T0.millis()));
    let time = Arc::clone(&clock);
    let now: Clock = Arc::new(move || Timestamp::from_millis(time.load(Ordering::Relaxed)));
    let replayed = replay(log, |_| {}).await.unwrap();
    let (engine, sequencer) = Engine::new(Arc::clone(log), replayed, now, Uuid::new_v4());
    let sequencer = tokio::spawn(sequencer.with_seeds(seeds()).run());
    Node { engine, clock, sequencer }
}

fn count(log: &MemoryLog, event_type: &str) -> usize {
    log.records().iter().filter(|record| record.event_type == event_type).count()
}

#[tokio::test(start_paused = true)]
async fn of_several_nodes_at_the_opening_time_one_closes_and_one_draws_with_the_seed_that_was_committed_to() {
    let (log, first) = sale().await;
    drop(first);
    let (one, two) = (node(&shared(&log)).await, node(&shared(&log)).await);
    let seed = seeds()(&one_log_id(&log), &Nonce::new([7; 16]));
    let announce = ScheduleOpening {
        prequeue_from: T0,
        opens_at: T0.plus_seconds(60),
        beacon: None,
        nonce: Nonce::new([7; 16]),
        commitment: draw::commitment(&seed),
        reason: "spring".to_owned(),
    };
    one.ask(OPERATOR, announce).await.unwrap().outcome.unwrap();
    for number in 10..14 {
        let node = if number % 2 == 0 { &one } else { &two };
        node.join(user_id(number)).await;
    }
    assert_eq!(count(&log, "TokenAdmitted"), 0);
    for node in [&one, &two] {
        node.clock.store(T0.plus_seconds(60).millis(), Ordering::Relaxed);
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let counts = ["EntryClosed", "QueueDrawn", "TokenAdmitted"].map(|event_type| count(&log, event_type));
    assert_eq!(counts, [1, 1, 4]);
}

/// The log's own name.
fn one_log_id(log: &MemoryLog) -> Uuid {
    log.records()[0].decode().unwrap().event.log_created().unwrap().log_id
}
