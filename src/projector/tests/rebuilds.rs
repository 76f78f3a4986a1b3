//! Built anew while others sell: beside the live one, swapped in, and equal to it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::RecordedEvent;
use projections::sql::store::Slot;
use projections::sql::{Change, Fold, OutOfRange, balances, compare, point_history};

use super::*;
use crate::projector::follow::RETRY_PAUSE;

/// Enough for more than 100,000 commands.
const EVENTS: u64 = 125_000;

#[tokio::test]
async fn a_rebuild_that_is_asked_for_before_there_is_a_database_waits_for_it_and_another_name_is_none() {
    for place in Place::each() {
        let log = MemoryLog::new();
        let node = place.start(&log);
        let rebuilding = node.rebuild("all");
        assert!(node.projector.rebuild("weather").is_none());
        // A minute in which nothing is opened, because the log has no first record.
        tokio::time::pause();
        for _ in 0..60 {
            tokio::time::advance(RETRY_PAUSE).await;
        }
        tokio::time::resume();
        append(&log, charges(1..=10)).await;
        node.catches_up(&log).await;
        assert_eq!(built(rebuilding).await, Ok(11));
        node.stop().await;
    }
}

#[tokio::test]
async fn what_a_killed_build_left_is_thrown_away_by_the_next_to_open_and_a_running_build_is_left_alone() {
    let model = &point_history::MODEL;
    let building = async |place: &Place| {
        let mut looking = place.location.look(LOG_ID).await.unwrap().unwrap();
        let checkpoint = store::checkpoint(&mut looking.begin_reading().await.unwrap(), model, Slot::Building).await;
        checkpoint.unwrap().is_some()
    };
    for place in Place::each() {
        let (mut builder, readers) = place.location.open(LOG_ID).await.unwrap();
        assert!(store::start_building(&mut builder).await.unwrap());
        let mut transaction = builder.begin().await.unwrap();
        store::create(&mut transaction, model, Slot::Building, LOG_ID).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(building(&place).await);
        if let Location::Servers(_) = &place.location {
            // Another node's: a file has no other.
            Database::open(&place.location, LOG_ID).await.unwrap().close().await.unwrap();
            assert!(building(&place).await, "the build of another node was thrown away");
        }
        readers.close().await;
        builder.close().await.unwrap();
        Database::open(&place.location, LOG_ID).await.unwrap().close().await.unwrap();
        assert!(!building(&place).await, "what nobody builds any more was left");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_rebuilt_while_a_hundred_thousand_commands_go_on_equals_what_is_live() {
    for place in Place::each() {
        let (log, live) = (MemoryLog::new(), Place::file());
        let (node, witness) = (place.start(&log), live.start(&log));
        let making = tokio::spawn({
            let log = log.clone();
            async move { crate::tools::make_log_in(&log, EVENTS, 7).await }
        });
        let mut rebuilds = 0;
        // One of each at least, however fast the machine makes events.
        while !making.is_finished() || rebuilds < 3 {
            built(node.rebuild(["all", "sales", "seat_list"][rebuilds % 3])).await.unwrap();
            rebuilds += 1;
        }
        making.await.unwrap();
        let commands: BTreeSet<_> =
            log.records().iter().map(|record| record.decode().unwrap().metadata.command_id).collect();
        assert!(commands.len() >= 100_000, "{} commands", commands.len());
        node.catches_up(&log).await;
        witness.catches_up(&log).await;
        node.stop().await;
        witness.stop().await;

        place.assert_right(&log).await;
        let log_id = log.id().await.unwrap().unwrap();
        let (mut rebuilt, mut live) =
            (place.location.look(log_id).await.unwrap().unwrap(), live.location.look(log_id).await.unwrap().unwrap());
        let (mut rebuilt, mut live) = (rebuilt.begin_reading().await.unwrap(), live.begin_reading().await.unwrap());
        for model in MODELS {
            assert!(compare(model, &mut rebuilt, &mut live).await.unwrap().unwrap() > 0, "{}", model.name);
        }
    }
}

#[tokio::test]
async fn read_models_that_are_newer_than_the_log_are_built_anew() {
    for place in Place::each() {
        let log = charged_log(10).await;
        let node = place.start(&log);
        node.catches_up(&log).await;
        node.stop().await;

        log.truncate(Position::new(4));
        let found = verify(&place.location, &log, &MODELS, |_, _| {}).await.unwrap();
        assert!(found.iter().all(|verified| verified.fault.is_some()), "{found:?}");
        let node = place.start(&log);
        node.catches_up(&log).await;
        place.assert_right(&log).await;
        node.stop().await;
    }
}

#[tokio::test]
async fn read_models_of_another_history_are_built_anew() {
    for place in Place::each() {
        let (one, other) = (charged_log(10).await, MemoryLog::new());
        append(&other, (1..=20).map(|number| charged(ANN, 2, 2 * number))).await;
        let node = place.start(&one);
        node.catches_up(&one).await;
        node.stop().await;
        let node = place.start(&other);
        node.catches_up(&other).await;
        place.assert_right(&other).await;
        node.stop().await;
    }
}

/// While this is so, the next version of the balances is not built.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// The balances of a newer program.
static NEWER: SqlModel = SqlModel {
    version: balances::MODEL.version + 1,
    fold: || Box::new(Slow((balances::MODEL.fold)())),
    name: balances::MODEL.name,
    columns: balances::MODEL.columns,
    key: balances::MODEL.key,
};

struct Slow(Box<dyn Fold>);

impl Fold for Slow {
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange> {
        let begun = Instant::now();
        while CLOSED.load(Ordering::Relaxed) && begun.elapsed() < SOON {
            tokio::task::block_in_place(|| std::thread::sleep(Duration::from_millis(1)));
        }
        self.0.apply(recorded)
    }

    fn changes(self: Box<Self>) -> Vec<Change> {
        self.0.changes()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_newer_version_is_built_by_itself_while_the_old_one_serves_and_an_older_program_leaves_it_alone() {
    for place in Place::each() {
        let log = charged_log(10).await;
        let node = place.start(&log);
        node.catches_up(&log).await;
        node.stop().await;

        CLOSED.store(true, Ordering::Relaxed);
        let node = place.start_with(&log, &[&NEWER, &point_history::MODEL]);
        node.wait_for(&NEWER, |phase| *phase == Phase::Building).await;
        let served = node.catches_up_in(&log, &NEWER).await;
        assert_eq!(served.position.get(), 11, "the old one serves");
        drop(served);
        append(&log, charges(11..=12)).await;
        node.catches_up_in(&log, &point_history::MODEL).await;
        CLOSED.store(false, Ordering::Relaxed);
        let newest = node.wait_for(&NEWER, |phase| *phase == Phase::Following).await;
        assert_eq!(newest.checkpoint.unwrap().version, NEWER.version);
        node.catches_up_in(&log, &NEWER).await;
        node.stop().await;

        let older = place.start(&log);
        older.wait_for(&balances::MODEL, |phase| *phase == Phase::Newer { version: NEWER.version }).await;
        let refused = older.projector.snapshot(&balances::MODEL, Position::START, Instant::now() + SOON).await;
        assert!(refused.is_err());
        older.catches_up_in(&log, &point_history::MODEL).await;
        let reason = built(older.rebuild("balances")).await.unwrap_err();
        assert!(reason.contains("newer program"), "{reason}");
        older.stop().await;
        let newer = place.start_with(&log, &[&NEWER]);
        newer.wait_for(&NEWER, |phase| *phase == Phase::Following).await;
        newer.stop().await;
    }
}
