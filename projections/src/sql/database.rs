//! Where read models lie, and how each place is opened: a file of their own, or a schema of their own on a server.

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
/// Connections that read at the same time.
const READERS: u32 = 4;
/// How long a statement waits for another process's lock on the file, a query for a connection, and whoever connects for a
/// server.
const PATIENCE: Duration = Duration::from_secs(5);
/// A statement for each power of two up to 256, of each table and of the one that is built beside it.
const STATEMENTS: usize = 256;

const SQLITE: &str = include_str!("../../../migrations/sqlite/read_models/0001_checkpoints.sql");
const POSTGRES: &str = include_str!("../../../migrations/postgres/read_models/0001_checkpoints.sql");

/// What brings a database's tables up to date; those of each read model are made by itself.
fn migrator(checkpoints: &'static str) -> Migrator {
    let tables = SqlStr::from_static(checkpoints);
    Migrator::with_migrations(vec![Migration::new(1, "checkpoints".into(), MigrationType::Simple, tables, false)])
}

/// Where read models lie.
#[derive(Clone)]
pub enum Location {
    /// In this file.
    File(PathBuf),
    /// In a schema that belongs to their log, on the first of these servers that accepts writes.
    Servers(Vec<PgConnectOptions>),
}

impl Location {
    /// Opens those of a log for writing and for queries, and makes what is missing.
    ///
    /// # Errors
    /// It cannot be opened, or is something else.
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
                // Who may make no schema may still use one that is there.
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
                // A statement that is kept prepared fails for good once its table was swapped for one of another shape.
                let options = options(server).statement_cache_capacity(0);
                Ok((Connection::Postgres(writer), Readers::Postgres(pool.connect_with(options).await?)))
            }
        }
    }

    /// A connection for whoever only looks, beside a server or without one; `None` where there is nothing yet. A file that
    /// nobody has open is read as it is (`immutable`): SQLite would make a WAL beside it otherwise.
    /// <https://sqlite.org/wal.html#read_only_databases>
    ///
    /// # Errors
    /// It cannot be opened, or may not be read: who can see nothing has found nothing out.
    pub async fn look(&self, log_id: Uuid) -> sqlx::Result<Option<Connection>> {
        match self {
            Self::File(path) if !path.exists() => Ok(None),
            Self::File(path) => {
                let wal = PathBuf::from(format!("{}-wal", path.display()));
                let is_alone = wal.metadata().map_or(true, |wal| wal.len() == 0);
                let mut connection = sqlite(path).read_only(true).immutable(is_alone).connect().await?;
                // Whoever made the file may have been stopped before it had tables.
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
    /// A database that SQLite keeps on disk for this connection only, and then removes.
    ///
    /// # Errors
    /// There is no room for it.
    pub async fn temporary() -> Result<Self, MigrateError> {
        file(Path::new("")).await
    }
}

/// A file, created if missing. It may lose its last transactions in a power cut, never a part of one.
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

/// A pooler lets no setting by that it does not know: sessions are told theirs by statements.
fn options(server: &PgConnectOptions) -> PgConnectOptions {
    server.clone().extra_float_digits(None).application_name("reprise read models").disable_statement_logging()
}

/// A connection to the first server that accepts writes, with these settings, and which it is.
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

/// `None`: it is a standby.
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
