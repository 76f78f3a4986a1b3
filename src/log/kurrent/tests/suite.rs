//! The conformance suite: as it is, and on a server that fails.

use kurrent_stand_in::Fault;

use super::*;
use crate::log::conformance::passes;

#[tokio::test]
async fn the_log_in_kurrentdb_conforms() {
    passes(Stream::fresh).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_sell_from_one_log_in_kurrentdb() {
    crate::engine::tests::nodes::pass(Stream::fresh).await;
}

/// As measured: a writer is told of the conflict milliseconds before readers see what caused it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_whose_cause_can_be_read_only_later_refuses_nobody() {
    let fresh = async || {
        let stream = Stream::on(StandIn::start().await);
        stream.stand_in().show_after(Duration::from_millis(12));
        stream
    };
    crate::engine::tests::nodes::pass(fresh).await;
}

#[tokio::test]
async fn after_a_conflict_what_caused_it_can_be_read() {
    let stream = Stream::on(StandIn::start().await);
    let (fast, slow) = (stream.log().await, stream.log().await);
    stream.stand_in().show_after(Duration::from_millis(50));
    let records = crate::log::conformance::chain(&Head::EMPTY, 3);
    let appending = tokio::spawn({
        let records = records.clone();
        async move { fast.append(&Head::EMPTY, &records).await }
    });
    while stream.stand_in().length(&stream.name) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let others = crate::log::conformance::chain(&Head::EMPTY, 1);
    assert_eq!(slow.append(&Head::EMPTY, &others).await, Err(AppendError::Conflict));
    assert_eq!(slow.read(Position::START, 9).await.unwrap(), records);
    assert_eq!(appending.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn what_is_answered_as_refused_is_not_there_and_what_is_unknown_is_settled() {
    for (fault, expected, written) in [
        (Fault::NotReady, "unavailable", 0),
        // What caused it never comes.
        (Fault::Conflict, "unavailable", 0),
        (Fault::TimedOut, "unknown", 0),
        (Fault::LandsLate(Duration::from_secs(600)), "unknown", 0),
        (Fault::ReplyLost, "unknown", 2),
        (Fault::Silent, "unknown", 2),
    ] {
        let stream = Stream::on(StandIn::start().await);
        let log = KurrentLog::open_with(&stream.url(), QUICK).await.unwrap();
        let records = crate::log::conformance::chain(&Head::EMPTY, 2);
        stream.stand_in().fail(fault);
        let outcome = log.append(&Head::EMPTY, &records).await.unwrap_err();
        assert_eq!(
            (outcome.name(), stream.stand_in().length(&stream.name)),
            (expected, written),
            "{fault:?}: {outcome}"
        );
        assert_eq!(settle(&log, &Head::EMPTY, &records).await, Settled::Written, "{fault:?}");
        assert_eq!(whole(&log).await, records, "{fault:?}");
    }
}
