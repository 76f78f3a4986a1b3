//! What somebody or something did to the tables, and how it is mended: by the node itself, or by a rebuild.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use projections::sql::{Schema, balances, point_history};
use sqlx::{AssertSqlSafe, ConnectOptions, sqlite::SqliteConnectOptions};

use super::*;

fn file_of(place: &Place) -> PathBuf {
    let Location::File(path) = &place.location else { panic!("it is no file") };
    path.clone()
}

/// Somebody else's hand in the tables.
async fn meddle(place: &Place, sql: &str) {
    match &place.location {
        Location::File(path) => {
            let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        }
        Location::Servers(servers) => {
            let schema = Schema::of(LOG_ID);
            let sql = format!("SET search_path = {}; {sql}", schema.name());
            private_postgres::shared().unwrap().sql(servers[0].get_database().unwrap(), &sql);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_was_dropped_is_built_again_and_the_others_go_on() {
    for place in Place::each() {
        let log = charged_log(10).await;
        let node = place.start(&log);
        node.catches_up(&log).await;
        meddle(&place, "DROP TABLE balances").await;
        let found = verify(&place.location, &log, &MODELS, |_, _| {}).await.unwrap();
        for found in found {
            assert_eq!(found.is_missing, found.projection == "balances", "{found:?}");
            assert_eq!(found.fault.is_some(), found.is_missing, "{found:?}");
        }
        append(&log, charges(11..=20)).await;
        node.catches_up(&log).await;
        place.assert_right(&log).await;
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_puts_a_dropped_table_back_though_nothing_comes() {
    for place in Place::each() {
        let log = charged_log(10).await;
        let node = place.start(&log);
        node.catches_up(&log).await;
        meddle(&place, "DROP TABLE balances; DROP TABLE payments").await;
        assert_eq!(built(node.rebuild("all")).await, Ok(11));
        place.assert_right(&log).await;
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_somebody_changed_stops_alone_and_is_put_right_by_a_rebuild() {
    for place in Place::each() {
        let log = charged_log(10).await;
        let node = place.start(&log);
        node.catches_up(&log).await;
        meddle(&place, "ALTER TABLE balances RENAME COLUMN balance TO points").await;
        append(&log, charges(11..=20)).await;
        let status = node.wait_for(&balances::MODEL, |phase| matches!(phase, Phase::Stopped { .. })).await;
        let Phase::Stopped { reason } = &status.phase else { unreachable!() };
        assert!(reason.starts_with("projection balances, position 12: ") && reason.contains("balance"), "{reason}");
        node.catches_up_in(&log, &point_history::MODEL).await;
        assert_eq!(built(node.rebuild("all")).await, Ok(21));
        node.catches_up(&log).await;
        place.assert_right(&log).await;
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_replaces_a_file_that_is_no_database() {
    let (log, place) = (charged_log(10).await, Place::file());
    let file = file_of(&place);
    let garbage = "this is no database".repeat(100);
    std::fs::write(&file, &garbage).unwrap();
    let node = place.start(&log);
    node.wait_for(&balances::MODEL, |phase| matches!(phase, Phase::Unavailable { .. })).await;
    assert_eq!(built(node.rebuild("all")).await, Ok(11));
    node.catches_up(&log).await;
    place.assert_right(&log).await;
    node.stop().await;
    // What was there is kept, for whoever thought that it was something else.
    assert_eq!(std::fs::read_to_string(file.with_extension("db.damaged")).unwrap(), garbage);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_replaces_a_file_that_is_damaged_while_it_is_open() {
    let (log, place) = (charged_log(10).await, Place::file());
    let node = place.start(&log);
    node.catches_up(&log).await;
    node.stop().await;
    // All pages but the first, which says that it is a database.
    let file = file_of(&place);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4_096..].fill(0x55);
    let node = place.start(&log);
    node.catches_up(&log).await;
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().write_all(&bytes).unwrap();
    append(&log, charges(11..=12)).await;
    assert_eq!(built(node.rebuild("all")).await, Ok(13));
    node.catches_up(&log).await;
    place.assert_right(&log).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_without_a_database_ends_and_says_why() {
    let (log, place) = (charged_log(10).await, Place::file());
    std::fs::create_dir(file_of(&place)).unwrap();
    let node = place.start(&log);
    let reason = built(node.rebuild("all")).await.unwrap_err();
    assert!(reason.contains("cannot be opened"), "{reason}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_in_the_log_is_named_and_filled_the_read_models_go_on() {
    for (is_built, gap) in [(false, 5), (true, 12)] {
        let (log, place) = (charged_log(12).await, Place::file());
        let whole = log.records();
        if is_built {
            log.truncate(Position::new(11));
        } else {
            log.edit(|records| drop(records.remove(gap - 1)));
        }
        let node = place.start(&log);
        if is_built {
            node.catches_up(&log).await;
            log.edit(|records| records.push(whole[12].clone()));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!node.running.is_finished());
        assert!(node.projector.statuses().values().all(|status| status.position() < Position::new(gap as u64)));
        log.edit(|records| *records = whole.clone());
        node.catches_up(&log).await;
        place.assert_right(&log).await;
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_logs_have_their_read_models_in_one_database_side_by_side() {
    let Some(server) = private_postgres::shared() else { return };
    let url = server.database();
    let (ours, theirs) = (charged_log(10).await, MemoryLog::new());
    append_to(&theirs, Uuid::from_u128(2), charges(1..=20)).await;
    let places = [Place::server(&url), Place::server(&url)];
    let nodes = [places[0].start(&ours), places[1].start(&theirs)];
    nodes[0].catches_up(&ours).await;
    nodes[1].catches_up(&theirs).await;
    append(&ours, charges(11..=12)).await;
    append_to(&theirs, Uuid::from_u128(2), charges(21..=22)).await;
    nodes[0].catches_up(&ours).await;
    nodes[1].catches_up(&theirs).await;
    for (place, log, head) in [(&places[0], &ours, 13), (&places[1], &theirs, 23)] {
        let found = verify(&place.location, log, &MODELS, |_, _| {}).await.unwrap();
        assert!(found.iter().all(|found| found.fault.is_none() && found.position == head), "{found:?}");
    }
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_see_the_tables_is_told_so_and_has_verified_nothing() {
    let Some(server) = private_postgres::shared() else { return };
    let (log, place) = (charged_log(10).await, Place::server(&server.database()));
    let node = place.start(&log);
    node.catches_up(&log).await;
    let Location::Servers(servers) = &place.location else { unreachable!() };
    let database = servers[0].get_database().unwrap();
    server.sql(database, &format!("CREATE ROLE {database}_guest LOGIN PASSWORD 'guest'"));
    let guest = servers[0].clone().username(&format!("{database}_guest")).password("guest");
    let guest = Location::Servers(vec![guest]);
    let why = verify(&guest, &log, &MODELS, |_, _| {}).await.unwrap_err().to_string();
    assert!(why.contains("may not use the schema"), "{why}");
    let schema = Schema::of(LOG_ID);
    server.sql(database, &format!("GRANT USAGE ON SCHEMA {} TO {database}_guest", schema.name()));
    let why = verify(&guest, &log, &MODELS, |_, _| {}).await.unwrap_err().to_string();
    assert!(why.contains("permission denied"), "{why}");
    node.stop().await;
}

/// Every setting that a role or a database can have, as unlike ours as can be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_models_do_not_depend_on_what_a_database_is_set_to() {
    let Some(server) = private_postgres::shared() else { return };
    let (log, place) = (charged_log(10).await, Place::server(&server.database()));
    let Location::Servers(servers) = &place.location else { unreachable!() };
    let database = servers[0].get_database().unwrap();
    for setting in private_postgres::UNUSUAL_SETTINGS {
        server.sql("postgres", &format!("ALTER DATABASE {database} SET {setting}"));
    }
    let node = place.start(&log);
    node.catches_up(&log).await;
    assert_eq!(built(node.rebuild("all")).await, Ok(11));
    append(&log, charges(11..=5_000)).await;
    node.catches_up(&log).await;
    place.assert_right(&log).await;
    node.stop().await;
}

/// A file system of so many KiB; `None` where this process may mount none, which is said.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn of(kib: u32) -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        if disk.mount(&format!("size={kib}k")) {
            return Some(disk);
        }
        println!("left out, since this process may not mount: a disk that fills up while read models are built");
        None
    }

    fn mount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "reprise-test"]).arg(self.path());
        mount.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_while_read_models_are_built_stops_them_only_until_there_is_room() {
    let Some(disk) = SmallDisk::of(400) else { return };
    let log = charged_log(20_000).await;
    let location = Location::File(disk.path().join(READ_MODELS_FILE));
    let place = Place { folder: tempfile::tempdir().unwrap(), location };
    let node = place.start(&log);
    // Longer than the first failures take: what they left of the connection must not be used again.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(node.projector.statuses().values().any(|status| status.checkpoint.is_none()), "it had room");
    assert!(disk.mount("remount,size=65536k"));
    node.catches_up(&log).await;
    place.assert_right(&log).await;
    node.stop().await;
}
