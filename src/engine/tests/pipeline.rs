//! While one batch is written, the next is decided on top of it: whatever becomes of the first.

use super::*;

/// How long the first batch is on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// Charges Ann 1 in a batch that takes a second and then comes to `fault`, and meanwhile asks for `later`.
async fn meanwhile(log: &MemoryLog, node: &Node, fault: Option<Fault>, later: Vec<Submission>) -> Vec<Answered> {
    log.fail(fault.map_or(Fault::Delay(ON_ITS_WAY), |fault| Fault::Late(ON_ITS_WAY, Box::new(fault))));
    let mut asked = vec![spawn(node, submission(token(ANN), charge(ANN, 1)))];
    tokio::time::sleep(Duration::from_millis(10)).await;
    for submission in later {
        asked.push(spawn(node, submission));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await.unwrap());
    }
    answers
}

type Answered = Result<Reply, Undecided>;

fn spawn(node: &Node, submission: Submission) -> JoinHandle<Answered> {
    let engine = node.engine.clone();
    tokio::spawn(async move { engine.submit(submission).await })
}

fn charges_of(amounts: impl IntoIterator<Item = u64>) -> Vec<Submission> {
    amounts.into_iter().map(|amount| submission(token(ANN), charge(ANN, amount))).collect()
}

fn balances(answers: &[Answered]) -> Vec<u64> {
    let balance = |answered: &Answered| {
        let answer = answered.as_ref().unwrap().outcome.as_ref().unwrap();
        let Answer::Charge(charge) = answer else { panic!("{answer:?}") };
        charge.balance_after.get()
    };
    answers.iter().map(balance).collect()
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_a_batch_is_written_is_one_batch_right_after_it() {
    let spy = Arc::new(Spy { inner: MemoryLog::new(), batches: Mutex::default() });
    let log: Arc<dyn EventLog> = spy.clone();
    let node = Node::start(&log).await;
    node.open_sale().await;
    let started = Instant::now();
    let answers = meanwhile(&spy.inner, &node, None, charges_of(2..=9)).await;
    assert_eq!(balances(&answers), [1, 3, 6, 10, 15, 21, 28, 36, 45]);
    assert_eq!(started.elapsed(), ON_ITS_WAY);
    // A node that nobody asks compares the head, which is a batch of nothing.
    let batches = spy.batches.lock().unwrap();
    let lengths: Vec<usize> = batches.iter().rev().map(Vec::len).filter(|length| *length > 0).take(2).collect();
    assert_eq!(lengths, [8, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_on_a_batch_that_never_was_is_decided_again() {
    let (log, node) = sale().await;
    let overtaken = Fault::Overtaken(Box::new(charged(ANN, 100, 100)));
    let answers = meanwhile(&log, &node, Some(overtaken), charges_of(2..=4)).await;
    assert_eq!(balances(&answers), [101, 103, 106, 110]);
    assert_eq!(charges(&log, 2), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_on_a_batch_that_was_not_written_is_not_told() {
    for fault in [Fault::Unavailable, Fault::Full] {
        let (log, node) = sale().await;
        let answers = meanwhile(&log, &node, Some(fault), charges_of(2..=4)).await;
        assert_eq!(answers[0], Err(Undecided::LogUnavailable));
        // The log works again, and they are decided without what was not written.
        assert_eq!(balances(&answers[1..]), [2, 5, 9]);
        assert_eq!((charges(&log, 1), charges(&log, 2)), (0, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_rests_on_a_batch_whose_reply_was_lost_happens_once_or_is_refused() {
    for fault in [Fault::UnknownLanded, Fault::UnknownNeverLands, Fault::UnknownLandsLater] {
        let (log, node) = sale().await;
        let answers = meanwhile(&log, &node, Some(fault.clone()), charges_of([2])).await;
        assert_eq!(balances(&answers[..1]), [1], "{fault:?}");
        assert_eq!(answers[1], Err(Undecided::LogUnavailable), "who waits while an outcome is unknown is told so");
        log.land();
        assert_eq!((charges(&log, 1), charges(&log, 2)), (1, 0), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_rests_on_a_batch_on_its_way_is_told_after_it() {
    let (log, node) = sale().await;
    node.join(BOB).await;
    log.fail(Fault::Delay(ON_ITS_WAY));
    let started = Instant::now();
    let won = spawn(&node, submission(token(ANN), hold(ANN, 1)));
    tokio::time::sleep(Duration::from_millis(10)).await;
    let lost = node.ask(token(BOB), hold(BOB, 1)).await.unwrap();
    assert_eq!(lost.outcome, Err(Rejection::SeatTaken { seat_ids: vec![seat_id(1)] }));
    assert!(started.elapsed() >= ON_ITS_WAY);
    assert!(won.await.unwrap().unwrap().outcome.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_decided_command_that_was_given_up_before_it_was_sent_never_happens() {
    let (log, node) = sale().await;
    log.fail(Fault::Delay(COMMAND_DEADLINE + Duration::from_secs(1)));
    let sent = spawn(&node, submission(token(ANN), charge(ANN, 1)));
    tokio::time::sleep(Duration::from_millis(10)).await;
    let given_up = spawn(&node, submission(token(ANN), charge(ANN, 2)));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let in_time = spawn(&node, submission(token(ANN), charge(ANN, 4)));
    assert_eq!(sent.await.unwrap(), Err(Undecided::OutcomeUnknown));
    assert_eq!(given_up.await.unwrap(), Err(Undecided::Overloaded));
    assert_eq!(balances(&[in_time.await.unwrap()]), [5]);
    assert_eq!((charges(&log, 1), charges(&log, 2), charges(&log, 4)), (1, 0, 1));
}
