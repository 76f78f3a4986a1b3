//! The location of the read models: a file, or a schema on a server; and how each is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, Row as _, SqlStr, raw_sql};
use uuid::Uuid;

use super::session::{POOLED, Schema, keeps_sessions, set_up};
use super::{Connection, Readers};

/// The file in the data folder, beside the log's.
pub const READ_MODELS_FILE: &str = "read-models.db";
/// The number of connections that read at the same time.
const READERS: u32 = 4;
/// How long a statement waits for another process's lock on the file, a query waits for a connection, and a connection
/// waits for the server.
const PATIENCE: Duration = Duration::from_secs(5);
/// The number of prepared statements: one for each power of two up to 256 rows, for each table and the one built beside
/// it.
const STATEMENTS: usize = 256;

const SQLITE: &str = include_str!("../../../migrations/sqlite/read_models/0001_checkpoints.sql");
const POSTGRES: &str = include_str!("../../../migrations/postgres/read_models/0001_checkpoints.sql");

/// The migrations of the common tables. Each read model makes its own table.
fn migrator(checkpoints: &'static str) -> Migrator {
    let tables = SqlStr::from_static(checkpoints);
    Migrator::with_migrations(vec![Migration::new(1, "checkpoints".into(), MigrationType::Simple, tables, false)])
}

/// The location of the read models.
#[derive(Clone)]
pub enum Location {
    /// This file.
    File(PathBuf),
    /// A schema for the log, on the first of these servers that accepts writes.
    Servers(Vec<PgConnectOptions>),
}

impl Location {
    /// Opens the read models of a log for writing and for queries, and makes missing tables.
    ///
    /// # Errors
    /// The database cannot be opened, or is something else.
    pub async fn open(&self, log_id: Uuid) -> Result<(Connection, Readers), MigrateError> {
        match self {
            Self::File(path) => {
                let writer = file(path).await?;
                let pool = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE);
                Ok((writer, Readers::Sqlite(pool.connect_with(sqlite(path).read_only(true)).await?)))
            }
            Self::Servers(servers) => {
                let schema = Schema::of(log_id);
                let (mut writer, server) = primary(servers, &schema.writer()).await?;
                if !keeps_sessions(&mut writer, server).await? {
                    return Err(sqlx::Error::Configuration(POOLED.into()).into());
                }
                let mut migrator = migrator(POSTGRES);
                // A role that may not create a schema may still use one that exists.
                if !schema.is_there(&mut writer).await? {
                    migrator.create_schema(schema.name().to_owned());
                }
                migrator.run_direct(None, &mut writer, false).await?;
                let pool = PgPoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE);
                let settings = schema.reader();
                let pool = pool.after_connect(move |connection, _| {
                    let settings = settings.clone();
                    Box::pin(async move { set_up(connection, &settings).await })
                });
                // A prepared statement would always fail after its table was swapped for one of another shape.
                let options = options(server).statement_cache_capacity(0);
                Ok((Connection::Postgres(writer), Readers::Postgres(pool.connect_with(options).await?)))
            }
        }
    }

    /// Opens a connection that only reads, beside a server or without one. `None` if there is no database yet. A file
    /// that no process has open is read as `immutable`: otherwise SQLite would make a WAL beside it.
    /// <https://sqlite.org/wal.html#read_only_databases>
    ///
    /// # Errors
    /// The database cannot be opened, or may not be read.
    pub async fn look(&self, log_id: Uuid) -> sqlx::Result<Option<Connection>> {
        match self {
            Self::File(path) if !path.exists() => Ok(None),
            Self::File(path) => {
                let wal = PathBuf::from(format!("{}-wal", path.display()));
                let is_alone = wal.metadata().map_or(true, |wal| wal.len() == 0);
                let mut connection = sqlite(path).read_only(true).immutable(is_alone).connect().await?;
                // The process that made the file may have been stopped before it made the tables.
                let is_there = sqlx::query_scalar("SELECT count(*) > 0 FROM sqlite_master WHERE name = 'checkpoints'");
                let is_there: bool = is_there.fetch_one(&mut connection).await?;
                Ok(is_there.then_some(Connection::Sqlite(connection)))
            }
            Self::Servers(servers) => {
                let schema = Schema::of(log_id);
                let (mut connection, _) = primary(servers, &schema.reader()).await?;
                if !schema.is_there(&mut connection).await? {
                    return Ok(None);
                }
                let is_there = sqlx::query_scalar("SELECT to_regclass('checkpoints') IS NOT NULL");
                let is_there: bool = is_there.fetch_one(&mut connection).await?;
                Ok(is_there.then_some(Connection::Postgres(connection)))
            }
        }
    }
}

impl Connection {
    /// Opens a temporary database, which SQLite keeps on disk for this connection only.
    ///
    /// # Errors
    /// There is no room for it.
    pub async fn temporary() -> Result<Self, MigrateError> {
        file(Path::new("")).await
    }
}

/// Opens a file, which is created if missing. A power cut may lose its last transactions, but never a part of one.
async fn file(path: &Path) -> Result<Connection, MigrateError> {
    let options = sqlite(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let mut connection = options.statement_cache_capacity(STATEMENTS).connect().await?;
    migrator(SQLITE).run_direct(None, &mut connection, false).await?;
    Ok(Connection::Sqlite(connection))
}

fn sqlite(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(PATIENCE)
        .disable_statement_logging()
}

/// The options of a connection. They hold no settings, since a pooler refuses unknown ones: sessions get their settings
/// by statements.
fn options(server: &PgConnectOptions) -> PgConnectOptions {
    server.clone().extra_float_digits(None).application_name("reprise read models").disable_statement_logging()
}

/// Connects to the first server that accepts writes, with these settings. Returns this server as well.
async fn primary<'s>(
    servers: &'s [PgConnectOptions],
    settings: &str,
) -> sqlx::Result<(PgConnection, &'s PgConnectOptions)> {
    let mut failed = sqlx::Error::Configuration("no server is named".into());
    for server in servers {
        match tokio::time::timeout(PATIENCE, connect(server, settings)).await {
            Ok(Ok(Some(connection))) => return Ok((connection, server)),
            Ok(Ok(None)) => failed = sqlx::Error::Configuration("no server accepts writes".into()),
            Ok(Err(error)) => failed = error,
            Err(_) => failed = sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
        }
    }
    Err(failed)
}

/// Connects to a server. `None` if it is a standby.
async fn connect(server: &PgConnectOptions, settings: &str) -> sqlx::Result<Option<PgConnection>> {
    let mut connection = options(server).connect().await?;
    set_up(&mut connection, settings).await?;
    let is_standby: bool = raw_sql("SELECT pg_is_in_recovery()").fetch_one(&mut connection).await?.try_get(0)?;
    if is_standby {
        connection.close().await?;
        return Ok(None);
    }
    Ok(Some(connection))
}
