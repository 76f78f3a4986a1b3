//! Logs that break one promise each: the suite must catch every one, or it proves nothing.

use std::sync::Mutex;

use super::*;
use crate::log::ReadError;
use crate::log::memory::MemoryLog;

/// How a log breaks its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// Skips one position in each batch, as a database's sequence does after a rollback.
    SkipsAPosition,
    /// Appends at whatever head there is.
    IgnoresThePosition,
    /// Takes another history of the same length for its own.
    IgnoresTheHash,
    /// Inserts row by row, and keeps those that found their position free.
    TearsABatch,
    /// Stores a batch in whatever order it comes to.
    Reorders,
    /// Answers before it has written.
    AcknowledgesEarly,
    /// Does nothing before it is asked a second time.
    NeedsToBeAskedTwice,
    /// Takes a written batch for a failed one, and writes it again behind itself.
    RetriesWhatLanded,
}

/// A log in memory that lies.
#[derive(Clone)]
struct Liar {
    lie: Lie,
    log: MemoryLog,
    /// The records that this handle has acknowledged and not written yet.
    acknowledged: Arc<Mutex<Vec<Record>>>,
}

#[async_trait]
impl EventLog for Liar {
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        let head = self.log.head().await.expect("memory can be read");
        match self.lie {
            Lie::SkipsAPosition => {
                self.log.append(expected, records).await?;
                let moved = |record: &mut Record| record.position = record.position.next();
                let batch = expected.position;
                self.log.edit(|all| all.iter_mut().filter(|record| record.position > batch).for_each(moved));
                Ok(())
            }
            Lie::IgnoresThePosition => {
                self.log.edit(|all| all.extend_from_slice(records));
                Ok(())
            }
            Lie::IgnoresTheHash if head.position == expected.position => self.log.append(&head, records).await,
            Lie::TearsABatch => {
                if head.position > expected.position {
                    let free = records.iter().filter(|record| record.position > head.position).cloned();
                    self.log.edit(|all| all.extend(free));
                }
                self.log.append(expected, records).await
            }
            Lie::Reorders => {
                self.log.append(expected, records).await?;
                self.log.edit(|all| all[expected.position.get() as usize..].reverse());
                Ok(())
            }
            Lie::AcknowledgesEarly => {
                self.flush();
                self.log.compare_head(expected).await?;
                self.acknowledged.lock().unwrap().extend_from_slice(records);
                Ok(())
            }
            Lie::NeedsToBeAskedTwice => {
                tokio::task::yield_now().await;
                self.log.append(expected, records).await
            }
            Lie::RetriesWhatLanded => {
                self.log.append(expected, records).await?;
                self.log.edit(|all| all.extend_from_slice(records));
                Ok(())
            }
            Lie::IgnoresTheHash => Err(AppendError::Conflict),
        }
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.flush();
        self.log.read(after, limit).await
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.flush();
        self.log.head().await
    }

    async fn wait_past(&self, after: Position) {
        self.log.wait_past(after).await;
    }
}

impl Liar {
    fn new(lie: Lie) -> Self {
        Self { lie, log: MemoryLog::new(), acknowledged: Arc::default() }
    }

    fn flush(&self) {
        let late = std::mem::take(&mut *self.acknowledged.lock().unwrap());
        self.log.edit(|all| all.extend(late));
    }
}

#[async_trait]
impl Fixture for Liar {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(Self { acknowledged: Arc::default(), ..self.clone() })
    }

    async fn alter(&self, position: Position) {
        self.log.alter(position).await;
    }

    async fn remove(&self, position: Position) {
        self.log.remove(position).await;
    }
}

async fn caught(lie: Lie, by: &str) {
    let verdict = passes(async || Liar::new(lie)).await.unwrap_err();
    assert!(verdict.starts_with(by), "{lie:?} was caught elsewhere: {verdict}");
}

#[tokio::test]
async fn a_log_that_skips_a_position_is_caught() {
    caught(Lie::SkipsAPosition, "what_is_appended_is_there_for_everyone").await;
}

#[tokio::test]
async fn a_log_that_ignores_the_position_is_caught() {
    caught(Lie::IgnoresThePosition, "another_position_is_a_conflict").await;
}

#[tokio::test]
async fn a_log_that_ignores_the_hash_is_caught() {
    caught(Lie::IgnoresTheHash, "another_hash_is_a_conflict").await;
}

#[tokio::test]
async fn a_log_that_tears_a_batch_is_caught() {
    caught(Lie::TearsABatch, "a_batch_that_overlaps_is_refused_whole").await;
}

#[tokio::test]
async fn a_log_that_reorders_is_caught() {
    caught(Lie::Reorders, "what_is_appended_is_there_for_everyone").await;
}

#[tokio::test]
async fn a_log_that_acknowledges_early_is_caught() {
    caught(Lie::AcknowledgesEarly, "what_is_appended_is_there_for_everyone").await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_needs_to_be_asked_twice_is_caught() {
    caught(Lie::NeedsToBeAskedTwice, "an_append_that_was_polled_once_lands").await;
}

#[tokio::test]
async fn a_log_that_writes_again_what_had_landed_is_caught() {
    caught(Lie::RetriesWhatLanded, "what_is_appended_is_there_for_everyone").await;
}
