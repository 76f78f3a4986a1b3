//! Records as they stand in the log, so that a buyer can compute the hash.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::Request;
use domain::{Hash, Position, Record, Timestamp, UserId};
use projections::serialize_rfc3339;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::contract::shapes::RECORD;
use super::problem::Problem;
use super::{Api, GET, Outcome, PublicRoutes, contract, json, kinds, own, paging, path, query};

/// Adds the route with its description.
pub fn routes(routes: PublicRoutes) -> PublicRoutes {
    routes.route(
        GET,
        "/api/users/{userId}/records/{position}",
        one,
        contract::query("Shows a record that moved the user's points, exactly as it is stored in the log.")
            .of_owner()
            .answers_a(RECORD)
            .may(&[&kinds::RECORD_NOT_FOUND]),
    )
}

/// All that the record's hash is made of. Metadata may name other people, so only its hash is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordShown {
    position: Position,
    #[serde(serialize_with = "serialize_rfc3339")]
    recorded_at: Timestamp,
    r#type: Cow<'static, str>,
    type_version: u32,
    data: Arc<str>,
    metadata_hash: Hash,
    previous_hash: Hash,
    hash: Hash,
}

/// `GET /api/users/{userId}/records/{position}`: only records that move the user's own points.
pub async fn one(api: Arc<Api>, request: Request) -> Outcome {
    let parse = |path: &path::PathIds, _: &mut _| Ok((path.id::<UserId>("userId")?, path.position("position")?));
    let (asked, token) = query::sql_by_holder(&api, request, parse).await?;
    let served_from = asked.view.read_models.state.head.position;
    let (user_id, position) = asked.what;
    own(&token, user_id).map_err(|rejection| Problem::from(rejection).at(served_from))?;
    let missing = || {
        let detail = format!("The log has no record at position {position} that moves the points of user {user_id}.");
        Problem::new(&kinds::RECORD_NOT_FOUND, detail).at(served_from)
    };
    // Only records that the read models have are shown: a later one may not be durable yet.
    if position > served_from {
        return Err(missing());
    }
    let (previous, record) = with_previous(&api, position).await?.ok_or_else(missing)?;
    let decoded = record.decode().map_err(|error| Problem::internal(&format!("position {position}: {error}")))?;
    if !decoded.event.moves_points_of(user_id) {
        return Err(missing());
    }
    Ok(paging::at(served_from, json::answer(&shown(previous, record))))
}

/// Reads the record at `position` and the hash of the record before it. `None` at position 1.
async fn with_previous(api: &Api, position: Position) -> Result<Option<(Hash, Record)>, Problem> {
    let Some(after) = position.get().checked_sub(2).map(Position::new) else { return Ok(None) };
    let read = api.log.read(after, 2).await.map_err(|error| {
        tracing::warn!("position {position} cannot be read: {error}");
        Problem::new(&kinds::LOG_UNAVAILABLE, "The log cannot be read at the moment. Try again.")
    })?;
    let pair: Option<[Record; 2]> = read.try_into().ok();
    Ok(pair.map(|[previous, record]| (previous.hash, record)))
}

fn shown(previous_hash: Hash, record: Record) -> RecordShown {
    RecordShown {
        position: record.position,
        recorded_at: record.recorded_at,
        metadata_hash: Hash::new(Sha256::digest(record.metadata.as_bytes()).into()),
        r#type: record.event_type,
        type_version: record.type_version,
        data: record.data,
        previous_hash,
        hash: record.hash,
    }
}
