//! An opening and its draw, as clients read them.

use domain::{Draw, Hash, Opening, Position};
use serde::Serialize;

use crate::time::rfc3339;

/// An opening from its announcement to the draw.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpeningShown<'a> {
    prequeue_from: String,
    opens_at: String,
    commitment: Hash,
    position: Position,
    beacon_source: Option<&'a str>,
    beacon_at: Option<String>,
}

/// All data from which the order follows, as far as it is known. It is shown from the close of entry on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrawShown<'a> {
    first: u64,
    entrants: u64,
    closed_position: Position,
    closed_hash: Hash,
    seed: Option<Hash>,
    beacon_source: Option<&'a str>,
    beacon: Option<Hash>,
    commitment: Hash,
    position: Option<Position>,
}

impl<'a> OpeningShown<'a> {
    /// Shows an announced opening.
    pub fn of(opening: &'a Opening) -> Self {
        Self {
            prequeue_from: rfc3339(opening.prequeue_from),
            opens_at: rfc3339(opening.opens_at),
            commitment: opening.commitment,
            position: opening.position,
            beacon_source: opening.beacon.as_ref().map(|beacon| &*beacon.source),
            beacon_at: opening.beacon.as_ref().map(|beacon| rfc3339(beacon.at)),
        }
    }
}

impl<'a> DrawShown<'a> {
    /// Shows the draw of a closed opening, which is still to come or was made.
    pub(crate) fn of(opening: &'a Opening, drawn: Option<&Draw>) -> Option<Self> {
        let closed = opening.closed.as_ref()?;
        Some(Self {
            first: closed.first,
            entrants: closed.entrants,
            closed_position: closed.head.position,
            closed_hash: closed.head.hash,
            seed: drawn.map(|draw| draw.seed),
            beacon_source: opening.beacon.as_ref().map(|beacon| &*beacon.source),
            beacon: opening.beacon_value,
            commitment: opening.commitment,
            position: drawn.map(|draw| draw.position),
        })
    }
}
