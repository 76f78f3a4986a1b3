//! Reads the log's head for queries that would refuse somebody: another node may have changed what they would be
//! refused for.

use std::sync::Arc;

use domain::Head;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::log::{EventLog, ReadError};

/// Shares readings between queries. Only one query reads the head at a time.
pub struct HeadReadings {
    log: Arc<dyn EventLog>,
    last: Mutex<Option<Reading>>,
}

struct Reading {
    begun: Instant,
    head: Head,
}

impl HeadReadings {
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log, last: Mutex::new(None) }
    }

    /// A head that the log had after this was called.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn now(&self) -> Result<Head, ReadError> {
        let called = Instant::now();
        let mut last = self.last.lock().await;
        if let Some(reading) = last.as_ref().filter(|reading| reading.begun > called) {
            return Ok(reading.head);
        }
        let begun = Instant::now();
        let head = self.log.head().await?;
        *last = Some(Reading { begun, head });
        Ok(head)
    }
}
