//! Reads from PostgreSQL, with a few connections. Each serves one read at a time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Event, Hash, Head, Position, Record, Timestamp};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Decode, Postgres, Row};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::connect::{Hosts, Purpose};
use super::errors::{UNDEFINED_TABLE, refusal, timed_out, unread};
use crate::log::ReadError;

/// The number of reads at the same time.
const READERS: usize = 4;
/// How long a read may take before its connection is dropped.
const READ_DEADLINE: Duration = Duration::from_secs(10);

const HEAD: &str = "SELECT position, hash FROM log ORDER BY position DESC LIMIT 1";
/// The query limits the number of rows, not the positions: so records behind a long gap are still found. The session's
/// settings keep the planner from reading the whole log.
const RECORDS: &str = "SELECT position, hash, recorded_at, type, type_version, data, metadata FROM log \
     WHERE position > $1 ORDER BY position LIMIT $2";
const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// A query of the log.
#[derive(Clone, Copy)]
enum Question {
    Head,
    Records { after: i64, limit: i64 },
    Clock,
}

pub(super) struct ReadConnections {
    hosts: Arc<Hosts>,
    purpose: Purpose,
    idle: Mutex<Vec<PgConnection>>,
    places: Semaphore,
}

impl ReadConnections {
    pub(super) fn new(hosts: Arc<Hosts>, purpose: Purpose) -> Self {
        Self { hosts, purpose, idle: Mutex::new(Vec::new()), places: Semaphore::new(READERS) }
    }

    pub(super) async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        let after = i64::try_from(after.get()).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.ask(Question::Records { after, limit }).await?;
        let mut records = Vec::with_capacity(rows.len());
        for row in &rows {
            records.push(record(row)?);
        }
        Ok(records)
    }

    pub(super) async fn head(&self) -> Result<Head, ReadError> {
        self.ask(Question::Head).await?.first().map_or(Ok(Head::EMPTY), head)
    }

    pub(super) async fn clock(&self) -> Result<Timestamp, ReadError> {
        let rows = self.ask(Question::Clock).await?;
        let millis = rows.first().map(|row| row.try_get(0));
        let millis = millis.unwrap_or(Err(sqlx::Error::RowNotFound)).map_err(|error| unread(&error))?;
        Ok(Timestamp::from_millis(millis))
    }

    pub(super) async fn close(&self) {
        self.places.close();
        for connection in self.take_all() {
            // If this fails, the connection ends with the process.
            let _ = timeout(READ_DEADLINE, connection.close()).await;
        }
    }

    async fn ask(&self, question: Question) -> Result<Vec<PgRow>, ReadError> {
        let asked = timeout(READ_DEADLINE, self.ask_on(question)).await;
        asked.unwrap_or_else(|_| Err(unread(&timed_out())))
    }

    /// Runs a query on an open connection, or on a new one if that one has broken meanwhile. If this future is dropped
    /// early, its connection is dropped too.
    async fn ask_on(&self, question: Question) -> Result<Vec<PgRow>, ReadError> {
        let closed = |_| ReadError::Unavailable("it was closed".to_owned());
        let _place = self.places.acquire().await.map_err(closed)?;
        let idle = self.idle.lock().expect("nobody panics with it").pop();
        if let Some(mut connection) = idle {
            match put(&mut connection, question).await {
                Err(error) if refusal(&error).is_none() => drop(self.take_all()),
                answered => return self.give_back(connection, answered),
            }
        }
        let connected = self.hosts.connect(self.purpose).await;
        let mut connection = connected.map_err(|error| ReadError::Unavailable(error.to_string()))?;
        let answered = put(&mut connection, question).await;
        self.give_back(connection, answered)
    }

    fn give_back(&self, connection: PgConnection, answered: sqlx::Result<Vec<PgRow>>) -> Result<Vec<PgRow>, ReadError> {
        let is_missing = |error: &sqlx::Error| refusal(error) == Some(UNDEFINED_TABLE);
        let answered = match answered {
            // There is no log yet.
            Err(error) if self.purpose == Purpose::Looking && is_missing(&error) => Ok(Vec::new()),
            Err(error) => return Err(unread(&error)),
            Ok(rows) => Ok(rows),
        };
        self.idle.lock().expect("nobody panics with it").push(connection);
        answered
    }

    fn take_all(&self) -> Vec<PgConnection> {
        std::mem::take(&mut *self.idle.lock().expect("nobody panics with it"))
    }
}

async fn put(connection: &mut PgConnection, question: Question) -> sqlx::Result<Vec<PgRow>> {
    match question {
        Question::Head => sqlx::query(HEAD).fetch_all(connection).await,
        Question::Records { after, limit } => sqlx::query(RECORDS).bind(after).bind(limit).fetch_all(connection).await,
        Question::Clock => sqlx::query(CLOCK).fetch_all(connection).await,
    }
}

fn record(row: &PgRow) -> Result<Record, ReadError> {
    let Head { position, hash } = head(row)?;
    let type_version: i64 = column(row, position, 4)?;
    let type_version = u32::try_from(type_version)
        .map_err(|_| ReadError::Malformed { position, reason: format!("version {type_version} of a type") })?;
    Ok(Record {
        position,
        hash,
        recorded_at: Timestamp::from_millis(column(row, position, 2)?),
        event_type: Event::type_named(column(row, position, 3)?),
        type_version,
        data: column::<&str>(row, position, 5)?.into(),
        metadata: column::<&str>(row, position, 6)?.into(),
    })
}

/// Reads position and hash, with which every query of records begins.
pub(super) fn head(row: &PgRow) -> Result<Head, ReadError> {
    let number: i64 = column(row, Position::START, 0)?;
    let position = u64::try_from(number).map(Position::new).map_err(|_| ReadError::Malformed {
        position: Position::START,
        reason: format!("a record stands at {number}"),
    })?;
    // An owned copy: a query without parameters is answered in text, which cannot be borrowed as bytes.
    let hash: Vec<u8> = column(row, position, 1)?;
    let hash = <[u8; 32]>::try_from(hash.as_slice())
        .map(Hash::new)
        .map_err(|_| ReadError::Malformed { position, reason: format!("a hash of {} bytes", hash.len()) })?;
    Ok(Head { position, hash })
}

fn column<'r, T>(row: &'r PgRow, position: Position, index: usize) -> Result<T, ReadError>
where
    T: Decode<'r, Postgres> + sqlx::Type<Postgres>,
{
    row.try_get(index).map_err(|error| ReadError::Malformed { position, reason: error.to_string() })
}
