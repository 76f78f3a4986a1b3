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

#[tokio::test]
async fn what_is_answered_as_refused_is_not_there_and_what_is_unknown_is_settled() {
    for (fault, expected, written) in [
        (Fault::NotReady, "unavailable", 0),
        (Fault::Conflict, "conflict", 0),
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
