//! What the log does to the engine, and what the engine makes of it.

use super::*;

#[tokio::test(start_paused = true)]
async fn on_a_conflict_the_others_events_are_folded_and_the_command_is_decided_again() {
    let (log, node) = sale().await;
    log.fail(Fault::Overtaken(Box::new(charged(ANN, 100, 100))));
    let reply = node.ask(token(ANN), charge(ANN, 1)).await.unwrap();
    assert_eq!(reply.outcome, Ok(charged(ANN, 1, 101).answer()));
    assert_eq!(charges(&log, 1), 1);
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_another_node_took_first_is_taken() {
    let (log, node) = sale().await;
    log.fail(Fault::Overtaken(Box::new(held(1, BOB, [1]))));
    let reply = node.ask(token(ANN), hold(ANN, 1)).await.unwrap();
    assert_eq!(reply.outcome, Err(Rejection::SeatTaken { seat_ids: vec![seat_id(1)] }));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_decided_on_a_head_that_was_read_after_the_command_came_in() {
    let (log, one) = sale().await;
    let two = Node::start(&shared(&log)).await;
    one.join(BOB).await;
    let reply = two.ask(token(BOB), charge(BOB, 1)).await.unwrap();
    assert_eq!(reply.outcome, Ok(charged(BOB, 1, 1).answer()));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_was_written_the_answer_says_so_and_the_next_command_works() {
    for fault in [Fault::Unavailable, Fault::Full] {
        let (log, node) = sale().await;
        log.fail(fault);
        assert_eq!(node.ask(token(ANN), charge(ANN, 1)).await, Err(Undecided::LogUnavailable));
        assert_eq!(charges(&log, 1), 0);
        assert!(node.engine.readiness().is_err());
        node.ask(token(ANN), charge(ANN, 2)).await.unwrap().outcome.unwrap();
        assert_eq!(charges(&log, 2), 1);
        assert!(node.engine.readiness().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_back_is_noticed_without_a_command() {
    let (log, node) = sale().await;
    log.fail(Fault::Unavailable);
    assert!(node.ask(token(ANN), charge(ANN, 1)).await.is_err());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(node.engine.readiness().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_append_whose_reply_was_lost_happens_once_wherever_it_was_lost() {
    for fault in [Fault::UnknownNeverLands, Fault::UnknownLanded, Fault::UnknownLandsLater] {
        let (log, node) = sale().await;
        log.fail(fault.clone());
        let reply = node.ask(token(ANN), charge(ANN, 3)).await.unwrap();
        assert_eq!(reply.outcome, Ok(charged(ANN, 3, 3).answer()), "{fault:?}");
        log.land();
        node.ask(token(ANN), charge(ANN, 1)).await.unwrap().outcome.unwrap();
        assert_eq!(charges(&log, 3), 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_lands_after_the_head_was_read_happens_once() {
    let (log, node) = sale().await;
    // The first attempt is still on its way when the second fails, and lands while the third finds out.
    log.fail(Fault::UnknownLandsLater);
    log.fail(Fault::Unavailable);
    log.fail(Fault::Overtaken(Box::new(charged(BOB, 9, 9))));
    let reply = node.ask(token(ANN), charge(ANN, 3)).await.unwrap();
    assert_eq!(reply.outcome, Ok(charged(ANN, 3, 3).answer()));
    log.land();
    assert_eq!(charges(&log, 3), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_that_anothers_record_settles_is_decided_again() {
    let (log, node) = sale().await;
    log.fail(Fault::UnknownNeverLands);
    log.fail(Fault::Overtaken(Box::new(charged(ANN, 100, 100))));
    let reply = node.ask(token(ANN), charge(ANN, 3)).await.unwrap();
    assert_eq!(reply.outcome, Ok(charged(ANN, 3, 103).answer()));
    assert_eq!(charges(&log, 3), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_is_not_settled_in_time_is_said_to_be_unknown_and_happens_once_at_most() {
    let (log, node) = sale().await;
    for _ in 0..1_000 {
        log.fail(Fault::UnknownNeverLands);
    }
    let engine = node.engine.clone();
    let late = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        engine.submit(submission(token(ANN), charge(ANN, 4))).await
    });
    assert_eq!(node.ask(token(ANN), charge(ANN, 3)).await, Err(Undecided::OutcomeUnknown));
    assert_eq!(late.await.unwrap(), Err(Undecided::LogUnavailable), "who comes meanwhile is told at once");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((charges(&log, 3), charges(&log, 4)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn everyone_who_joins_while_an_outcome_is_unknown_is_told_at_once() {
    let (log, node) = sale().await;
    for _ in 0..1_000 {
        log.fail(Fault::UnknownNeverLands);
    }
    let engine = node.engine.clone();
    let unknown = tokio::spawn(async move { engine.submit(submission(token(ANN), charge(ANN, 3))).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let joining = (10..3_010).map(|number| {
        let (engine, user_id) = (node.engine.clone(), UserId::try_from(number).unwrap());
        tokio::spawn(async move { engine.submit(submission(user(user_id), joining(user_id))).await })
    });
    for told in joining.collect::<Vec<_>>() {
        assert_eq!(told.await.unwrap(), Err(Undecided::LogUnavailable));
    }
    assert_eq!(unknown.await.unwrap(), Err(Undecided::OutcomeUnknown));
}

#[tokio::test]
async fn a_record_of_an_earlier_time_than_the_one_before_it_stops_the_server() {
    let (log, node) = sale().await;
    let head = log.head().await.unwrap();
    let early = Record::seal(&head, T0.plus_seconds(-1), &charged(EVE, 1, 1), &metadata());
    log.append(&head, &[early]).await.unwrap();
    let stopped = node.fatal().await.to_string();
    assert!(stopped.contains(&format!("position {}: its time is earlier", head.position.next())), "{stopped}");
}

#[tokio::test(start_paused = true)]
async fn a_command_past_its_deadline_before_it_is_decided_never_happens() {
    let (log, node) = sale().await;
    log.fail(Fault::Delay(COMMAND_DEADLINE + Duration::from_secs(1)));
    let engine = node.engine.clone();
    let sent = tokio::spawn(async move { engine.submit(submission(token(ANN), charge(ANN, 3))).await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(node.ask(token(ANN), charge(ANN, 4)).await, Err(Undecided::Overloaded));
    assert_eq!(sent.await.unwrap(), Err(Undecided::OutcomeUnknown));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((charges(&log, 3), charges(&log, 4)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_lost_a_race_after_its_deadline_is_dropped() {
    let (log, node) = sale().await;
    let foreign = charged(BOB, 9, 9);
    log.fail(Fault::UnknownNeverLands);
    log.fail(Fault::Delay(COMMAND_DEADLINE));
    let asked = {
        let engine = node.engine.clone();
        tokio::spawn(async move { engine.submit(submission(token(ANN), charge(ANN, 3))).await })
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    log.overtake(&foreign);
    assert_eq!(asked.await.unwrap(), Err(Undecided::OutcomeUnknown));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(charges(&log, 3), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_told_before_what_it_rests_on_is_durable() {
    let (log, node) = sale().await;
    node.join(BOB).await;
    log.fail(Fault::Delay(Duration::from_secs(1)));
    let started = Instant::now();
    let (won, lost) = tokio::join!(node.ask(token(ANN), hold(ANN, 1)), node.ask(token(BOB), hold(BOB, 1)));
    assert!(won.unwrap().outcome.is_ok());
    assert_eq!(lost.unwrap().outcome, Err(Rejection::SeatTaken { seat_ids: vec![seat_id(1)] }));
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_far_behind_gives_its_turn_back_before_it_reads_on() {
    const BEHIND: usize = 5_000;
    let spy = Arc::new(Spy { inner: MemoryLog::new(), batches: Mutex::default() });
    let log: Arc<dyn EventLog> = spy.clone();
    let node = Node::start(&log).await;
    node.open_sale().await;
    spy.batches.lock().unwrap().clear();
    // Nothing is awaited meanwhile, so the node has not followed when it is asked.
    (1..=BEHIND as u64).for_each(|balance| spy.inner.overtake(&charged(BOB, 1, balance)));
    node.ask(token(ANN), charge(ANN, 7)).await.unwrap().outcome.unwrap();
    let appended: Vec<usize> = spy.batches.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(appended, [1, 0, 1], "refused, given back, and again");
}

#[tokio::test(start_paused = true)]
async fn a_log_whose_storage_failed_stops_the_server() {
    let (log, node) = sale().await;
    log.fail(Fault::Broken);
    assert_eq!(node.ask(token(ANN), charge(ANN, 1)).await, Err(Undecided::OutcomeUnknown));
    assert!(matches!(node.fatal().await, Fatal::Broken(_)));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_rewound_stops_the_server_and_names_the_position() {
    let (log, node) = sale().await;
    let served = node.ask(token(ANN), charge(ANN, 1)).await.unwrap().position;
    log.truncate(Position::new(served.get() - 2));
    assert!(node.ask(token(ANN), charge(ANN, 1)).await.is_err());
    assert!(matches!(node.fatal().await, Fatal::Rewound { served: named } if named == served));
}

#[tokio::test(start_paused = true)]
async fn another_history_of_the_same_length_stops_the_server() {
    let (log, node) = sale().await;
    let served = node.ask(token(ANN), charge(ANN, 1)).await.unwrap().position;
    log.truncate(Position::new(served.get() - 1));
    log.overtake(&charged(BOB, 9, 9));
    log.overtake(&charged(BOB, 9, 18));
    assert!(matches!(node.fatal().await, Fatal::Rewound { served: named } if named == served));
}

/// A log that never hints at anything.
struct Silent(MemoryLog);

#[async_trait]
impl EventLog for Silent {
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

    async fn wait_past(&self, _: Position) {
        std::future::pending().await
    }

    fn is_shared(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_nobody_asks_and_that_hears_nothing_still_notices_what_became_of_its_log() {
    let log = MemoryLog::new();
    let silent: Arc<dyn EventLog> = Arc::new(Silent(log.clone()));
    let node = Node::start(&silent).await;
    node.open_sale().await;
    log.overtake(&charged(BOB, 9, 9));
    let others = log.records().last().unwrap().head();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(node.engine.read_models().state.head, others);
    log.truncate(Position::new(others.position.get() - 1));
    assert!(matches!(node.fatal().await, Fatal::Rewound { served } if served == others.position));
}

#[tokio::test(start_paused = true)]
async fn at_an_event_of_a_later_program_it_takes_no_more_commands_shows_what_was_before_and_starts_no_more() {
    let (log, node) = sale().await;
    log.overtake(&charged(BOB, 8, 8));
    let before = log.records().last().unwrap().head();
    log.overtake(&charged(BOB, 9, 17));
    log.edit(|records| {
        let last = records.last_mut().unwrap();
        last.event_type = "SeatsSwapped".into();
        last.metadata = last.metadata.replace("\"test\"", "\"99.1.0\"").into();
        *last = resealed(last, &before);
    });
    let position = log.records().last().unwrap().position;
    for _ in 0..3 {
        assert_eq!(node.ask(token(ANN), charge(ANN, 1)).await.unwrap_err(), Undecided::LogUnavailable);
    }
    assert_eq!(node.engine.read_models().state.head, before);
    let NotReady { told, .. } = node.engine.readiness().unwrap_err();
    for word in [&*format!("position {position}"), "SeatsSwapped", "99.1.0"] {
        assert!(told.contains(word), "{told}");
    }
    let error = replay(&shared(&log), |_| {}).await.err().unwrap().to_string();
    assert!(error.contains(&format!("position {position}")) && error.contains("SeatsSwapped"), "{error}");
    drop(node.engine);
    node.sequencer.await.unwrap().unwrap();
    assert_eq!(log.records().last().unwrap().position, position, "nothing was added");
}

/// The record with the hash that its bytes have.
fn resealed(record: &Record, before: &Head) -> Record {
    Record { hash: record.hash_after(&before.hash), ..record.clone() }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_log_is_refused_at_start_and_the_first_wrong_position_named() {
    let (log, node) = sale().await;
    node.ask(token(ANN), charge(ANN, 1)).await.unwrap().outcome.unwrap();
    let records = log.records();
    log.edit(|records| records[2].data = "{} ".into());
    let error = replay(&shared(&log), |_| {}).await.err().unwrap().to_string();
    assert!(error.contains("position 3"), "{error}");
    log.edit(|all| {
        *all = records;
        all.remove(3);
    });
    let error = replay(&shared(&log), |_| {}).await.err().unwrap().to_string();
    assert!(error.contains("position 4") && error.contains("missing"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_log_from_the_future_is_refused() {
    let (log, _) = sale().await;
    let replayed = replay(&shared(&log), |_| {}).await.unwrap();
    assert!(check_clock(&replayed.state, T0.plus_seconds(-60)).is_ok());
    let error = check_clock(&replayed.state, T0.plus_seconds(-61)).unwrap_err().to_string();
    assert!(error.contains("--accept-clock"), "{error}");
}
