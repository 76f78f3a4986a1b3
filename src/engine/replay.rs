//! Start-up: the log is read, proved and folded, from its first record to its last.

use domain::{DecodeError, Event, HASH_ALGORITHM, Head, LOG_FORMAT, Position, Record, State, Timestamp};
use projections::ReadModels;

use super::MAX_CLOCK_LAG;
use crate::log::{EventLog, ReadError};

/// How many records are read at once.
const CHUNK_RECORDS: usize = 4_096;

/// What a log folds to.
#[derive(Default)]
pub struct Replayed {
    /// For commands.
    pub state: State,
    /// For queries.
    pub read_models: ReadModels,
}

/// Why a log cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot be read, or is not what was written.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// It holds what this program does not understand.
    #[error("position {position}: {reason}")]
    Undecodable { position: Position, reason: DecodeError },
    /// It was made by a program that hashes or stores records in another way.
    #[error("position 1: the log has format {format} with {hash_algorithm}, which this program does not know")]
    UnknownFormat { format: u32, hash_algorithm: String },
    /// Its last record is from the future: served now, deadlines would stand still until then.
    #[error(
        "position {position}: the last record is {seconds} s ahead of this machine's clock; set the clock, or say \
         --accept-clock to serve at the log's time"
    )]
    FromTheFuture { position: Position, seconds: i64 },
}

/// Reads the whole log, telling `progress` of each position reached.
///
/// # Errors
/// The log cannot be read, is damaged, or holds what this program does not understand; the error names the position.
pub async fn replay(log: &dyn EventLog, mut progress: impl FnMut(Position)) -> Result<Replayed, StartError> {
    let mut replayed = Replayed::default();
    loop {
        let records = log.read(replayed.state.head.position, CHUNK_RECORDS).await?;
        if records.is_empty() {
            return Ok(replayed);
        }
        for record in &records {
            replayed.apply(record)?;
        }
        progress(replayed.state.head.position);
    }
}

impl Replayed {
    /// Proves one record against those before it, and folds it.
    fn apply(&mut self, record: &Record) -> Result<(), StartError> {
        let position = record.position;
        record.verify(&self.state.head).map_err(ReadError::from)?;
        let recorded = record.decode().map_err(|reason| StartError::Undecodable { position, reason })?;
        if let Event::LogCreated { format, hash_algorithm, .. } = &recorded.event
            && (*format, hash_algorithm.as_str()) != (LOG_FORMAT, HASH_ALGORITHM)
        {
            return Err(StartError::UnknownFormat { format: *format, hash_algorithm: hash_algorithm.clone() });
        }
        self.state.apply(&recorded);
        self.read_models.apply(&recorded);
        Ok(())
    }

    /// Refuses a log whose last record is more than a minute ahead of the clock.
    ///
    /// # Errors
    /// It is.
    pub fn check_clock(&self, now: Timestamp) -> Result<(), StartError> {
        let Head { position, .. } = self.state.head;
        let ahead_millis = self.state.recorded_at.millis() - now.millis();
        if position > Position::START && ahead_millis > MAX_CLOCK_LAG.as_millis() as i64 {
            return Err(StartError::FromTheFuture { position, seconds: ahead_millis / 1_000 });
        }
        Ok(())
    }
}
