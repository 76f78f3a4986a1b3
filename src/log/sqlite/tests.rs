//! What is SQLite's own: its pragmas, its file, its disk.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, raw_sql};

use super::*;
use crate::log::conformance::{Fixture, chain, passes};

#[async_trait]
impl Fixture for tempfile::TempDir {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(SqliteLog::open(self.path()).await.unwrap())
    }

    async fn alter(&self, position: Position) {
        tamper(self.path(), &format!("UPDATE log SET data = data || ' ' WHERE position = {position}")).await;
    }

    async fn remove(&self, position: Position) {
        tamper(self.path(), &format!("DELETE FROM log WHERE position = {position}")).await;
    }
}

/// A second connection to the file, as someone with a shell has it.
async fn shell(folder: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(folder.join("log.db")).connect().await.unwrap()
}

async fn tamper(folder: &Path, sql: &str) {
    let sql = format!("PRAGMA ignore_check_constraints = ON; {sql}");
    raw_sql(AssertSqlSafe(sql)).execute(&mut shell(folder).await).await.unwrap();
}

/// The file may grow to this many pages.
async fn room(log: &SqliteLog, pages: u32) {
    run(log, &format!("PRAGMA max_page_count = {pages}")).await;
}

async fn run(log: &SqliteLog, sql: &str) {
    raw_sql(AssertSqlSafe(sql)).execute(&mut log.writer.lock().await.connection).await.unwrap();
}

async fn filled(folder: &Path, count: u64) -> (SqliteLog, Vec<Record>) {
    let (log, records) = (SqliteLog::open(folder).await.unwrap(), chain(&Head::EMPTY, count));
    log.append(&Head::EMPTY, &records).await.unwrap();
    (log, records)
}

/// Closes everything, so that all records stand in `log.db` and no WAL is left.
async fn close(log: SqliteLog) {
    log.readers.close().await;
    let writer = Arc::into_inner(log.writer).unwrap().into_inner();
    writer.connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_sqlite_conforms() {
    passes(async || tempfile::tempdir().unwrap()).await.unwrap();
}

#[tokio::test]
async fn every_commit_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path()).await.unwrap();
    let writer = &mut log.writer.lock().await.connection;
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *writer).await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(writer).await.unwrap();
    assert_eq!((journal.as_str(), synchronous), ("wal", 2));
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
async fn every_statement_of_an_append_stays_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = filled(folder.path(), 511).await;
    let before = log.writer.lock().await.connection.cached_statements_size();
    for _ in 0..2 {
        let head = log.head().await.unwrap();
        log.append(&head, &chain(&head, 511)).await.unwrap();
    }
    // BEGIN, nine INSERTs and COMMIT at least.
    assert!(before >= 11, "{before}");
    assert_eq!(log.writer.lock().await.connection.cached_statements_size(), before);
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
        let after = log.append(&head, &[]).await;
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
        // The first of four INSERTs fits into 60 pages, the second does not.
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
    assert!(matches!(log.append(&head, &[]).await, Err(AppendError::Broken(_))));
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
        tamper(folder.path(), harm).await;
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
    close(log).await;
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
    close(log).await;
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
async fn every_reader_is_there_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path()).await.unwrap();
    assert_eq!(log.readers.size(), log.readers.options().get_max_connections());
}
