//! What is SQLite's own: its pragmas, its file, its disk.

use std::path::Path;

use super::*;
use crate::log::conformance::{Fixture, chain, passes};

#[async_trait]
impl Fixture for tempfile::TempDir {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(SqliteLog::open(self.path()).await.unwrap())
    }

    async fn alter(&self, position: Position) {
        tamper(self.path(), &format!("UPDATE log SET data = data || ' ' WHERE position = {position}"));
    }

    async fn remove(&self, position: Position) {
        tamper(self.path(), &format!("DELETE FROM log WHERE position = {position}"));
    }
}

/// A second connection to the file, as someone with a shell has it.
fn shell(folder: &Path) -> Connection {
    Connection::open(folder.join(LOG_FILE)).unwrap()
}

fn tamper(folder: &Path, sql: &str) {
    shell(folder).execute_batch(&format!("PRAGMA ignore_check_constraints = ON; {sql}")).unwrap();
}

/// Runs on the connection that writes.
async fn run(log: &SqliteLog, sql: impl Into<String>) {
    let sql = sql.into();
    log.writer.run(move |writer| writer.connection.execute_batch(&sql).unwrap()).await.unwrap();
}

/// The file may grow to this many pages.
async fn room(log: &SqliteLog, pages: u32) {
    run(log, format!("PRAGMA max_page_count = {pages}")).await;
}

async fn filled(folder: &Path, count: u64) -> (SqliteLog, Vec<Record>) {
    let (log, records) = (SqliteLog::open(folder).await.unwrap(), chain(&Head::EMPTY, count));
    log.append(&Head::EMPTY, &records).await.unwrap();
    (log, records)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_sqlite_conforms() {
    passes(async || tempfile::tempdir().unwrap()).await.unwrap();
}

#[tokio::test]
async fn every_commit_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path()).await.unwrap();
    let pragmas = log.writer.run(|writer| {
        let pragma = |name: &str| -> rusqlite::types::Value {
            writer.connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
        };
        (pragma("journal_mode"), pragma("synchronous"))
    });
    assert_eq!(pragmas.await.unwrap(), ("wal".to_owned().into(), 2.into()));
}

#[tokio::test]
async fn opening_syncs_a_wal_that_was_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (_killed, records) = filled(folder.path(), 5).await;
    let wal = folder.path().join("log.db-wal");
    assert!(wal.metadata().unwrap().len() > 0);
    let log = SqliteLog::open(folder.path()).await.unwrap();
    assert_eq!(wal.metadata().unwrap().len(), 0);
    assert_eq!(log.read(Position::START, 9).await.unwrap(), records);
}

#[tokio::test]
async fn an_append_that_nobody_waits_for_is_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path()).await.unwrap();
    for micros in (0..3_000).step_by(100) {
        let head = log.head().await.unwrap();
        let records = chain(&head, 300);
        let append = log.append(&head, &records);
        let _ = tokio::time::timeout(Duration::from_micros(micros), append).await;
        // The next append comes after the abandoned one.
        let after = log.probe(&head).await;
        let expected = if after == Ok(()) { head } else { records[299].head() };
        assert_eq!(log.head().await.unwrap(), expected);
    }
    let head = log.head().await.unwrap();
    log.append(&head, &chain(&head, 1)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_writes_nothing_and_is_forgotten_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (log, records) = filled(folder.path(), 1).await;
    let head = records[0].head();
    room(&log, 60).await;
    for _ in 0..2 {
        // The first rows fit into 60 pages, the last do not.
        let refused = log.append(&head, &chain(&head, 1_023)).await;
        assert!(matches!(refused, Err(AppendError::Full(_))), "{refused:?}");
        assert_eq!(log.head().await.unwrap(), head);
    }
    let next = chain(&head, 2);
    log.append(&head, &next).await.unwrap();
    room(&log, 1_000_000).await;
    let head = next[1].head();
    log.append(&head, &chain(&head, 1_023)).await.unwrap();
}

#[tokio::test]
async fn a_log_that_broke_stays_broken() {
    let folder = tempfile::tempdir().unwrap();
    let (log, records) = filled(folder.path(), 1).await;
    // A statement that cannot be prepared stands in for a disk that fails.
    run(&log, "ALTER TABLE log RENAME TO gone").await;
    let head = records[0].head();
    assert!(matches!(log.append(&head, &chain(&head, 1)).await, Err(AppendError::Broken(_))));
    run(&log, "ALTER TABLE gone RENAME TO log").await;
    assert!(matches!(log.append(&head, &chain(&head, 1)).await, Err(AppendError::Broken(_))));
    assert!(matches!(log.probe(&head).await, Err(AppendError::Broken(_))));
}

#[tokio::test]
async fn a_record_of_another_shape_is_named() {
    for harm in [
        "UPDATE log SET hash = zeroblob(31) WHERE position = 2",
        "UPDATE log SET data = CAST(x'ff' AS TEXT) WHERE position = 2",
        "UPDATE log SET type_version = -1 WHERE position = 2",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (log, records) = filled(folder.path(), 3).await;
        tamper(folder.path(), harm);
        let found = log.read(Position::START, 9).await;
        assert!(matches!(&found, Err(ReadError::Malformed { position, .. }) if position.get() == 2), "{found:?}");
        assert_eq!(log.read(Position::START, 1).await.unwrap(), records[..1]);
    }
}

#[tokio::test]
async fn what_is_no_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.db"), "notes of mine ".repeat(100)).unwrap();
    assert!(matches!(SqliteLog::open(folder.path()).await, Err(OpenError::Storage(_))));
}

#[tokio::test]
async fn a_torn_file_is_refused_or_its_first_unreadable_position_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (log, records) = filled(folder.path(), 1_000).await;
    log.into_one_file().await.unwrap();
    let path = folder.path().join("log.db");
    let whole = std::fs::read(&path).unwrap();
    let page = 4_096;

    // The end is gone, and with it the last record.
    std::fs::write(&path, &whole[..whole.len() - page]).unwrap();
    assert!(SqliteLog::open(folder.path()).await.is_err());

    // A page in the middle is overwritten.
    let mut torn = whole.clone();
    let middle = whole.len() / page / 2 * page;
    torn[middle..middle + page].fill(0xa5);
    std::fs::write(&path, &torn).unwrap();
    let log = SqliteLog::open(folder.path()).await.unwrap();
    let found = log.read(Position::START, 1_000).await;
    let Err(ReadError::Malformed { position, .. }) = found else { panic!("{found:?}") };
    let readable = (position.get() - 1) as usize;
    assert!((1..999).contains(&readable));
    assert_eq!(log.read(Position::START, readable).await.unwrap(), records[..readable]);
}

#[tokio::test]
async fn one_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = filled(folder.path(), 3).await;
    log.into_one_file().await.unwrap();
    let path = folder.path().join("log.db");
    let mut file = std::fs::read(&path).unwrap();
    let amount = b"\"amount\":2,";
    let at = file.windows(amount.len()).position(|bytes| bytes == amount).unwrap();
    file[at + amount.len() - 2] = b'9';
    std::fs::write(&path, file).unwrap();
    let records = SqliteLog::open(folder.path()).await.unwrap().read(Position::START, 9).await.unwrap();
    let damage = records.iter().try_fold(Head::EMPTY, |head, record| record.verify(&head)).unwrap_err();
    assert_eq!(damage, domain::ChainError::Altered { position: Position::new(2) });
}

#[tokio::test]
async fn who_reads_much_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let (log, records) = filled(folder.path(), 3).await;
    let (begun, has_begun) = std::sync::mpsc::channel();
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let reading = log.readers.run(move |_| {
        begun.send(()).unwrap();
        ends.recv()
    });
    let others = async {
        tokio::task::spawn_blocking(move || has_begun.recv()).await.unwrap().unwrap();
        assert_eq!(log.head().await.unwrap(), records[2].head());
        log.append(&records[2].head(), &chain(&records[2].head(), 1)).await.unwrap();
        end.send(()).unwrap();
    };
    let (reading, ()) = tokio::join!(reading, others);
    reading.unwrap().unwrap();
}

#[tokio::test]
async fn a_log_that_an_earlier_program_made_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (log, records) = filled(folder.path(), 5).await;
    log.into_one_file().await.unwrap();
    // Earlier programs kept the tables' version in a table of sqlx's.
    tamper(folder.path(), "PRAGMA user_version = 0; CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY)");
    let log = SqliteLog::open(folder.path()).await.unwrap();
    assert_eq!(log.read(Position::START, 9).await.unwrap(), records);
    log.append(&records[4].head(), &chain(&records[4].head(), 1)).await.unwrap();
}

#[tokio::test]
async fn a_log_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = filled(folder.path(), 5).await;
    log.into_one_file().await.unwrap();
    tamper(folder.path(), "PRAGMA user_version = 2");
    assert!(matches!(SqliteLog::open(folder.path()).await, Err(OpenError::Newer(2))));
}

#[tokio::test]
async fn a_thread_that_panicked_is_no_log_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (log, records) = filled(folder.path(), 1).await;
    let gone = log.writer.run(|_| -> () { panic!("a bug, for this test") }).await;
    assert!(gone.is_err());
    let refused = log.append(&records[0].head(), &chain(&records[0].head(), 1)).await;
    assert!(matches!(refused, Err(AppendError::Broken(_))), "{refused:?}");
}

#[tokio::test]
async fn a_log_is_opened_though_somebody_reads_it_and_what_stands_in_the_wal_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let (_killed, records) = filled(folder.path(), 5).await;
    let reader = shell(folder.path());
    reader.execute_batch("BEGIN; SELECT count(*) FROM log").unwrap();
    let begun = std::time::Instant::now();
    let log = SqliteLog::open(folder.path()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    log.append(&records[4].head(), &chain(&records[4].head(), 1)).await.unwrap();
}

#[tokio::test]
async fn files_that_were_moved_or_removed_break_the_log() {
    for (name, is_replaced) in [("log.db", false), ("log.db", true), ("log.db-wal", false)] {
        let folder = tempfile::tempdir().unwrap();
        let (log, records) = filled(folder.path(), 1).await;
        std::fs::rename(folder.path().join(name), folder.path().join("away")).unwrap();
        if is_replaced {
            std::fs::copy(folder.path().join("away"), folder.path().join(name)).unwrap();
        }
        let refused = log.append(&records[0].head(), &chain(&records[0].head(), 1)).await;
        let Err(AppendError::Broken(reason)) = refused else { panic!("{refused:?}") };
        assert!(reason.contains(name) && reason.contains(if is_replaced { "replaced" } else { "removed" }), "{reason}");
        assert!(matches!(log.probe(&records[0].head()).await, Err(AppendError::Broken(_))));
    }
}

#[tokio::test]
async fn the_wal_is_moved_as_it_grows_and_shrinks_when_whoever_kept_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (log, records) = filled(folder.path(), 1).await;
    let wal = || folder.path().join("log.db-wal").metadata().unwrap().len();
    let mut head = records[0].head();
    let grow = async |head: &mut Head| {
        for _ in 0..100 {
            let records = chain(head, 1_000);
            log.append(head, &records).await.unwrap();
            *head = records[999].head();
        }
    };
    grow(&mut head).await;
    assert!(wal() < checkpoint::MAX_IDLE_WAL_BYTES, "{}", wal());
    let reader = shell(folder.path());
    reader.execute_batch("BEGIN; SELECT count(*) FROM log").unwrap();
    grow(&mut head).await;
    assert!(wal() > checkpoint::MAX_IDLE_WAL_BYTES, "{}", wal());
    drop(reader);
    log.probe(&head).await.unwrap();
    // What is looked after comes after the answer.
    log.probe(&head).await.unwrap();
    assert!(wal() <= checkpoint::MAX_IDLE_WAL_BYTES, "{}", wal());
}
