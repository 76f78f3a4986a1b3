//! Several nodes, one database: one of them projects, and whoever reads sees one position only.

use std::collections::BTreeMap;

use projections::sql::point_history;

use super::*;

/// A database of a server, for as many nodes as are started on it; each has a data folder of its own.
fn shared() -> Option<impl Fn() -> Place> {
    let url = private_postgres::shared()?.database();
    Some(move || Place::server(&url))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_three_nodes_each_serves_what_one_of_them_writes_and_another_goes_on_when_that_one_is_gone() {
    let Some(place) = shared() else { return };
    let log = charged_log(10).await;
    let places = [place(), place(), place()];
    let mut nodes: Vec<Node> = places.iter().map(|place| place.start(&log)).collect();
    let mut balance = 10;
    for _ in 0..3 {
        for _ in 0..40 {
            append(&log, charges(balance + 1..=balance + 25)).await;
            balance += 25;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for node in &nodes {
            node.catches_up(&log).await;
        }
        place().assert_right(&log).await;
        // Whichever it is that projects: in the end it is another one.
        if nodes.len() > 1 {
            nodes.remove(0).stop().await;
        }
    }
    nodes.remove(0).stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_all_nodes_want_built_is_built_and_not_built_again() {
    let Some(server) = private_postgres::shared() else { return };
    let url = server.database();
    let log = charged_log(20_000).await;
    let places = [(); 3].map(|()| Place::server(&url));
    let nodes: Vec<Node> = places.iter().map(|place| place.start(&log)).collect();
    for node in &nodes {
        node.catches_up(&log).await;
    }
    let tables =
        || server.sql(url.rsplit('/').next().unwrap(), "SELECT oid, relname FROM pg_class WHERE relkind = 'r'");
    let built = tables();
    // Longer than a node waits that found another one building.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(tables(), built);
    places[0].assert_right(&log).await;
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rebuild_beside_other_nodes_is_seen_by_all_of_them_and_never_half() {
    let Some(place) = shared() else { return };
    let log = charged_log(1_000).await;
    let (one, other) = (place(), place());
    let nodes = [one.start(&log), other.start(&log)];
    for node in &nodes {
        node.catches_up(&log).await;
    }
    let reading = tokio::spawn({
        let projector = nodes[1].projector.clone();
        async move {
            let mut seen = BTreeMap::new();
            while seen.last_key_value().is_none_or(|(position, _)| *position < 1_801) {
                let Ok(mut view) =
                    projector.snapshot(&point_history::MODEL, Position::new(1_001), Instant::now()).await
                else {
                    continue;
                };
                let page = point_history::page(&mut view.transaction, ANN, store::Order::Descending, None, 1).await;
                let newest = page.unwrap().remove(0);
                assert_eq!(newest.position, view.position, "rows and checkpoint are of one moment");
                seen.insert(view.position.get(), newest.balance_after);
            }
        }
    });
    for round in 0..8 {
        let rebuilding = nodes[0].rebuild("point_history");
        append(&log, charges(1_001 + 100 * round..=1_100 + 100 * round)).await;
        built(rebuilding).await.unwrap();
    }
    tokio::time::timeout(SOON, reading).await.unwrap().unwrap();
    for node in &nodes {
        node.catches_up(&log).await;
    }
    place().assert_right(&log).await;
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_reads_for_long_keeps_what_they_read_and_holds_up_nobody_else() {
    let Some(place) = shared() else { return };
    let log = charged_log(10).await;
    let place = place();
    let node = place.start(&log);
    node.catches_up(&log).await;
    let model = &point_history::MODEL;
    let mut report = node.catches_up_in(&log, model).await;
    let mut rebuilding = node.rebuild(model.name);
    // Longer than a swap waits.
    append(&log, charges(11..=12)).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(rebuilding.0.try_recv().is_err(), "it was swapped under a reader");
    assert_eq!(node.catches_up_in(&log, model).await.position.get(), 13, "others read on");
    let page = point_history::page(&mut report.transaction, ANN, store::Order::Descending, None, 50).await.unwrap();
    assert_eq!((report.position.get(), page.len(), page[0].position.get()), (11, 10, 11));
    drop(report);
    assert_eq!(built(rebuilding).await, Ok(13));
    place.assert_right(&log).await;
    node.stop().await;
}
