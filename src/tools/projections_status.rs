//! `reprise projections status`: shows the state of each read model in SQL, from its database.

use super::output::{Said, Table, count};
use super::{ToolError, source};
use crate::place::Place;
use crate::projector::standings;

/// Shows the state of each read model.
pub async fn run(place: &Place) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let standings = standings(&place.read_models()?, log.as_ref()).await?;
    let mut table = Table::new(["projection", "state", "position", "behind", "seconds"], &[2, 3, 4]);
    for standing in &standings {
        let reason = standing.reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let building = standing.building.map_or_else(String::new, |position| format!(", the new one is at {position}"));
        let state = format!("{}{building}{reason}", standing.state);
        let [behind, seconds] = [standing.lag_events, standing.lag_seconds].map(count);
        let position = standing.position.to_string();
        table.row([standing.projection.to_owned(), state, position, behind, seconds]);
    }
    let is_well = standings.iter().all(|standing| matches!(standing.state, "current" | "behind"));
    let text = table.to_string();
    Ok(Said::verdict(is_well, &standings, text))
}
