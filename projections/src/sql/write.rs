//! Writing rows in bulk: each statement is a trip to sqlx's thread and back, so rows go many at a time.

use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};

/// The largest statement has 2^8 = 256 rows: with 12 columns, 3,072 parameters of the 32,766 that SQLite takes. Each
/// power of two up to it is one statement, so that each is prepared once.
const LARGEST_LOG2: usize = 8;

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(Arc<str>),
    /// A hash.
    Hash([u8; 32]),
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Integer)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// Many rows for one statement: `before`, the rows as `(?, ?), (?, ?)`, and `after`, where `{table}` stands for the table
/// that is written. No row's key is in it twice.
#[derive(Debug)]
pub struct Change {
    /// The statement up to its rows.
    pub before: &'static str,
    /// The statement after its rows.
    pub after: &'static str,
    /// How many values a row has.
    pub width: usize,
    /// The rows' values, one row after the other.
    pub values: Vec<Value>,
}

/// Writes the rows into `table`.
pub(super) async fn write(connection: &mut SqliteConnection, table: &str, change: &Change) -> sqlx::Result<()> {
    let mut rest = change.values.as_slice();
    while !rest.is_empty() {
        let rows = (rest.len() / change.width).min(1 << LARGEST_LOG2);
        let rows = 1 << rows.ilog2();
        let (now, later) = rest.split_at(rows * change.width);
        let statement = AssertSqlSafe(statement(table, change, rows));
        sqlx::query_with(statement, bound(now)?).execute(&mut *connection).await?;
        rest = later;
    }
    Ok(())
}

fn statement(table: &str, change: &Change, rows: usize) -> String {
    let row = format!("({})", vec!["?"; change.width].join(","));
    let rows = vec![row.as_str(); rows].join(",");
    format!("{}{rows}{}", change.before.replace("{table}", table), change.after.replace("{table}", table))
}

fn bound(values: &[Value]) -> sqlx::Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Integer(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(text.as_ref()),
            Value::Hash(hash) => arguments.add(hash.as_slice()),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
