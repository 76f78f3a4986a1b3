//! Writes rows in bulk: each statement is a round trip to sqlx's thread or to a server, so it carries many rows.

use std::sync::Arc;

use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::Transaction;

/// SQLite's largest statement has 2^8 = 256 rows: with 12 columns, 3,072 parameters of the 32,766 that it takes. Each
/// power of two up to it is one statement, so that each is prepared once.
const LARGEST_LOG2: usize = 8;
/// PostgreSQL's largest statement, in rows. A column is one parameter (an array), so one statement is enough for any
/// number of rows.
const LARGEST_POSTGRES: usize = 4_096;

/// The begin of INSERT statements. SQLite gets OR FAIL: it need not undo a failed statement, since the writer rolls
/// back the whole transaction. Otherwise SQLite would copy each page before each statement.
/// <https://sqlite.org/lang_conflict.html>
const INSERT: &str = "INSERT INTO";
const INSERT_OR_FAIL: &str = "INSERT OR FAIL INTO";

/// The value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(Arc<str>),
    /// A hash.
    Hash([u8; 32]),
}

/// The type of a column, which may also be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Integer,
    /// Texts.
    Text,
    /// Hashes.
    Hash,
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// Replaces NUL characters, which PostgreSQL does not allow in a text. Events of the first versions may have some.
impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::Text(if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Arc::<str>::from(text).into()
    }
}

impl From<[u8; 32]> for Value {
    fn from(hash: [u8; 32]) -> Self {
        Self::Hash(hash)
    }
}

/// Rows for one statement. The statement is `before`, the rows, and `after`. `{table}` stands for the table, and
/// `column1`, `column2`, … for the rows' columns. No key is in it twice.
#[derive(Debug)]
pub struct Change {
    /// The statement up to its rows.
    pub before: &'static str,
    /// The statement after its rows.
    pub after: &'static str,
    /// The types of a row's values.
    pub columns: &'static [Kind],
    /// The rows' values, one row after the other.
    pub values: Vec<Value>,
}

/// Writes the rows into `table`.
pub(super) async fn write(transaction: &mut Transaction<'_>, table: &str, change: &Change) -> sqlx::Result<()> {
    let width = change.columns.len();
    let mut rest = change.values.as_slice();
    while !rest.is_empty() {
        let left = rest.len() / width;
        match transaction {
            Transaction::Sqlite(_) => {
                let rows = 1 << left.min(1 << LARGEST_LOG2).ilog2();
                let (now, later) = rest.split_at(rows * width);
                let statement =
                    change.statement(table, &rows_of_values(width, rows)).replacen(INSERT, INSERT_OR_FAIL, 1);
                transaction.execute(statement, now).await?;
                rest = later;
            }
            Transaction::Postgres(transaction) => {
                let (now, later) = rest.split_at(left.min(LARGEST_POSTGRES) * width);
                let statement = AssertSqlSafe(change.statement(table, &rows_of_arrays(change.columns)));
                sqlx::query_with(statement, arrays(change.columns, now)?).execute(&mut **transaction).await?;
                rest = later;
            }
        }
    }
    Ok(())
}

impl Change {
    fn statement(&self, table: &str, rows: &str) -> String {
        format!("{}{rows}{}", self.before.replace("{table}", table), self.after.replace("{table}", table))
    }
}

/// Makes the VALUES of a statement. SQLite names their columns column1, column2, ….
fn rows_of_values(width: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    format!("VALUES {}", vec![row.as_str(); rows].join(","))
}

fn rows_of_arrays(columns: &[Kind]) -> String {
    let kind = |kind: &Kind| match kind {
        Kind::Integer => "bigint",
        Kind::Text => "text",
        Kind::Hash => "bytea",
    };
    let numbered = || columns.iter().zip(1..);
    let arrays: Vec<String> = numbered().map(|(column, number)| format!("${number}::{}[]", kind(column))).collect();
    let names: Vec<String> = numbered().map(|(_, number)| format!("column{number}")).collect();
    format!("SELECT * FROM unnest({}) AS rows ({})", arrays.join(","), names.join(","))
}

/// Makes an array of each column's values.
fn arrays(columns: &[Kind], values: &[Value]) -> sqlx::Result<PgArguments> {
    let mut arguments = PgArguments::default();
    for (index, kind) in columns.iter().enumerate() {
        let column = values.iter().skip(index).step_by(columns.len());
        let added = match kind {
            Kind::Integer => arguments.add(column.map(Value::integer).collect::<Vec<_>>()),
            Kind::Text => arguments.add(column.map(Value::text).collect::<Vec<_>>()),
            Kind::Hash => arguments.add(column.map(Value::hash).collect::<Vec<_>>()),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

impl Value {
    fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Null => None,
            Self::Text(_) | Self::Hash(_) => panic!("a column of whole numbers got {self:?}"),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null => None,
            Self::Integer(_) | Self::Hash(_) => panic!("a column of texts got {self:?}"),
        }
    }

    fn hash(&self) -> Option<&[u8]> {
        match self {
            Self::Hash(hash) => Some(hash),
            Self::Null => None,
            Self::Integer(_) | Self::Text(_) => panic!("a column of hashes got {self:?}"),
        }
    }
}
