//! The log alone, a number of records a batch, against raw SQLite doing the same inserts in the same mode.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{ActorName, Event, Head, Metadata, Points, PointsCharged, Record, Timestamp};
use reprise::log::{EventLog, LogAddress, open};
use rusqlite::{Connection, TransactionBehavior, params};
use uuid::Uuid;

use crate::sale;
use crate::table::Row;
use crate::{BenchError, Options};

const NAME: &str = "log";
/// Records a batch.
const BATCHES: [usize; 3] = [1, 64, 1_024];
/// How often each side gets its turn.
const TURNS: u32 = 4;
const NOW: Timestamp = Timestamp::from_millis(1_798_761_600_000);
/// The log's own table.
const TABLE: &str = include_str!("../../../migrations/sqlite/0001_log.sql");
const INSERT: &str =
    "INSERT INTO log (position, recorded_at, type, type_version, data, metadata, hash) VALUES (?, ?, ?, ?, ?, ?, ?)";

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let folder = options.folder()?;
    let mut ours = Ours { log: open(&LogAddress::Sqlite, folder.path()).await?, head: Head::EMPTY };
    let mut raw = Raw { connection: raw(&folder.path().join("raw.db"))?, head: Head::EMPTY };
    let mut rows = Vec::new();
    for size in BATCHES {
        let (mut our_rate, mut raw_rate) = (Rate::default(), Rate::default());
        for _ in 0..TURNS {
            ours.turn(size, options.round() / TURNS, &mut our_rate).await?;
            raw.turn(size, options.round() / TURNS, &mut raw_rate)?;
        }
        let what = format!("appending {size} records a batch; against raw SQLite, WAL and FULL");
        rows.push(Row::figure(NAME, what, our_rate.per_second(), "records/s").against_figure(raw_rate.per_second()));
    }
    ours.log.close().await;
    Ok(rows)
}

/// Records in the time that appending them took: making them is not measured.
#[derive(Default)]
struct Rate {
    records: usize,
    took: Duration,
}

impl Rate {
    fn per_second(&self) -> f64 {
        self.records as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }
}

struct Ours {
    log: Arc<dyn EventLog>,
    head: Head,
}

impl Ours {
    async fn turn(&mut self, size: usize, lasting: Duration, rate: &mut Rate) -> Result<(), BenchError> {
        let until = rate.took + lasting;
        while rate.took < until {
            let records = charges(&self.head, size);
            let started = Instant::now();
            self.log.append(&self.head, &records).await?;
            rate.took += started.elapsed();
            rate.records += size;
            self.head = records.last().map_or(self.head, Record::head);
        }
        Ok(())
    }
}

struct Raw {
    connection: Connection,
    head: Head,
}

impl Raw {
    fn turn(&mut self, size: usize, lasting: Duration, rate: &mut Rate) -> Result<(), BenchError> {
        let until = rate.took + lasting;
        while rate.took < until {
            let records = charges(&self.head, size);
            let started = Instant::now();
            insert(&mut self.connection, &records)?;
            rate.took += started.elapsed();
            rate.records += size;
            self.head = records.last().map_or(self.head, Record::head);
        }
        Ok(())
    }
}

fn raw(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(TABLE)?;
    Ok(connection)
}

fn insert(connection: &mut Connection, records: &[Record]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut insert = transaction.prepare_cached(INSERT)?;
        for record in records {
            let position = i64::try_from(record.position.get()).expect("few records are written");
            insert.execute(params![
                position,
                record.recorded_at.millis(),
                record.event_type,
                record.type_version,
                record.data,
                record.metadata,
                record.hash.as_bytes().as_slice(),
            ])?;
        }
    }
    transaction.commit()
}

/// So many charges after `head`, as the engine would seal them.
fn charges(head: &Head, size: usize) -> Vec<Record> {
    let mut head = *head;
    let mut records = Vec::with_capacity(size);
    for _ in 0..size {
        let balance_after = Points::new(head.position.get() + 1);
        let user_id = sale::user_id(1 + head.position.get() % 1_000);
        let event = Event::from(PointsCharged { user_id, amount: Points::new(1), balance_after, charged_at: NOW });
        let id = Uuid::from_u128(u128::from(head.position.get()));
        let metadata = Metadata {
            command_id: id,
            index: 0,
            count: 1,
            correlation_id: id,
            causation_id: id,
            actor: ActorName::User(user_id),
            node_id: id,
            program: domain::PROGRAM.into(),
            request_id: Some(id.to_string()),
            idempotency: None,
        };
        let record = Record::seal(&head, NOW, &event, &metadata);
        head = record.head();
        records.push(record);
    }
    records
}
