//! Rows of both kinds of databases.

use domain::Hash;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, ColumnIndex, Decode, Postgres, Row as _, Sqlite, Type, TypeInfo, ValueRef};

use super::Value;

/// A row that was read.
pub(super) enum Row {
    /// From a file.
    Sqlite(SqliteRow),
    /// From a server.
    Postgres(PgRow),
}

impl Row {
    fn get<'r, T, I>(&'r self, column: I) -> sqlx::Result<T>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    pub(super) fn integer(&self, column: &str) -> sqlx::Result<i64> {
        self.get(column)
    }

    pub(super) fn number(&self, column: &str) -> sqlx::Result<u64> {
        u64::try_from(self.integer(column)?).map_err(wrong)
    }

    pub(super) fn number_if_any(&self, column: &str) -> sqlx::Result<Option<u64>> {
        let number: Option<i64> = self.get(column)?;
        number.map(u64::try_from).transpose().map_err(wrong)
    }

    pub(super) fn text(&self, column: &str) -> sqlx::Result<&str> {
        self.get(column)
    }

    pub(super) fn text_if_any(&self, column: &str) -> sqlx::Result<Option<&str>> {
        self.get(column)
    }

    pub(super) fn hash(&self, column: &str) -> sqlx::Result<Hash> {
        self.get::<&[u8], _>(column).and_then(bytes).map(Hash::new)
    }

    /// Every column with its name.
    pub(super) fn cells(&self) -> sqlx::Result<Vec<(String, Value)>> {
        let names: Vec<&str> = match self {
            Self::Sqlite(row) => row.columns().iter().map(Column::name).collect(),
            Self::Postgres(row) => row.columns().iter().map(Column::name).collect(),
        };
        names.into_iter().enumerate().map(|(index, name)| Ok((name.to_owned(), self.value(index)?))).collect()
    }

    fn value(&self, index: usize) -> sqlx::Result<Value> {
        let kind = match self {
            Self::Sqlite(row) => row.try_get_raw(index)?.type_info().name().to_owned(),
            Self::Postgres(row) => row.try_get_raw(index)?.type_info().name().to_owned(),
        };
        Ok(match kind.as_str() {
            "INTEGER" | "INT8" => self.get::<Option<i64>, _>(index)?.into(),
            "BLOB" | "BYTEA" => self.get::<Option<&[u8]>, _>(index)?.map(bytes).transpose()?.into(),
            _ => self.get::<Option<&str>, _>(index)?.into(),
        })
    }
}

fn bytes(hash: &[u8]) -> sqlx::Result<[u8; 32]> {
    hash.try_into().map_err(wrong)
}

fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
