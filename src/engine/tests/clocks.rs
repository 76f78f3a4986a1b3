//! A node whose clock is wrong takes no commands: deadlines are everyone's.

use super::*;

/// A sale whose log has a clock that shows the node's time.
async fn sale_with_a_clock() -> (MemoryLog, Node) {
    let log = MemoryLog::new();
    log.set_clock(T0);
    let node = Node::start(&shared(&log)).await;
    node.open_sale().await;
    (log, node)
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_clock_goes_wrong_decides_nothing_until_it_is_right() {
    for seconds in [-60, 60] {
        let (log, node) = sale_with_a_clock().await;
        node.clock.store(T0.plus_seconds(seconds).millis(), Ordering::Relaxed);
        assert_eq!(node.ask(token(ANN), charge(ANN, 1)).await, Err(Undecided::LogUnavailable));
        let why = node.engine.readiness().unwrap_err().told;
        assert!(why.contains("clock"), "{why}");
        log.set_clock(T0.plus_seconds(seconds));
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(node.engine.readiness(), Ok(()));
        node.ask(token(ANN), charge(ANN, 1)).await.unwrap().outcome.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_clock_jumps_ahead_lets_nothing_expire() {
    let (log, node) = sale_with_a_clock().await;
    node.ask(token(ANN), hold(ANN, 1)).await.unwrap().outcome.unwrap();
    let length = log.records().len();
    node.clock.store(T0.plus_seconds(3_600).millis(), Ordering::Relaxed);
    tokio::time::sleep(5 * TICK_INTERVAL).await;
    assert_eq!(log.records().len(), length);
}
