//! Connections: to the host that takes writes, with the settings that the log relies on, and to nothing that could lose what
//! it has acknowledged.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use projections::sql::{POOLED, keeps_sessions, set_up};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Row, SqlStr, raw_sql};
use tokio::time::{Instant, timeout};

use super::errors::{self, timed_out};
use crate::secret_url::SecretUrl;

/// How long one host may take to accept a connection and say what it is.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
/// How long a commit that settles what was found may take: as long as it takes a standby to answer.
const SETTLE_DEADLINE: Duration = Duration::from_secs(3);
/// For so long after a connection could not be had, whoever asks is told so at once: while a host does not even refuse, each
/// command would wait for it.
const GIVEN_UP: Duration = Duration::from_millis(500);
/// How long bringing tables up to date may take, other nodes that do the same included.
const MIGRATE_DEADLINE: Duration = Duration::from_secs(60);

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let tables = SqlStr::from_static(include_str!("../../../migrations/postgres/0001_log.sql"));
    Migrator::with_migrations(vec![Migration::new(1, "log".into(), MigrationType::Simple, tables, false)])
});

/// Of every session: all that it depends on, whatever the server, the database or the role has it set to. By statements,
/// since a pooler passes on no others. A statement's time is bounded by us and never by the server: a commit that
/// `statement_timeout` cancels while it waits for a standby is reported as done. Plans are made once, and by index: a log
/// that grows faster than it is analysed looks small to the planner, which would read all of it. Rows that a policy hides
/// are an error, not a gap. The last two came with PostgreSQL 14 and 17.
pub(super) const SETTINGS: &str = "SET statement_timeout = 0; SET client_min_messages = warning; \
     SET client_encoding = 'UTF8'; SET bytea_output = 'hex'; SET standard_conforming_strings = on; \
     SET row_security = off; SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = '2s'; \
     SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off; \
     SET plan_cache_mode = force_generic_plan; SET enable_indexscan = on; SET enable_seqscan = off; \
     SET enable_bitmapscan = off; SET jit = off; \
     SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')";
const WHAT_IT_IS: &str = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', \
     current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_encoding')";
const SETTLE: &str = "UPDATE log_settled SET times = times + 1";

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The URL is not one that PostgreSQL's clients understand.
    #[error("the URL cannot be used: {0}")]
    Url(sqlx::Error),
    /// No host can be reached, or none takes writes; what each said.
    #[error("no host takes writes: {0}")]
    NoPrimary(String),
    /// Every host refuses who asks.
    #[error("no host lets this role in: {0}")]
    Denied(String),
    /// Settings, locks and `LISTEN` belong to a session, which a pooler keeps only in session mode.
    #[error("{POOLED}")]
    Pooled,
    /// It would acknowledge what a crash can take back.
    #[error("the log cannot be made durable: {setting} is {value}; it must be {needed}")]
    NotDurable { setting: &'static str, value: String, needed: &'static str },
    /// Its text could not hold every name.
    #[error("the database's encoding is {0}; it must be UTF8")]
    NotUnicode(String),
    /// The database holds something else, or the log of another version.
    #[error("the log's tables cannot be brought up to date: {0}")]
    Migrations(#[from] MigrateError),
    #[error("{0}")]
    Failed(#[from] sqlx::Error),
    /// As it was a moment ago.
    #[error("{0}")]
    GivenUp(String),
}

impl PostgresError {
    /// Whether the server may only not be there yet.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::NoPrimary(_) | Self::Failed(_) | Self::GivenUp(_) => true,
            Self::Url(_)
            | Self::Denied(_)
            | Self::Pooled
            | Self::NotDurable { .. }
            | Self::NotUnicode(_)
            | Self::Migrations(_) => false,
        }
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What is read is told to others as a fact.
    Serving,
    /// What is read is looked at, on a standby if need be.
    Looking,
}

/// The hosts of one database: a primary, and what may become one.
pub(super) struct Hosts {
    each: Vec<(String, PgConnectOptions)>,
    /// The one that was the primary last.
    primary: AtomicUsize,
    /// When and why there was no connection to serve from.
    given_up: Mutex<Option<(Instant, String)>>,
}

impl Hosts {
    pub(super) fn parse(url: &SecretUrl) -> Result<Self, PostgresError> {
        let options = |url: SecretUrl| {
            let options: PgConnectOptions = url.expose().parse().map_err(PostgresError::Url)?;
            // A pooler lets no setting by that it does not know; this one is set to what it is.
            let options = options.extra_float_digits(None).application_name("reprise");
            Ok((url.to_string(), options.disable_statement_logging()))
        };
        let each: Result<Vec<_>, PostgresError> = url.each_host().into_iter().map(options).collect();
        Ok(Self { each: each?, primary: AtomicUsize::new(0), given_up: Mutex::default() })
    }

    /// The options of the host that was the primary last.
    pub(super) fn primary(&self) -> PgConnectOptions {
        self.each[self.primary.load(Ordering::Relaxed)].1.clone()
    }

    /// A connection to the primary whose tables are up to date.
    pub(super) async fn prepare(&self) -> Result<PgConnection, PostgresError> {
        let mut connection = self.find(Purpose::Serving).await?;
        let kept = timeout(CONNECT_DEADLINE, keeps_sessions(&mut connection, &self.primary())).await;
        if !kept.map_err(|_| timed_out())?? {
            return Err(PostgresError::Pooled);
        }
        // Of several nodes that start at once, the others wait longer than a lock is waited for later on.
        raw_sql("SET lock_timeout = 0").execute(&mut connection).await?;
        let migrated = timeout(MIGRATE_DEADLINE, MIGRATIONS.run_direct(None, &mut connection, false)).await;
        migrated.map_err(|_| timed_out())??;
        raw_sql("SET lock_timeout = '1s'").execute(&mut connection).await?;
        settle(&mut connection).await?;
        Ok(connection)
    }

    /// A connection to the primary; what is read there is durable. To look, a standby will do where there is no primary.
    pub(super) async fn connect(&self, purpose: Purpose) -> Result<PgConnection, PostgresError> {
        if purpose == Purpose::Looking {
            return self.find(purpose).await;
        }
        if let Some((since, why)) = &*self.given_up.lock().expect("nobody panics with it")
            && since.elapsed() < GIVEN_UP
        {
            return Err(PostgresError::GivenUp(why.clone()));
        }
        let connected = self.connect_to_serve().await;
        let failed = connected.as_ref().err().map(|error| (Instant::now(), error.to_string()));
        *self.given_up.lock().expect("nobody panics with it") = failed;
        connected
    }

    async fn connect_to_serve(&self) -> Result<PgConnection, PostgresError> {
        let mut connection = self.find(Purpose::Serving).await?;
        settle(&mut connection).await?;
        Ok(connection)
    }

    /// Tries each host in turn, beginning with the one that was the primary last.
    async fn find(&self, purpose: Purpose) -> Result<PgConnection, PostgresError> {
        let begin = self.primary.load(Ordering::Relaxed);
        let (mut reasons, mut standby, mut is_denied) = (Vec::new(), None, true);
        for index in (begin..begin + self.each.len()).map(|index| index % self.each.len()) {
            let (name, options) = &self.each[index];
            let tried = timeout(CONNECT_DEADLINE, ask(options)).await;
            match tried.unwrap_or_else(|_| Err(timed_out().into())) {
                Ok((connection, None)) => {
                    self.primary.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok((connection, Some(why))) => {
                    standby.get_or_insert(connection);
                    is_denied = false;
                    reasons.push(format!("{name} {why}"));
                }
                Err(refused @ (PostgresError::NotDurable { .. } | PostgresError::NotUnicode(_))) => {
                    return Err(refused);
                }
                Err(error) => {
                    is_denied &= matches!(&error, PostgresError::Failed(error) if errors::is_denied(error));
                    reasons.push(format!("{name}: {error}"));
                }
            }
        }
        match standby {
            Some(connection) if purpose == Purpose::Looking => Ok(connection),
            None if is_denied => Err(PostgresError::Denied(reasons.join("; "))),
            Some(_) | None => Err(PostgresError::NoPrimary(reasons.join("; "))),
        }
    }
}

/// Connects to a host, and asks whether it takes writes, or why not.
async fn ask(options: &PgConnectOptions) -> Result<(PgConnection, Option<&'static str>), PostgresError> {
    let mut connection = options.connect().await?;
    set_up(&mut connection, SETTINGS).await?;
    let row = raw_sql(WHAT_IT_IS).fetch_one(&mut connection).await?;
    let why_not = match (row.try_get(0)?, row.try_get(1)?) {
        (true, _) => Some("is a standby"),
        (false, true) => Some("takes no writes: `default_transaction_read_only` is on"),
        (false, false) => None,
    };
    let encoding: String = row.try_get(4)?;
    if encoding != "UTF8" {
        return Err(PostgresError::NotUnicode(encoding));
    }
    if why_not.is_none() {
        must_be("fsync", row.try_get(2)?, &["on"], "on")?;
        // remote_apply waits for more than on does. <https://www.postgresql.org/docs/current/runtime-config-wal.html>
        must_be("synchronous_commit", row.try_get(3)?, &["on", "remote_apply"], "on")?;
    }
    Ok((connection, why_not))
}

fn must_be(setting: &'static str, value: String, good: &[&str], needed: &'static str) -> Result<(), PostgresError> {
    if good.contains(&value.as_str()) { Ok(()) } else { Err(PostgresError::NotDurable { setting, value, needed }) }
}

/// Makes durable what an earlier run of the server left behind. A primary that restarts shows commits that its standby may
/// not have; once a later commit is acknowledged, it has them. A run of the server outlives none of its connections, so
/// once for each of them is enough.
async fn settle(connection: &mut PgConnection) -> Result<(), PostgresError> {
    let settled = timeout(SETTLE_DEADLINE, sqlx::query(SETTLE).execute(connection)).await;
    settled.map_err(|_| timed_out())??;
    Ok(())
}
