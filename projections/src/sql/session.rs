//! Sessions on a server: their settings, their schema, and a test whether a pooler breaks them.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, raw_sql};
use uuid::Uuid;

/// SQLSTATE of a statement that was cancelled.
const QUERY_CANCELED: &str = "57014";

/// The settings of every session; they override those of the server, the database and the role. A crash may lose the
/// last transactions, but never a part of one: lost events are folded again. Plans are made for the given values: a
/// plan made for an empty table would read all of a large one. Rows that a policy hides are an error: otherwise
/// comparisons would be wrong. The last two settings came with PostgreSQL 14 and 17.
const SETTINGS: &str = "SET statement_timeout = 0; SET client_min_messages = warning; SET client_encoding = 'UTF8'; \
     SET bytea_output = 'hex'; SET standard_conforming_strings = on; SET row_security = off; SET synchronous_commit = off; \
     SET plan_cache_mode = force_custom_plan; SET lock_timeout = 0; \
     SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off; \
     SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')";

/// How many times the test for a pooler runs: each time another client may take the session.
const POOLER_TRIES: usize = 3;

/// The message if [`keeps_sessions`] returns false.
pub const POOLED: &str = "a pooler that changes sessions stands before the server (`pool_mode` is `transaction` or `statement`): \
     use `pool_mode = session`, or the server itself";

/// The schema of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema(String);

impl Schema {
    /// Makes the schema's name from the log's id, so that two logs never share a schema.
    pub fn of(log_id: Uuid) -> Self {
        Self(format!("reprise_read_models_{}", log_id.simple()))
    }

    /// The name, which needs no quotes.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The settings of a session that reads: a comparison may be idle in its transaction for long.
    pub(super) fn reader(&self) -> String {
        format!("{SETTINGS}; SET search_path = {}; SET idle_in_transaction_session_timeout = 0", self.0)
    }

    /// The settings of a session that writes: a program that is idle in a transaction must not delay other nodes.
    pub(super) fn writer(&self) -> String {
        format!("{SETTINGS}; SET search_path = {}; SET idle_in_transaction_session_timeout = '10s'", self.0)
    }

    /// Returns true if the schema exists.
    ///
    /// # Errors
    /// The database's, or the role may not use the schema: then its tables would seem to be missing.
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

/// Returns true if a connection keeps its session. A pooler in another mode gives the session to another client between
/// two transactions. To test that, a second client opens a transaction.
///
/// # Errors
/// The server fails.
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

/// Sets up a new session. A timeout that is set in the database may cancel the statement that ends the timeout, and
/// even the next one. A cancelled statement is sent again, as long as the caller waits.
///
/// # Errors
/// The server's, except for a cancelled statement.
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

/// Reads the id of the server's process for a connection.
async fn session(connection: &mut PgConnection) -> sqlx::Result<i32> {
    // No prepared statement is used, since another session may have prepared it.
    raw_sql("SELECT pg_backend_pid()").fetch_one(connection).await?.try_get(0)
}
