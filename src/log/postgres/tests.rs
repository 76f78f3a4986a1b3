//! What is PostgreSQL's own: its server, its turn, its hosts, its clock.

mod failover;

use private_postgres::Postgres;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, raw_sql};

use super::*;
use crate::log::conformance::{Fixture, chain, passes};

/// One database of the server that all tests share.
struct Database {
    server: &'static Postgres,
    url: String,
}

impl Database {
    /// `None` where there is no PostgreSQL.
    fn new() -> Option<Self> {
        let server = private_postgres::shared()?;
        Some(Self { server, url: server.database() })
    }

    async fn log(&self) -> PostgresLog {
        open(&self.url).await
    }

    /// A log with so many records, and these.
    async fn filled(&self, count: u64) -> (PostgresLog, Vec<Record>) {
        let (log, records) = (self.log().await, chain(&Head::EMPTY, count));
        log.append(&Head::EMPTY, &records).await.unwrap();
        (log, records)
    }

    fn sql(&self, sql: &str) -> String {
        self.server.sql(self.name(), sql)
    }

    /// How often the log was read from end to end, once a node has ended: a session tells of its scans then.
    async fn scans_after(&self, log: &PostgresLog) -> String {
        log.close().await;
        let sessions = "SELECT count(*) FROM pg_stat_activity \
                        WHERE application_name = 'reprise' AND datname = current_database()";
        while self.sql(sessions) != "0" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.sql("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'log'")
    }

    fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }

    /// A session of somebody else.
    async fn session(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }
}

async fn open(url: &str) -> PostgresLog {
    PostgresLog::open(&url.parse().unwrap()).await.unwrap()
}

async fn refused(url: &str) -> String {
    let Err(error) = PostgresLog::open(&url.parse().unwrap()).await else { panic!("it was opened") };
    error.to_string()
}

async fn run(session: &mut PgConnection, sql: &str) {
    raw_sql(AssertSqlSafe(sql.to_owned())).execute(session).await.unwrap();
}

/// A record after `head`, decided at this time.
fn record_at(head: &Head, millis: i64) -> Record {
    let mut record = chain(head, 1).remove(0);
    record.recorded_at = Timestamp::from_millis(millis);
    record.hash = record.hash_after(&head.hash);
    record
}

#[async_trait]
impl Fixture for Database {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(self.log().await)
    }

    async fn alter(&self, position: Position) {
        self.sql(&format!("UPDATE log SET data = data || ' ' WHERE position = {position}"));
    }

    async fn remove(&self, position: Position) {
        self.sql(&format!("DELETE FROM log WHERE position = {position}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_postgres_conforms() {
    if private_postgres::shared().is_some() {
        passes(async || Database::new().unwrap()).await.unwrap();
    }
}

/// All of PostgreSQL's settings that a database or a role can have: one by one, with each value that it can take.
#[tokio::test]
async fn no_setting_of_a_database_changes_what_a_log_is() {
    let Some(database) = Database::new() else { return };
    // The first is refused in words, where it is weaker; the others make the server read only, or a developer's.
    let left_out = "name NOT IN ('synchronous_commit', 'default_transaction_read_only', \
         'zero_damaged_pages', 'ignore_checksum_failure', 'allow_in_place_tablespaces', 'role', 'exit_on_error')";
    let settings = format!(
        "SELECT name || ' = ' || quote_literal(value) FROM pg_settings, LATERAL (SELECT unnest(enumvals) \
         UNION ALL SELECT CASE setting WHEN 'on' THEN 'off' ELSE 'on' END WHERE vartype = 'bool') AS other (value) \
         WHERE context IN ('user', 'superuser') AND value <> setting AND name NOT LIKE 'debug%' AND name NOT LIKE 'transaction%' AND {left_out}"
    );
    let settings = database.sql(&settings);
    let settings: Vec<&str> = settings.lines().chain(private_postgres::UNUSUAL_SETTINGS).collect();
    assert!(settings.len() > 100, "{settings:?}");
    let (_, mut all) = database.filled(1).await;
    for setting in settings {
        let name = setting.split(' ').next().unwrap();
        database.sql(&format!("ALTER DATABASE {} SET {setting}", database.name()));
        let (log, head) = (database.log().await, all.last().unwrap().head());
        let next = chain(&head, 2);
        assert_eq!(log.append(&head, &next).await, Ok(()), "{setting}");
        all.extend(next);
        assert_eq!(log.read(Position::START, all.len() + 1).await.as_ref(), Ok(&all), "{setting}");
        assert_eq!(log.head().await, Ok(all.last().unwrap().head()), "{setting}");
        log.close().await;
        database.sql(&format!("ALTER DATABASE {} RESET {name}", database.name()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_conforms_in_a_database_that_is_set_to_everything_unusual() {
    let Some(server) = private_postgres::shared() else { return };
    let fresh = async || {
        let database = Database { server, url: server.database() };
        for setting in private_postgres::UNUSUAL_SETTINGS {
            database.sql(&format!("ALTER DATABASE {} SET {setting}", database.name()));
        }
        database
    };
    passes(fresh).await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_read_only_is_called_that_and_no_standby() {
    let Some(database) = Database::new() else { return };
    database.filled(2).await;
    database.sql(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name()));
    let told = refused(&database.url).await;
    assert!(told.contains("`default_transaction_read_only` is on") && !told.contains("standby"), "{told}");
    let looked = PostgresLog::open_read_only(&database.url.parse().unwrap()).await.unwrap();
    assert_eq!(looked.head().await.unwrap().position, Position::new(2));
}

#[tokio::test]
async fn rows_that_a_policy_hides_are_an_error_and_no_shorter_log() {
    let Some(database) = Database::new() else { return };
    database.filled(5).await;
    let guest = format!("{}_guest", database.name());
    database.sql(&format!("CREATE ROLE {guest} LOGIN PASSWORD 'guest'; GRANT SELECT ON log TO {guest}"));
    database.sql("ALTER TABLE log ENABLE ROW LEVEL SECURITY; CREATE POLICY half ON log USING (position < 3)");
    let (_, host) = database.url.split_once('@').unwrap();
    let looked =
        PostgresLog::open_read_only(&format!("postgres://{guest}:guest@{host}").parse().unwrap()).await.unwrap();
    let told = looked.read(Position::START, 9).await.unwrap_err().to_string();
    assert!(told.contains("row-level security"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_sell_from_one_log_in_postgres() {
    if private_postgres::shared().is_some() {
        crate::engine::tests::nodes::pass(async || Database::new().unwrap()).await;
    }
}

#[tokio::test]
async fn a_node_that_finds_the_head_moved_has_the_turn_until_it_has_decided_again() {
    let Some(database) = Database::new() else { return };
    let (slow, records) = database.filled(1).await;
    let fast = database.log().await;
    let head = records[0].head();
    let others = chain(&head, 1);
    fast.append(&head, &others).await.unwrap();
    assert_eq!(slow.append(&head, &chain(&head, 1)).await, Err(AppendError::Conflict));
    // The turn is the slow node's now: the fast one, though first to decide on the new head, comes after it.
    let head = others[0].head();
    let (ours, theirs) = (chain(&head, 1), chain(&head, 1));
    let overtaking = tokio::spawn(async move { fast.append(&head, &theirs).await });
    while database.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == "0" {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if overtaking.is_finished() {
            break;
        }
    }
    // Where this test is slower than the 100 ms, the other node is right to have come first.
    match slow.append(&head, &ours).await {
        Ok(()) => assert_eq!(overtaking.await.unwrap(), Err(AppendError::Conflict)),
        Err(error) => assert_eq!((error, overtaking.await.unwrap()), (AppendError::Conflict, Ok(()))),
    }
}

#[tokio::test]
async fn a_turn_ends_by_itself_and_when_it_is_given_back() {
    let Some(database) = Database::new() else { return };
    let (log, records) = database.filled(2).await;
    let turns = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = \
                 (SELECT oid FROM pg_database WHERE datname = current_database())";
    let stale = records[0].head();
    for ends in ["by comparing the head", "at once", "by itself"] {
        assert_eq!(log.append(&stale, &chain(&stale, 1)).await, Err(AppendError::Conflict));
        match ends {
            "by comparing the head" => log.compare_head(&records[1].head()).await.unwrap(),
            "at once" => log.end_turn().await,
            _ => {}
        }
        if ends != "by itself" {
            assert_eq!(database.sql(turns), "0", "{ends}");
        }
        while database.sql(turns) != "0" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    log.append(&records[1].head(), &chain(&records[1].head(), 1)).await.unwrap();
}

#[tokio::test]
async fn a_node_that_is_frozen_in_its_turn_is_passed_by() {
    let Some(database) = Database::new() else { return };
    let (log, records) = database.filled(1).await;
    let head = records[0].head();
    let mut frozen = database.session().await;
    // As far as a node can come before its commit, under the settings of a node's session.
    run(&mut frozen, "SET idle_in_transaction_session_timeout = '2s'; BEGIN").await;
    run(&mut frozen, "SELECT pg_advisory_xact_lock(8243118329669313839)").await;
    run(&mut frozen, "INSERT INTO log SELECT position + 1, recorded_at, type, 1, data, metadata, hash FROM log").await;
    let next = chain(&head, 1);
    log.append(&head, &next).await.unwrap();
    assert!(raw_sql("COMMIT").execute(&mut frozen).await.is_err(), "the frozen node's transaction was ended");
    assert_eq!(log.read(Position::START, 9).await.unwrap(), [records, next].concat());
}

#[tokio::test]
async fn a_record_from_the_future_is_refused_unless_the_head_is_from_there() {
    let Some(database) = Database::new() else { return };
    let log = database.log().await;
    let now = log.clock().await.unwrap().unwrap().millis();
    let ours = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    assert!((now - ours).abs() < 60_000, "the server's clock is this machine's");
    let early = record_at(&Head::EMPTY, now + 60_000);
    for is_crowded in [false, true] {
        let refused = log.append(&Head::EMPTY, std::slice::from_ref(&early)).await;
        assert!(matches!(&refused, Err(AppendError::Unavailable(why)) if why.contains("clock")), "{refused:?}");
        if !is_crowded {
            let stale = chain(&Head::EMPTY, 1)[0].head();
            assert_eq!(log.append(&stale, &chain(&stale, 1)).await, Err(AppendError::Conflict));
        }
    }
    let first = record_at(&Head::EMPTY, now + 1_000);
    log.append(&Head::EMPTY, std::slice::from_ref(&first)).await.unwrap();
    database.sql(&format!("UPDATE log SET recorded_at = {}", now + 60_000));
    log.append(&first.head(), &[record_at(&first.head(), now + 60_000)]).await.unwrap();
}

#[tokio::test]
async fn what_would_not_be_durable_is_not_opened() {
    let Some(database) = Database::new() else { return };
    for weaker in ["off", "local", "remote_write"] {
        database.sql(&format!("ALTER DATABASE {} SET synchronous_commit = {weaker}", database.name()));
        assert!(refused(&database.url).await.contains(&format!("synchronous_commit is {weaker}")));
    }
    database.sql(&format!("ALTER DATABASE {} SET synchronous_commit = remote_apply", database.name()));
    database.log().await;
    let mut server = Postgres::start().unwrap();
    server.kill();
    server.configure("fsync = off\n");
    server.go();
    assert!(refused(&server.database()).await.contains("fsync is off"));
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_name_is_not_opened() {
    let Some(database) = Database::new() else { return };
    let name = format!("{}_latin", database.name());
    // By itself: it cannot be a part of a transaction.
    let create = format!("CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    database.server.sql(database.name(), &create);
    assert!(refused(&database.server.url(&name)).await.contains("encoding is LATIN1"));
}

#[tokio::test]
async fn a_commit_is_not_cancelled_by_a_timeout_of_the_server() {
    let Some(database) = Database::new() else { return };
    database.sql(&format!("ALTER DATABASE {} SET statement_timeout = 1", database.name()));
    let (log, records) = database.filled(1_023).await;
    assert_eq!(log.read(Position::START, 2_000).await.unwrap(), records);
}

#[tokio::test]
async fn a_log_that_grew_faster_than_it_was_analysed_is_read_by_its_index() {
    let Some(database) = Database::new() else { return };
    let (log, records) = database.filled(1).await;
    database.sql("ALTER TABLE log SET (autovacuum_enabled = off); ANALYZE log");
    let before = database.scans_after(&log).await;
    let (log, mut head) = (database.log().await, records[0].head());
    for _ in 0..8 {
        let more = chain(&head, 1_000);
        log.append(&head, &more).await.unwrap();
        head = more[999].head();
    }
    for after in [0, 4_000, 7_999] {
        assert!(!log.read(Position::new(after), 100).await.unwrap().is_empty());
    }
    assert_eq!(log.head().await.unwrap(), head);
    assert_eq!(database.scans_after(&log).await, before);
}

#[tokio::test]
async fn an_append_that_nobody_waits_for_is_whole_or_not_at_all() {
    let Some(database) = Database::new() else { return };
    let log = database.log().await;
    for micros in (0..6_000).step_by(300) {
        let head = log.head().await.unwrap();
        let records = chain(&head, 300);
        let _ = tokio::time::timeout(Duration::from_micros(micros), log.append(&head, &records)).await;
        // The server may still be at it: what settles it is an append of the same.
        let settled = log.append(&head, &records).await;
        assert!(matches!(settled, Ok(()) | Err(AppendError::Conflict)), "{settled:?}");
        assert_eq!(log.head().await.unwrap(), records[299].head());
    }
}

#[tokio::test]
async fn what_another_node_appends_is_heard_of() {
    let Some(database) = Database::new() else { return };
    let (one, other) = (database.log().await, database.log().await);
    let mut head = Head::EMPTY;
    for _ in 0..20 {
        let records = chain(&head, 1);
        one.append(&head, &records).await.unwrap();
        let position = head.position;
        while other.head().await.unwrap().position <= position {
            other.wait_past(position).await;
        }
        head = records[0].head();
    }
}

#[tokio::test]
async fn a_database_without_a_log_is_told_from_one_that_has_it() {
    let Some(database) = Database::new() else { return };
    let bystander = PostgresLog::open_read_only(&database.url.parse().unwrap()).await.unwrap();
    assert_eq!(bystander.head().await.unwrap(), Head::EMPTY);
    let (_log, records) = database.filled(3).await;
    assert_eq!(bystander.head().await.unwrap(), records[2].head());
    assert_eq!(bystander.read(Position::new(1), 9).await.unwrap(), records[1..]);
    let next = chain(&records[2].head(), 1);
    assert!(matches!(bystander.append(&records[2].head(), &next).await, Err(AppendError::Unavailable(_))));
}

#[tokio::test]
async fn a_record_of_another_shape_is_named() {
    let Some(database) = Database::new() else { return };
    let (log, records) = database.filled(3).await;
    database.sql("ALTER TABLE log DROP CONSTRAINT log_hash_check, DROP CONSTRAINT log_type_version_check");
    for harm in ["hash = '\\x00'", "type_version = -1", "type_version = 4294967296"] {
        database.sql(&format!("UPDATE log SET {harm} WHERE position = 2"));
        let found = log.read(Position::START, 9).await;
        assert!(matches!(&found, Err(ReadError::Malformed { position, .. }) if position.get() == 2), "{found:?}");
        assert_eq!(log.read(Position::START, 1).await.unwrap(), records[..1]);
    }
}
