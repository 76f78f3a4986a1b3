//! The comparison of two tables of one model, row by row.

use futures_util::TryStreamExt;

use super::{Row, SqlModel, Transaction, Value};

/// The first row that is in one table only, or differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The row in the left table.
    pub left: Option<String>,
    /// The row in the right table.
    pub right: Option<String>,
}

/// Compares the live tables of two databases, which may be of different kinds. Returns the number of rows if they are
/// equal, else the first difference.
///
/// # Errors
/// A database fails.
pub async fn compare(
    model: &SqlModel,
    left: &mut Transaction<'_>,
    right: &mut Transaction<'_>,
) -> sqlx::Result<Result<u64, Difference>> {
    let query = format!("SELECT * FROM {} ORDER BY {}", model.name, model.key);
    let (mut left, mut right) = (left.stream(query.clone()), right.stream(query));
    let mut rows = 0;
    loop {
        let (one, other) = (left.try_next().await?, right.try_next().await?);
        let (one, other) = (one.as_ref().map(Row::cells).transpose()?, other.as_ref().map(Row::cells).transpose()?);
        if one != other {
            return Ok(Err(Difference { left: one.map(text), right: other.map(text) }));
        }
        if one.is_none() {
            return Ok(Ok(rows));
        }
        rows += 1;
    }
}

fn text(cells: Vec<(String, Value)>) -> String {
    let cell = |(name, value): (String, Value)| match value {
        Value::Null => format!("{name} null"),
        Value::Integer(number) => format!("{name} {number}"),
        Value::Text(text) => format!("{name} {text:?}"),
        Value::Hash(hash) => format!("{name} {}", domain::Hash::new(hash)),
    };
    cells.into_iter().map(cell).collect::<Vec<_>>().join(", ")
}
