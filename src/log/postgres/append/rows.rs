//! The records of a batch, and the one statement that inserts all of them or none.

use domain::{Head, Record};
use sqlx::postgres::PgConnection;

/// The turn's lock: "reprise/" as a number. The server releases it: `lock_timeout` and
/// `idle_in_transaction_session_timeout` are set for every session.
macro_rules! turn {
    () => {
        "8243118329669313839"
    };
}
pub(super) use turn;

/// Inserts the records, if the expected head is the log's head, and no record is more than 2 s ahead of the server's
/// clock.
macro_rules! insert {
    ($turn:expr) => {
        concat!(
            "WITH turn AS MATERIALIZED (SELECT ",
            $turn,
            " AS ours), head AS MATERIALIZED (SELECT greatest(expected.recorded_at, \
             (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 2000) AS latest FROM turn, \
             LATERAL (SELECT recorded_at FROM log WHERE position = $8 AND hash = $9 UNION ALL SELECT 0 WHERE $8 = 0) \
             AS expected WHERE turn.ours) \
             INSERT INTO log (position, recorded_at, type, type_version, data, metadata, hash) \
             SELECT record.* FROM head, unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], \
             $6::text[], $7::bytea[]) AS record WHERE $10 <= head.latest"
        )
    };
}
pub const INSERT: &str = insert!("TRUE");
pub const INSERT_IF_NOBODY_IS_ABOUT: &str = insert!(concat!("pg_try_advisory_xact_lock(", turn!(), ")"));

/// The records of a batch, column by column.
pub struct AppendedRows<'a> {
    pub expected: Head,
    latest: i64,
    positions: Vec<i64>,
    times: Vec<i64>,
    types: Vec<&'a str>,
    versions: Vec<i64>,
    data: Vec<&'a str>,
    metadata: Vec<&'a str>,
    hashes: Vec<&'a [u8]>,
}

impl<'a> AppendedRows<'a> {
    pub fn new(expected: &Head, records: &'a [Record]) -> Self {
        Self {
            expected: *expected,
            latest: records.last().map_or(0, |last| last.recorded_at.millis()),
            positions: records.iter().map(|record| position(record.position)).collect(),
            times: records.iter().map(|record| record.recorded_at.millis()).collect(),
            types: records.iter().map(|record| &*record.event_type).collect(),
            versions: records.iter().map(|record| i64::from(record.type_version)).collect(),
            data: records.iter().map(|record| &*record.data).collect(),
            metadata: records.iter().map(|record| &*record.metadata).collect(),
            hashes: records.iter().map(|record| record.hash.as_bytes().as_slice()).collect(),
        }
    }

    /// Inserts all records with one statement, or none. Returns true if the condition held.
    pub async fn insert(&self, sql: &'static str, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let insert = sqlx::query(sql)
            .bind(self.positions.as_slice())
            .bind(self.times.as_slice())
            .bind(self.types.as_slice())
            .bind(self.versions.as_slice())
            .bind(self.data.as_slice())
            .bind(self.metadata.as_slice())
            .bind(self.hashes.as_slice())
            .bind(position(self.expected.position))
            .bind(self.expected.hash.as_bytes().as_slice())
            .bind(self.latest);
        Ok(insert.execute(connection).await?.rows_affected() > 0)
    }
}

fn position(position: domain::Position) -> i64 {
    i64::try_from(position.get()).expect("2^63 records are never written")
}
