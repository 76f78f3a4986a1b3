//! `reprise projections verify`: proves that the read models in SQL fit the log.

use domain::Position;
use projections::sql::MODELS;
use serde::Serialize;

use super::output::{Said, Table, count};
use super::{ToolError, source};
use crate::place::Place;
use crate::projector::{Verified, verify};

#[derive(Serialize)]
struct Found {
    ok: bool,
    projections: Vec<Verified>,
}

/// Compares every table row by row with a fresh fold at its checkpoint.
pub async fn run(place: &Place, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let end = log.head().await.map_or(Position::START, |head| head.position);
    let bar = source::progress_bar("verifying", end, json);
    let projections =
        verify(&place.read_models()?, log.as_ref(), &MODELS, |_, position| bar.set_position(position.get())).await?;
    let mut table = Table::new(["projection", "position", "rows", "found"], &[1, 2]);
    for verified in &projections {
        let found = match verified.fault.as_deref() {
            None if verified.is_missing => "not there yet: nothing was compared".to_owned(),
            None => "equal to a fresh fold".to_owned(),
            Some(fault) => format!("WRONG: {fault}"),
        };
        table.row([verified.projection.to_owned(), verified.position.to_string(), count(verified.rows), found]);
    }
    // If all tables are missing, nothing was verified.
    let ok = projections.iter().all(|verified| verified.fault.is_none())
        && projections.iter().any(|verified| !verified.is_missing);
    let text = table.to_string();
    Ok(Said::verdict(ok, &Found { ok, projections }, text))
}
