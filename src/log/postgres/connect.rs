//! Connects to the host that accepts writes, with the settings that the log needs. It refuses a server that could lose
//! commits that it has acknowledged.

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

/// How long one host may take to accept a connection and tell its role.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
/// How long the commit that settles earlier records may take: a standby must answer.
const SETTLE_DEADLINE: Duration = Duration::from_secs(3);
/// For so long after a failed connection, further calls fail at once. Otherwise each command would wait for a host that
/// does not answer.
const GIVEN_UP: Duration = Duration::from_millis(500);
/// How long the migration of tables may take, with the wait for other nodes that migrate.
const MIGRATE_DEADLINE: Duration = Duration::from_secs(60);

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let tables = SqlStr::from_static(include_str!("../../../migrations/postgres/0001_log.sql"));
    Migrator::with_migrations(vec![Migration::new(1, "log".into(), MigrationType::Simple, tables, false)])
});

/// The settings of every session; they override those of the server, the database and the role. They are set by
/// statements, since a pooler passes on only these. The program limits the time of a statement, never the server: if
/// `statement_timeout` cancels a commit that waits for a standby, the commit is reported as done. Plans are made once,
/// and use the index: a log that grows faster than it is analysed looks small to the planner, which would then read all
/// of it. Rows that a policy hides are an error, not a gap. The last two settings came with PostgreSQL 14 and 17.
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

/// The reason why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The URL is not one that PostgreSQL's clients understand.
    #[error("the URL cannot be used: {0}")]
    Url(sqlx::Error),
    /// No host can be reached, or none accepts writes. The message has each host's answer.
    #[error("no host accepts writes: {0}")]
    NoPrimary(String),
    /// Every host refuses the credentials.
    #[error("no host accepts this role: {0}")]
    Denied(String),
    /// A pooler stands before the server and does not keep sessions. Settings, locks and `LISTEN` belong to a session.
    #[error("{POOLED}")]
    Pooled,
    /// The server would acknowledge commits that a crash can lose.
    #[error("the log cannot be made durable: {setting} is {value}; it must be {needed}")]
    NotDurable { setting: &'static str, value: String, needed: &'static str },
    /// The database's encoding cannot hold every name.
    #[error("the database's encoding is {0}; it must be UTF8")]
    NotUnicode(String),
    /// The database holds something else, or the log of another version.
    #[error("the log's tables cannot be brought up to date: {0}")]
    Migrations(#[from] MigrateError),
    #[error("{0}")]
    Failed(#[from] sqlx::Error),
    /// The last try failed a moment ago.
    #[error("{0}")]
    GivenUp(String),
}

impl PostgresError {
    /// True if the server may only not be running yet.
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

/// The purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Serving: records that are read are told to others as facts.
    Serving,
    /// Looking: records are only shown, and may come from a standby.
    Looking,
}

/// The hosts of one database: the primary, and its standbys.
pub(super) struct Hosts {
    each: Vec<(String, PgConnectOptions)>,
    /// The index of the host that was the primary last.
    primary: AtomicUsize,
    /// The time and the reason of the last failed connection for serving.
    given_up: Mutex<Option<(Instant, String)>>,
}

impl Hosts {
    pub(super) fn parse(url: &SecretUrl) -> Result<Self, PostgresError> {
        let options = |url: SecretUrl| {
            let options: PgConnectOptions = url.expose().parse().map_err(PostgresError::Url)?;
            // A pooler refuses settings that it does not know, so none is sent here; `extra_float_digits` keeps its
            // value.
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

    /// Connects to the primary, and migrates its tables.
    pub(super) async fn prepare(&self) -> Result<PgConnection, PostgresError> {
        let mut connection = self.find(Purpose::Serving).await?;
        let kept = timeout(CONNECT_DEADLINE, keeps_sessions(&mut connection, &self.primary())).await;
        if !kept.map_err(|_| timed_out())?? {
            return Err(PostgresError::Pooled);
        }
        // If several nodes start at once, the others wait longer here than for locks later on.
        raw_sql("SET lock_timeout = 0").execute(&mut connection).await?;
        let migrated = timeout(MIGRATE_DEADLINE, MIGRATIONS.run_direct(None, &mut connection, false)).await;
        migrated.map_err(|_| timed_out())??;
        raw_sql("SET lock_timeout = '1s'").execute(&mut connection).await?;
        settle(&mut connection).await?;
        Ok(connection)
    }

    /// Connects to the primary. Records that are read there are durable. For looking, a standby is enough if there is
    /// no primary.
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

    /// Tries each host in turn, first the one that was the primary last.
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

/// Connects to a host, and asks whether it accepts writes, or why not.
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

/// Makes durable the commits that an earlier run of the server left. A restarted primary shows commits that its standby
/// may not have. After a later commit is acknowledged, the standby has them. Connections do not outlive a run of the
/// server, so this is done once for each connection.
async fn settle(connection: &mut PgConnection) -> Result<(), PostgresError> {
    let settled = timeout(SETTLE_DEADLINE, sqlx::query(SETTLE).execute(connection)).await;
    settled.map_err(|_| timed_out())??;
    Ok(())
}
