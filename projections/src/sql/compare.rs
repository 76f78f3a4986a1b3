//! Two tables of one model, row for row.

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column, Row, TypeInfo, ValueRef};

use super::{SqlModel, Value};

/// The first row that is in one table only, or differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// As the one table has it.
    pub left: Option<String>,
    /// As the other has it.
    pub right: Option<String>,
}

/// The number of rows where the live tables of both databases are equal, else the first difference.
///
/// # Errors
/// The databases'.
pub async fn compare(
    model: &SqlModel,
    left: &mut SqliteConnection,
    right: &mut SqliteConnection,
) -> sqlx::Result<Result<u64, Difference>> {
    let query = format!("SELECT * FROM {} ORDER BY {}", model.name, model.key);
    let mut left = sqlx::query(AssertSqlSafe(query.clone())).fetch(left);
    let mut right = sqlx::query(AssertSqlSafe(query)).fetch(right);
    let mut rows = 0;
    loop {
        let (one, other) = (left.try_next().await?, right.try_next().await?);
        let (one, other) = (one.as_ref().map(values).transpose()?, other.as_ref().map(values).transpose()?);
        if one != other {
            return Ok(Err(Difference { left: one.map(text), right: other.map(text) }));
        }
        if one.is_none() {
            return Ok(Ok(rows));
        }
        rows += 1;
    }
}

type Cell = (String, Value);

fn values(row: &SqliteRow) -> sqlx::Result<Vec<Cell>> {
    let cell = |index: usize| {
        let raw = row.try_get_raw(index)?;
        let value = match raw.type_info().name() {
            _ if raw.is_null() => Value::Null,
            "INTEGER" => Value::Integer(row.try_get_unchecked(index)?),
            "BLOB" => {
                Value::Hash(<[u8; 32]>::try_from(row.try_get_unchecked::<Vec<u8>, _>(index)?).unwrap_or_default())
            }
            _ => Value::from(row.try_get_unchecked::<&str, _>(index)?),
        };
        Ok((row.column(index).name().to_owned(), value))
    };
    (0..row.len()).map(cell).collect()
}

fn text(cells: Vec<Cell>) -> String {
    let cell = |(name, value): Cell| match value {
        Value::Null => format!("{name} null"),
        Value::Integer(number) => format!("{name} {number}"),
        Value::Text(text) => format!("{name} {text:?}"),
        Value::Hash(hash) => format!("{name} {}", domain::Hash::new(hash)),
    };
    cells.into_iter().map(cell).collect::<Vec<_>>().join(", ")
}
