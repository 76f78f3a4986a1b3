//! Sessions on a server: what they are told, the schema that they work in, and whether they are sessions at all.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, raw_sql};
use uuid::Uuid;

/// SQLSTATE of a statement that was cancelled.
const QUERY_CANCELED: &str = "57014";

/// Every session's settings, whatever the server, the database or the role has them set to. A crash may take its last
/// transactions back, never a part of one: what is lost is folded again. Plans are made for the values at hand: one that
/// was made while a table was empty reads all of it when it is large. Rows that a policy hides are an error: who can see
/// only some of them can compare nothing. The last two came with PostgreSQL 14 and 17.
const SETTINGS: &str = "SET statement_timeout = 0; SET client_min_messages = warning; SET client_encoding = 'UTF8'; \
     SET bytea_output = 'hex'; SET standard_conforming_strings = on; SET row_security = off; SET synchronous_commit = off; \
     SET plan_cache_mode = force_custom_plan; SET lock_timeout = 0; \
     SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off; \
     SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')";

/// How often a session that a pooler gives away is looked for: each time other clients may come between.
const POOLER_TRIES: usize = 3;

/// What is said where [`keeps_sessions`] says no.
pub const POOLED: &str = "a pooler that changes sessions stands before the server (`pool_mode` is `transaction` or `statement`): \
     use `pool_mode = session`, or the server itself";

/// The schema that belongs to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema(String);

impl Schema {
    /// Named by the log's id, so that no two logs ever share one.
    pub fn of(log_id: Uuid) -> Self {
        Self(format!("reprise_read_models_{}", log_id.simple()))
    }

    /// Its name, which needs no quotes.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The settings of who reads: a comparison may stand still in its transaction for long.
    pub(super) fn reader(&self) -> String {
        format!("{SETTINGS}; SET search_path = {}; SET idle_in_transaction_session_timeout = 0", self.0)
    }

    /// The settings of who writes: a program that stands still in a transaction must not hold up other nodes.
    pub(super) fn writer(&self) -> String {
        format!("{SETTINGS}; SET search_path = {}; SET idle_in_transaction_session_timeout = '10s'", self.0)
    }

    /// Whether it is there.
    ///
    /// # Errors
    /// The database's, or the role may not use it: then its tables look as if they were not there.
    pub(super) async fn is_there(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let ask = "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1";
        match sqlx::query_scalar(ask).bind(&self.0).fetch_optional(connection).await? {
            None => Ok(false),
            Some(true) => Ok(true),
            Some(false) => {
                let why = format!("the role may not use the schema {} (GRANT USAGE ON SCHEMA)", self.0);
                Err(sqlx::Error::Configuration(why.into()))
            }
        }
    }
}

/// Whether a connection keeps its session. A pooler in another mode gives it away between two transactions: to another
/// client of ours, which then holds it in a transaction.
///
/// # Errors
/// The server's.
pub async fn keeps_sessions(connection: &mut PgConnection, server: &PgConnectOptions) -> sqlx::Result<bool> {
    for _ in 0..POOLER_TRIES {
        let ours = session(connection).await?;
        let mut other = server.clone().extra_float_digits(None).connect().await?;
        set_up(&mut other, "SET idle_in_transaction_session_timeout = 0").await?;
        raw_sql("BEGIN").execute(&mut other).await?;
        if session(&mut other).await? == ours {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells a new session what it depends on. A timeout that the database is set to may cancel the very statement that ends it,
/// and even the next one: what was cancelled is told again, for as long as the caller waits.
///
/// # Errors
/// The server's, of anything else.
pub async fn set_up(connection: &mut PgConnection, settings: &str) -> sqlx::Result<()> {
    for statement in ["SET statement_timeout = 0", settings] {
        while let Err(error) = raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut *connection).await {
            let code = error.as_database_error().and_then(|error| error.code());
            if code.as_deref() != Some(QUERY_CANCELED) {
                return Err(error);
            }
        }
    }
    Ok(())
}

/// The server's own session of a connection.
async fn session(connection: &mut PgConnection) -> sqlx::Result<i32> {
    // Without a prepared statement, which another session may have had before.
    raw_sql("SELECT pg_backend_pid()").fetch_one(connection).await?.try_get(0)
}
