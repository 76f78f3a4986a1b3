//! The two kinds of databases behind one interface. Statements are written once for both. The differences between
//! SQLite and PostgreSQL are here, in [`super::database`] and in [`super::write`].

use futures_util::stream::{BoxStream, StreamExt};
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Arguments, AssertSqlSafe, Connection as _, Database, Encode, Postgres, Sqlite, Type};

use super::Value;
use super::errors::is_missing_table;
use super::row::Row;

/// Takes SQLite's lock at once. A transaction that begins by reading could find the lock taken when it begins to write.
const WRITE_SQLITE: &str = "BEGIN IMMEDIATE";
/// Lets all queries of a transaction see the state as of the first one. SQLite always does that.
const READ_POSTGRES: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Finds a table in SQLite.
const TABLE_SQLITE: &str = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1";

/// An open connection.
#[derive(Debug)]
pub enum Connection {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
}

/// A pool of connections that only read.
#[derive(Debug, Clone)]
pub enum Readers {
    /// To a file.
    Sqlite(SqlitePool),
    /// To a server.
    Postgres(PgPool),
}

/// A transaction. Dropped without a commit, it has no effect.
pub enum Transaction<'c> {
    /// A transaction on a file.
    Sqlite(sqlx::Transaction<'c, Sqlite>),
    /// A transaction on a server.
    Postgres(sqlx::Transaction<'c, Postgres>),
}

impl Connection {
    /// Begins to write.
    ///
    /// # Errors
    /// The database fails.
    pub async fn begin(&mut self) -> sqlx::Result<Transaction<'_>> {
        Ok(match self {
            Self::Sqlite(connection) => Transaction::Sqlite(connection.begin_with(WRITE_SQLITE).await?),
            Self::Postgres(connection) => Transaction::Postgres(connection.begin().await?),
        })
    }

    /// Begins to read.
    ///
    /// # Errors
    /// The database fails.
    pub async fn begin_reading(&mut self) -> sqlx::Result<Transaction<'_>> {
        Ok(match self {
            Self::Sqlite(connection) => Transaction::Sqlite(connection.begin().await?),
            Self::Postgres(connection) => Transaction::Postgres(connection.begin_with(READ_POSTGRES).await?),
        })
    }

    /// True if other programs may write to the same tables.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Closes the connection in good order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn close(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
    }
}

impl Readers {
    /// Begins to read.
    ///
    /// # Errors
    /// The database's, or all connections are taken for long.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static>> {
        Ok(match self {
            Self::Sqlite(pool) => Transaction::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => Transaction::Postgres(pool.begin_with(READ_POSTGRES).await?),
        })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Transaction<'_> {
    /// Commits.
    ///
    /// # Errors
    /// The database's. Then the commit may have happened or not.
    pub async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Rolls back, and waits until that is done.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rollback(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::Postgres(transaction) => transaction.rollback().await,
        }
    }

    /// Locks a table against a swap until the end of the transaction, and waits for a swap that is going on. Returns
    /// `false` if the table does not exist; then the transaction cannot be used any more. It must be the first
    /// statement: all reads are as of the first query, and a table that is swapped in later would lack its newest rows.
    /// In SQLite the tables themselves are as of the first query as well.
    pub(super) async fn hold(&mut self, table: &str) -> sqlx::Result<bool> {
        let Self::Postgres(transaction) = self else {
            return Ok(!self.rows(TABLE_SQLITE, &[table.into()]).await?.is_empty());
        };
        let lock = AssertSqlSafe(format!("LOCK TABLE {table} IN ACCESS SHARE MODE"));
        match sqlx::raw_sql(lock).execute(&mut **transaction).await {
            Ok(_) => Ok(true),
            Err(error) if is_missing_table(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Executes a statement. Returns the number of rows that it affected.
    pub(super) async fn execute(&mut self, statement: impl Into<String>, values: &[Value]) -> sqlx::Result<u64> {
        let statement = AssertSqlSafe(statement.into());
        match self {
            Self::Sqlite(transaction) => {
                let query = sqlx::query_with(statement, arguments::<Sqlite>(values)?);
                Ok(query.execute(&mut **transaction).await?.rows_affected())
            }
            Self::Postgres(transaction) => {
                let query = sqlx::query_with(statement, arguments::<Postgres>(values)?);
                Ok(query.execute(&mut **transaction).await?.rows_affected())
            }
        }
    }

    /// Executes statements without values.
    pub(super) async fn run(&mut self, statements: String) -> sqlx::Result<()> {
        let statements = sqlx::raw_sql(AssertSqlSafe(statements));
        match self {
            Self::Sqlite(transaction) => statements.execute(&mut **transaction).await.map(drop),
            Self::Postgres(transaction) => statements.execute(&mut **transaction).await.map(drop),
        }
    }

    /// Converts the columns' types: for SQLite, INTEGER replaces BIGINT. It is as wide, and as a primary key it is the
    /// row's own number, which needs no further index. <https://sqlite.org/lang_createtable.html#rowid>
    pub(super) fn columns(&self, columns: &str) -> String {
        match self {
            Self::Sqlite(_) => columns.replace("BIGINT", "INTEGER"),
            Self::Postgres(_) => columns.to_owned(),
        }
    }

    /// The rows of a query.
    pub(super) async fn rows(&mut self, query: &'static str, values: &[Value]) -> sqlx::Result<Vec<Row>> {
        match self {
            Self::Sqlite(transaction) => {
                let query = sqlx::query_with(query, arguments::<Sqlite>(values)?);
                Ok(query.fetch_all(&mut **transaction).await?.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres(transaction) => {
                let query = sqlx::query_with(query, arguments::<Postgres>(values)?);
                Ok(query.fetch_all(&mut **transaction).await?.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The rows of a query, one after the other.
    pub(super) fn stream(&mut self, query: String) -> BoxStream<'_, sqlx::Result<Row>> {
        let query = AssertSqlSafe(query);
        match self {
            Self::Sqlite(transaction) => {
                sqlx::query(query).fetch(&mut **transaction).map(|row| row.map(Row::Sqlite)).boxed()
            }
            Self::Postgres(transaction) => {
                sqlx::query(query).fetch(&mut **transaction).map(|row| row.map(Row::Postgres)).boxed()
            }
        }
    }
}

fn arguments<D: Database>(values: &[Value]) -> sqlx::Result<D::Arguments>
where
    Option<i64>: for<'v> Encode<'v, D> + Type<D>,
    for<'v> &'v str: Encode<'v, D> + Type<D>,
    for<'v> &'v [u8]: Encode<'v, D> + Type<D>,
{
    let mut arguments = D::Arguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Integer(number) => arguments.add(Some(*number)),
            Value::Text(text) => arguments.add(text.as_ref()),
            Value::Hash(hash) => arguments.add(hash.as_slice()),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
