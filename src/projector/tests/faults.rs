//! What goes wrong with one projection stops that one, and what goes wrong with the database stops reports, not more.

use domain::spec::{ANN, BOB, adjusted, held, paid};
use domain::{PointsAdjusted, PointsCharged, PointsEvent};
use projections::sql::{payments, point_history};

use super::*;

#[tokio::test]
async fn read_models_that_stand_still_tell_how_far_behind_they_are() {
    let (log, place) = (charged_log(10).await, Place::file());
    std::fs::write(place.folder.path().join(READ_MODELS_FILE), "this is no database".repeat(100)).unwrap();
    let node = place.start(&log);
    let lag = |status: &Status| status.lag(Position::new(11), Timestamp::from_millis(7_000));
    for model in MODELS {
        let status = node.wait_for(model, |phase| matches!(phase, Phase::Unavailable { .. })).await;
        assert_eq!(lag(&status), Lag { events: 11, seconds: 7 }, "{status:?}");
    }
    node.stop().await;
}

#[tokio::test]
async fn what_sqlite_maps_into_memory_has_its_room_on_disk() {
    use std::os::unix::fs::MetadataExt;
    let (log, place) = (charged_log(10).await, Place::file());
    let node = place.start(&log);
    node.catches_up(&log).await;
    let index = place.folder.path().join(format!("{READ_MODELS_FILE}-shm")).metadata().unwrap();
    // A region of 32 KiB is for 16 MiB of the WAL; a chunk of records may write more than one.
    assert!(index.len() >= 5 * 32 * 1_024 && index.blocks() * 512 >= index.len(), "{index:?}");
    node.stop().await;
}

/// The projection `model` stops at the log's last event, and the others go on.
async fn assert_poisoned(place: &Place, log: &MemoryLog, model: &'static SqlModel, why: &str) {
    let poison = log.head().await.unwrap().position;
    append(log, charges(1..=3)).await;
    let node = place.start(log);
    let status = node.wait_for(model, |phase| matches!(phase, Phase::Stopped { .. })).await;
    let Phase::Stopped { reason } = &status.phase else { unreachable!() };
    let named = format!("projection {}, position {poison}: ", model.name);
    assert!(reason.starts_with(&named) && reason.to_lowercase().contains(why), "{reason}");
    for other in MODELS.iter().filter(|other| other.name != model.name) {
        node.catches_up_in(log, other).await;
    }
    let now = Instant::now();
    assert!(node.projector.snapshot(model, poison, now + SOON).await.is_err(), "waiting would be in vain");
    let reason = built(node.rebuild(model.name)).await.unwrap_err();
    assert!(reason.starts_with(&named), "{reason}");
    node.stop().await;
}

#[tokio::test]
async fn an_event_that_no_column_holds_stops_its_projection_only() {
    for place in Place::each() {
        let log = charged_log(3).await;
        // The history has the amount, which no other table has.
        let Event::Points(PointsEvent::PointsCharged(PointsCharged { user_id, balance_after, charged_at, .. })) =
            charged(BOB, 1, 1)
        else {
            unreachable!()
        };
        let amount = domain::Points::new(u64::MAX);
        append(&log, [Event::from(PointsCharged { user_id, amount, balance_after, charged_at })]).await;
        assert_poisoned(&place, &log, &point_history::MODEL, "18446744073709551615").await;
    }
}

#[tokio::test]
async fn an_event_that_the_database_refuses_stops_its_projection_only() {
    for place in Place::each() {
        let log = charged_log(3).await;
        append(&log, [held(1, BOB, [1]), paid(1, 1, BOB, [1], 0), held(2, BOB, [2]), paid(1, 2, BOB, [2], 0)]).await;
        assert_poisoned(&place, &log, &payments::MODEL, "unique").await;
    }
}

#[tokio::test]
async fn a_reason_that_no_database_can_hold_is_shown_as_far_as_it_can_be() {
    for place in Place::each() {
        let log = charged_log(3).await;
        let Event::Points(PointsEvent::PointsAdjusted(adjusted)) = adjusted(ANN, 1, 4) else { unreachable!() };
        let reason = "paid\0twice".to_owned();
        append(&log, [Event::from(PointsAdjusted { reason, ..adjusted })]).await;
        let node = place.start(&log);
        let mut served = node.catches_up_in(&log, &point_history::MODEL).await;
        let page = point_history::page(&mut served.transaction, ANN, store::Order::Descending, None, 1).await.unwrap();
        assert_eq!(page[0].reason.as_deref(), Some("paid\u{fffd}twice"));
        drop(served);
        node.catches_up(&log).await;
        node.stop().await;
        place.assert_right(&log).await;
    }
}

#[tokio::test]
async fn what_came_before_a_poison_is_served() {
    for place in Place::each() {
        let log = charged_log(3).await;
        let node = place.start(&log);
        node.catches_up(&log).await;
        append(&log, charges(4..=5).chain([held(1, BOB, [1]), paid(1, 1, BOB, [1], 0), paid(1, 1, BOB, [1], 0)])).await;
        node.wait_for(&payments::MODEL, |phase| matches!(phase, Phase::Stopped { .. })).await;
        let before = Position::new(log.head().await.unwrap().position.get() - 1);
        let mut served = node.projector.snapshot(&payments::MODEL, before, Instant::now() + SOON).await.unwrap();
        assert_eq!(served.position, before);
        assert_eq!(payments::page(&mut served.transaction, BOB, None, 50).await.unwrap().len(), 1);
        drop(served);
        node.catches_up_in(&log, &point_history::MODEL).await;
        node.stop().await;
    }
}

#[tokio::test]
async fn an_event_of_a_newer_program_stops_every_projection_and_is_named() {
    for place in Place::each() {
        let log = charged_log(3).await;
        let node = place.start(&log);
        node.catches_up(&log).await;
        let head = log.head().await.unwrap();
        let mut unknown = Record::seal(&head, Timestamp::from_millis(0), &charged(ANN, 1, 4), &metadata());
        unknown.event_type = "NeverHeardOf".into();
        log.edit(|records| records.push(unknown));
        for model in MODELS {
            let status = node.wait_for(model, |phase| matches!(phase, Phase::Stopped { .. })).await;
            let Phase::Stopped { reason } = &status.phase else { unreachable!() };
            assert!(reason.contains("position 5: ") && reason.contains("NeverHeardOf"), "{reason}");
        }
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_gone_is_caught_up_with_when_it_is_back() {
    let Some(mut server) = private_postgres::Postgres::start() else { return };
    let (log, place) = (charged_log(10).await, Place::server(&server.database()));
    let node = place.start(&log);
    node.catches_up(&log).await;
    server.kill();
    append(&log, charges(11..=20)).await;
    for model in MODELS {
        node.wait_for(model, |phase| matches!(phase, Phase::Unavailable { .. })).await;
    }
    let refused = node.projector.snapshot(&point_history::MODEL, Position::START, Instant::now() + SOON).await;
    assert!(refused.is_err());
    server.go();
    node.catches_up(&log).await;
    place.assert_right(&log).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_servers_the_one_that_takes_writes_is_found_again() {
    let Some(primary) = private_postgres::Postgres::start() else { return };
    let url = primary.database();
    let log = charged_log(10).await;
    let standby = primary.standby();
    let both = [standby.url(url.rsplit('/').next().unwrap()), url].map(|url| url.parse().unwrap());
    let place = Place { folder: tempfile::tempdir().unwrap(), location: Location::Servers(both.to_vec()) };
    let node = place.start(&log);
    node.catches_up(&log).await;
    drop(primary);
    standby.promote();
    append(&log, charges(11..=20)).await;
    node.catches_up(&log).await;
    place.assert_right(&log).await;
    node.stop().await;
}

#[tokio::test]
async fn of_a_file_that_has_no_tables_yet_it_is_said_that_nothing_was_compared() {
    let (log, place) = (charged_log(10).await, Place::file());
    for _ in ["no file", "an empty one"] {
        let found = verify(&place.location, &log, &MODELS, |_, _| {}).await.unwrap();
        assert_eq!(found.len(), MODELS.len());
        assert!(found.iter().all(|found| found.is_missing && found.fault.is_none()), "{found:?}");
        std::fs::write(place.folder.path().join(READ_MODELS_FILE), "").unwrap();
    }
    let node = place.start(&log);
    node.catches_up(&log).await;
    place.assert_right(&log).await;
    node.stop().await;
}
