//! Compares a table with the log: it can go on only if its checkpoint is in this log.

use domain::Position;
use projections::sql::SqlModel;
use projections::sql::store::Checkpoint;
use uuid::Uuid;

use crate::log::{EventLog, ReadError};

/// The result of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// The table can go on.
    Fits,
    /// The table has an older version: it serves until a new one is built.
    Outdated,
    /// The table has a newer version than this program's: it is left alone.
    Newer(u32),
    /// There is no table, or it belongs to another history: nothing is served until a new one is built.
    Unfit(String),
}

/// Compares a checkpoint with the log.
///
/// # Errors
/// The log cannot be read.
pub async fn fit(
    model: &SqlModel,
    stored: Option<&Checkpoint>,
    log: &dyn EventLog,
    log_id: Uuid,
) -> Result<Fit, ReadError> {
    let Some(stored) = stored else { return Ok(Fit::Unfit("it does not exist yet".to_owned())) };
    if stored.version > model.version {
        return Ok(Fit::Newer(stored.version));
    }
    if stored.log_id != log_id {
        return Ok(Fit::Unfit(format!("it was made from another log, {}", stored.log_id)));
    }
    let position = stored.head.position;
    if position > Position::START {
        match log.record(position).await? {
            None => {
                return Ok(Fit::Unfit(format!("it was made up to position {position}, which is past the log's head")));
            }
            Some(record) if record.hash != stored.head.hash => {
                return Ok(Fit::Unfit(format!("its record at position {position} has another hash than the log's")));
            }
            Some(_) => {}
        }
    }
    Ok(if stored.version < model.version { Fit::Outdated } else { Fit::Fits })
}
