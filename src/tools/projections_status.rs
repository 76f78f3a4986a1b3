//! `reprise projections status`: where each read model in SQL stands, as its database says.

use domain::Position;
use projections::sql::store::{self, Slot};
use projections::sql::{MODELS, SqlModel, Transaction};
use serde::Serialize;
use uuid::Uuid;

use super::output::{Said, Table, count};
use super::{ToolError, source};
use crate::config::Place;
use crate::log::{EventLog, ReadError};
use crate::projector::fit::{Fit, fit};
use crate::projector::{decode, log_id};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    projection: &'static str,
    /// `current`, `behind`, `stopped`, `outdated`, `newer`, `missing` or `unfit`.
    state: &'static str,
    version: Option<u32>,
    program_version: u32,
    position: u64,
    lag_events: u64,
    /// From the first event that it does not have to the log's last.
    lag_seconds: u64,
    /// Up to where a table that is built beside it has come.
    building: Option<u64>,
    reason: Option<String>,
}

/// Where each stands.
pub async fn run(place: &Place) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let log_id = log_id(log.as_ref()).await?.unwrap_or_default();
    let mut standings = Vec::new();
    if let Some(mut database) = place.read_models()?.look().await? {
        let mut snapshot = database.begin_reading().await?;
        for model in MODELS {
            standings.push(standing(&mut snapshot, model, log.as_ref(), log_id).await?);
        }
    }
    let mut table = Table::new(["projection", "state", "position", "behind", "seconds"], &[2, 3, 4]);
    for standing in &standings {
        let reason = standing.reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let building = standing.building.map_or_else(String::new, |position| format!(", a new one at {position}"));
        let state = format!("{}{building}{reason}", standing.state);
        let [behind, seconds] = [standing.lag_events, standing.lag_seconds].map(count);
        let position = standing.position.to_string();
        table.row([standing.projection.to_owned(), state, position, behind, seconds]);
    }
    let is_well = standings.iter().all(|standing| matches!(standing.state, "current" | "behind"));
    let text = if standings.is_empty() {
        "no read model exists in SQL yet; `reprise projections rebuild all` builds them, and so does a server"
            .to_owned()
    } else {
        table.to_string()
    };
    Ok(Said::verdict(is_well, &standings, text))
}

async fn standing(
    snapshot: &mut Transaction<'_>,
    model: &'static SqlModel,
    log: &dyn EventLog,
    log_id: Uuid,
) -> Result<Standing, ToolError> {
    let stored = store::checkpoint(snapshot, model, Slot::Live).await?;
    let building = store::checkpoint(snapshot, model, Slot::Building).await?;
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
            ("newer", Some(format!("of version {version}; this program makes version {}", model.version)))
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

/// Why the event after `position` cannot be taken in, if that is so. What only the database refuses, the server's own log
/// tells.
async fn poison(model: &SqlModel, log: &dyn EventLog, position: Position) -> Result<Option<String>, ReadError> {
    let next = decode(log.read(position, 1).await?).await;
    let undecodable = next.poison.map(|(position, why)| format!("position {position}: {why}"));
    Ok(undecodable.or_else(|| model.fold(position, &next.events).err().map(|poison| poison.to_string())))
}

async fn lag_seconds(log: &dyn EventLog, position: Position, last: Position) -> Result<u64, ReadError> {
    if position >= last {
        return Ok(0);
    }
    let (first, head) = (log.read(position, 1).await?, log.read(Position::new(last.get() - 1), 1).await?);
    let seconds =
        first.first().zip(head.first()).map(|(first, last)| first.recorded_at.seconds_until(last.recorded_at));
    Ok(seconds.unwrap_or(0))
}
