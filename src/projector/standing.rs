//! The state of each read model in SQL, as stored in its database. It is read by the server, or by a command beside it.

use domain::Position;
use projections::sql::store::{self, Checkpoint, Slot};
use projections::sql::{Location, MODELS, SqlModel};
use serde::Serialize;
use uuid::Uuid;

use super::decode;
use super::fit::{Fit, fit};
use crate::log::{EventLog, ReadError};

/// The reason why the state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StandingError {
    /// The database failed.
    #[error("the database of the read models: {0}")]
    Database(#[from] sqlx::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
}

/// The state of a read model in SQL, as stored in its database.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The name of the read model.
    pub projection: &'static str,
    /// `current`, `behind`, `stopped`, `outdated`, `newer`, `missing` or `unfit`.
    pub state: &'static str,
    /// The version of the table. `None` if there is no table.
    pub version: Option<u32>,
    /// The version that this program makes.
    pub program_version: u32,
    /// The position of the last event in the table.
    pub position: u64,
    /// How many events the table does not have yet.
    pub lag_events: u64,
    /// The seconds from the first missing event to the log's last one.
    pub lag_seconds: u64,
    /// The position that a new table beside it has reached. `None` if none is built.
    pub building: Option<u64>,
    /// The reason for a state that needs one.
    pub reason: Option<String>,
}

/// Reads the state of every read model at `location`. Without a database all are `missing`.
///
/// # Errors
/// The database or the log cannot be read.
pub async fn standings(location: &Location, log: &dyn EventLog) -> Result<Vec<Standing>, StandingError> {
    let log_id = log.id().await?.unwrap_or_default();
    let mut standings = Vec::new();
    let mut database = location.look(log_id).await?;
    let mut snapshot = match &mut database {
        Some(database) => Some(database.begin_reading().await?),
        None => None,
    };
    for model in MODELS {
        let (mut stored, mut building) = (None, None);
        if let Some(snapshot) = &mut snapshot {
            stored = store::checkpoint(snapshot, model, Slot::Live).await?;
            building = store::checkpoint(snapshot, model, Slot::Building).await?;
        }
        standings.push(standing(stored, building, model, log, log_id).await?);
    }
    Ok(standings)
}

async fn standing(
    stored: Option<Checkpoint>,
    building: Option<Checkpoint>,
    model: &'static SqlModel,
    log: &dyn EventLog,
    log_id: Uuid,
) -> Result<Standing, StandingError> {
    let position = stored.map_or(Position::START, |stored| stored.head.position);
    let last = log.head().await?.position;
    let lag_events = last.get().saturating_sub(position.get());
    let (state, reason) = match fit(model, stored.as_ref(), log, log_id).await? {
        Fit::Fits if lag_events == 0 => ("current", None),
        Fit::Fits => match poison(model, log, position).await? {
            Some(why) => ("stopped", Some(why)),
            None => ("behind", None),
        },
        Fit::Outdated => ("outdated", None),
        Fit::Newer(version) => {
            ("newer", Some(format!("the table has version {version}; this program makes version {}", model.version)))
        }
        Fit::Unfit(_) if stored.is_none() => ("missing", None),
        Fit::Unfit(why) => ("unfit", Some(why)),
    };
    Ok(Standing {
        projection: model.name,
        state,
        version: stored.map(|stored| stored.version),
        program_version: model.version,
        position: position.get(),
        lag_events,
        lag_seconds: lag_seconds(log, position, last).await?,
        building: building.map(|building| building.head.position.get()),
        reason,
    })
}

/// The reason why the event after `position` cannot be taken in, if there is one. Refusals by the database are not
/// found here; the server's lines have them.
async fn poison(model: &SqlModel, log: &dyn EventLog, position: Position) -> Result<Option<String>, ReadError> {
    let next = decode(log.read(position, 1).await?).await;
    let undecodable = next.poison.map(|(position, why)| format!("position {position}: {why}"));
    Ok(undecodable.or_else(|| model.fold(position, &next.events).err().map(|poison| poison.to_string())))
}

async fn lag_seconds(log: &dyn EventLog, position: Position, last: Position) -> Result<u64, ReadError> {
    if position >= last {
        return Ok(0);
    }
    let (first, last) = (log.record(position.next()).await?, log.record(last).await?);
    let seconds = first.zip(last).map(|(first, last)| first.recorded_at.seconds_until(last.recorded_at));
    Ok(seconds.unwrap_or(0))
}
