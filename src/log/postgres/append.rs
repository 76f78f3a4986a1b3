//! Appends to PostgreSQL: one transaction per batch, which begins with a turn.
//!
//! Correctness depends on the condition: the expected head's row must be the last one, and the primary key protects the
//! positions after it. The turn is only for fairness. Nodes that append without pause queue for it. A node that finds
//! the head moved keeps its turn while its caller reads on and decides again, so that other nodes do not overtake it
//! for ever.
//!
//! If no other node appends, then turn, condition, records and commit are one statement and one round trip. If the turn
//! is taken or the head has moved, this statement writes nothing. Then a transaction of several statements queues for
//! the turn. Until its COMMIT is sent nothing is written, whatever happens. After that only an answer shows the
//! outcome.

mod rows;

use std::sync::Arc;
use std::time::Duration;

use domain::{Head, Record};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, raw_sql};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use self::rows::{AppendedRows, INSERT, INSERT_IF_NOBODY_IS_ABOUT, turn};
use super::connect::{Hosts, Purpose};
use super::errors::{LOCK_NOT_AVAILABLE, UNIQUE_VIOLATION, refusal, timed_out, uncertain, unwritten};
use super::read::head;
use crate::log::AppendError;

/// How long a turn is kept for a caller that decides again.
const TURN_KEPT: Duration = Duration::from_millis(100);
/// How long a statement may take before its connection is dropped: longer than any wait for a lock.
const STATEMENT_DEADLINE: Duration = Duration::from_secs(4);

const HEAD: &str = "SELECT position, hash FROM log ORDER BY position DESC LIMIT 1";
/// Waits for the turn, and then reads the head. Each statement sees all that was committed before it, so the head is
/// read after the wait.
const QUEUE: &str = concat!(
    "BEGIN; SELECT pg_advisory_xact_lock(",
    turn!(),
    "); SELECT position, hash FROM log ORDER BY position DESC LIMIT 1"
);
/// Reads the head without the turn, after the wait for the turn was too long. A node that is frozen in its turn delays
/// the others as long as its session may be idle: 2 s.
const WITHOUT_A_TURN: &str =
    "ROLLBACK; BEGIN; SET LOCAL lock_timeout = '2s'; SELECT position, hash FROM log ORDER BY position DESC LIMIT 1";

/// Appends for one node, one batch after another.
pub(super) struct Appender {
    hosts: Arc<Hosts>,
    session: Arc<Mutex<Session>>,
}

/// The connection that appends, with its state between two appends.
struct Session {
    connection: Option<PgConnection>,
    /// True if a transaction with the turn is open.
    in_turn: bool,
    /// True if another node appended at the time of the last batch.
    is_crowded: bool,
    /// Counts appends, so that only the turn of the latest append is ended.
    appends: u64,
}

impl Appender {
    pub(super) fn new(hosts: Arc<Hosts>, connection: PgConnection) -> Self {
        let session = Session { connection: Some(connection), in_turn: false, is_crowded: false, appends: 0 };
        Self { hosts, session: Arc::new(Mutex::new(session)) }
    }

    /// Appends. If this future is dropped midway, its connection is dropped too, and the server rolls back.
    pub(super) async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        let mut session = self.session.lock().await;
        session.appends += 1;
        let appended = session.append(&self.hosts, &AppendedRows::new(expected, records)).await;
        if session.in_turn {
            tokio::spawn(end_turn_later(Arc::clone(&self.session), session.appends));
        }
        appended
    }

    pub(super) async fn compare_head(&self, expected: &Head) -> Result<(), AppendError> {
        self.session.lock().await.compare_head(&self.hosts, expected).await
    }

    pub(super) async fn end_turn(&self) {
        self.session.lock().await.end_turn().await;
    }

    pub(super) async fn close(&self) {
        let mut session = self.session.lock().await;
        session.in_turn = false;
        if let Some(connection) = session.connection.take() {
            // If this fails, the connection ends with the process.
            let _ = timeout(STATEMENT_DEADLINE, connection.close()).await;
        }
    }
}

/// Ends the turn that an append left open, if no other append has come since.
async fn end_turn_later(session: Arc<Mutex<Session>>, append: u64) {
    sleep(TURN_KEPT).await;
    let mut session = session.lock().await;
    if session.appends == append {
        session.end_turn().await;
    }
}

impl Session {
    async fn end_turn(&mut self) {
        if std::mem::take(&mut self.in_turn)
            && let Some(connection) = self.connection.take()
        {
            self.connection = roll_back(connection).await;
        }
    }

    /// Compares the head, and ends the turn in the same round trip.
    async fn compare_head(&mut self, hosts: &Hosts, expected: &Head) -> Result<(), AppendError> {
        let mut connection = self.take(hosts).await?;
        let sql = if std::mem::take(&mut self.in_turn) {
            "ROLLBACK; SELECT position, hash FROM log ORDER BY position DESC LIMIT 1"
        } else {
            HEAD
        };
        let found = match timely(raw_sql(sql).fetch_all(&mut connection)).await {
            // The connection has died while nobody used it.
            Err(error) if refusal(&error).is_none() => {
                connection = connect(hosts).await?;
                timely(raw_sql(sql).fetch_all(&mut connection)).await
            }
            found => found,
        };
        let found = last_head(&found.map_err(|error| unwritten(&error))?)?;
        self.connection = Some(connection);
        if found == *expected { Ok(()) } else { Err(AppendError::Conflict) }
    }

    async fn append(&mut self, hosts: &Hosts, batch: &AppendedRows<'_>) -> Result<(), AppendError> {
        let mut connection = self.take(hosts).await?;
        if std::mem::take(&mut self.in_turn) {
            return self.insert_and_commit(connection, batch).await;
        }
        if !self.is_crowded {
            match timely(batch.insert(INSERT_IF_NOBODY_IS_ABOUT, &mut connection)).await {
                Ok(true) => {
                    self.connection = Some(connection);
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) if refusal(&error) == Some(UNIQUE_VIOLATION) => {}
                Err(error) => {
                    self.connection = refusal(&error).is_some().then_some(connection);
                    return Err(uncertain(&error));
                }
            }
        }
        let (mut connection, has_turn, found) = queue(hosts, connection).await?;
        self.is_crowded = found != batch.expected;
        if !self.is_crowded {
            return self.insert_and_commit(connection, batch).await;
        }
        if has_turn {
            self.in_turn = true;
        } else {
            let Some(rolled_back) = roll_back(connection).await else { return Err(AppendError::Conflict) };
            connection = rolled_back;
        }
        self.connection = Some(connection);
        Err(AppendError::Conflict)
    }

    /// Inserts the records and commits, in the open transaction.
    async fn insert_and_commit(
        &mut self,
        mut connection: PgConnection,
        batch: &AppendedRows<'_>,
    ) -> Result<(), AppendError> {
        match timely(batch.insert(INSERT, &mut connection)).await {
            Ok(true) => {}
            Ok(false) => return self.why_not(connection, batch).await,
            Err(error) => {
                self.connection = if refusal(&error).is_some() { roll_back(connection).await } else { None };
                return Err(unwritten(&error));
            }
        }
        match timely(raw_sql("COMMIT").execute(&mut connection)).await {
            Ok(_) => {
                self.connection = Some(connection);
                Ok(())
            }
            Err(error) => Err(AppendError::Unknown(error.to_string())),
        }
    }

    /// Finds out why the insert's condition failed: the head has moved, and then this node keeps the turn; or a clock
    /// is wrong.
    async fn why_not(&mut self, mut connection: PgConnection, batch: &AppendedRows<'_>) -> Result<(), AppendError> {
        let found = timely(raw_sql(HEAD).fetch_all(&mut connection)).await.map_err(|error| unwritten(&error))?;
        if last_head(&found)? != batch.expected {
            self.connection = Some(connection);
            self.in_turn = true;
            return Err(AppendError::Conflict);
        }
        self.connection = roll_back(connection).await;
        Err(AppendError::Unavailable("this node's clock is more than 2 s ahead of the log's server".to_owned()))
    }

    /// Takes the connection, or makes a new one.
    async fn take(&mut self, hosts: &Hosts) -> Result<PgConnection, AppendError> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => {
                self.in_turn = false;
                connect(hosts).await
            }
        }
    }
}

/// Waits for the turn and reads the head. Returns whether this node has the turn, and the head. A transaction is open
/// then.
async fn queue(hosts: &Hosts, mut connection: PgConnection) -> Result<(PgConnection, bool, Head), AppendError> {
    let queued = match timely(raw_sql(QUEUE).fetch_all(&mut connection)).await {
        // The connection has died while nobody used it.
        Err(error) if refusal(&error).is_none() => {
            connection = connect(hosts).await?;
            timely(raw_sql(QUEUE).fetch_all(&mut connection)).await
        }
        queued => queued,
    };
    match queued {
        Ok(rows) => Ok((connection, true, last_head(rows.get(1..).unwrap_or_default())?)),
        Err(error) if refusal(&error) == Some(LOCK_NOT_AVAILABLE) => {
            let found = timely(raw_sql(WITHOUT_A_TURN).fetch_all(&mut connection)).await;
            let found = found.map_err(|error| unwritten(&error))?;
            Ok((connection, false, last_head(&found)?))
        }
        Err(error) => Err(unwritten(&error)),
    }
}

async fn connect(hosts: &Hosts) -> Result<PgConnection, AppendError> {
    hosts.connect(Purpose::Serving).await.map_err(|error| AppendError::Unavailable(error.to_string()))
}

/// Rolls back, and returns the connection. `None` if it is lost.
async fn roll_back(mut connection: PgConnection) -> Option<PgConnection> {
    timely(raw_sql("ROLLBACK").execute(&mut connection)).await.is_ok().then_some(connection)
}

/// Runs a statement within its deadline.
async fn timely<T>(statement: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(STATEMENT_DEADLINE, statement).await.unwrap_or_else(|_| Err(timed_out()))
}

fn last_head(rows: &[PgRow]) -> Result<Head, AppendError> {
    let found = rows.first().map_or(Ok(Head::EMPTY), head);
    found.map_err(|damage| AppendError::Broken(damage.to_string()))
}
