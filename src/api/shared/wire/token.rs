//! The JSON of a token.

use domain::{Deadline, PlaceInLine, Timestamp, Token, TokenId, TokenStatus, UserId};
use projections::{ReadModels, rfc3339, serialize_rfc3339};
use serde::Serialize;
use uuid::Uuid;

use super::deadline_shown;

/// A token. `ahead`, `estimatedWaitSeconds` and all remaining seconds are computed for each answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenShown {
    token_id: TokenId,
    user_id: UserId,
    token: Uuid,
    status: &'static str,
    /// Null until the draw, as are the next two members.
    queue_number: Option<u64>,
    ahead: Option<u64>,
    estimated_wait_seconds: Option<u64>,
    /// The token's number among the entrants of an opening.
    entrant: Option<u64>,
    #[serde(serialize_with = "serialize_rfc3339")]
    created_at: Timestamp,
    /// Null while the sale is paused, since the clock's time of the deadline is not known.
    expires_at: Option<String>,
    expires_in_seconds: u64,
    /// The deadline by which an admitted user must arrive. Null after they have arrived.
    arrive_by: Option<String>,
    arrive_in_seconds: Option<u64>,
}

impl TokenShown {
    /// Shows `token`, whose text is `text`, at `now`.
    pub fn of(token: &Token, text: Uuid, read_models: &ReadModels, now: Timestamp) -> Self {
        let room = &read_models.state.room;
        let PlaceInLine { entrant, queue_number, ahead } = room.place(token, now);
        let (expires_at, expires_in_seconds) = token_deadline(token, read_models, now);
        let arrive_by = room.arrive_by(token).filter(|_| token.status == TokenStatus::Active);
        let arrive_by = arrive_by.map(|by| deadline_shown(by, read_models, now));
        Self {
            token_id: token.token_id,
            user_id: token.user_id,
            token: text,
            status: token_status(token.status),
            queue_number,
            ahead,
            estimated_wait_seconds: queue_number.map(|_| read_models.room().estimated_wait_seconds(token, now)),
            entrant,
            created_at: token.issued_at,
            expires_at,
            expires_in_seconds,
            arrive_in_seconds: arrive_by.as_ref().map(|(_, seconds)| *seconds),
            arrive_by: arrive_by.and_then(|(at, _)| at),
        }
    }
}

/// A token in its stream: with the state of the room.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchedTokenShown<'a> {
    #[serde(flatten)]
    token: TokenShown,
    state: &'static str,
    pause_reason: Option<&'a str>,
    resumes_at: Option<String>,
}

impl<'a> WatchedTokenShown<'a> {
    /// Adds the state of the room in `read_models`.
    pub fn of(token: TokenShown, read_models: &'a ReadModels, now: Timestamp) -> Self {
        let pause = read_models.room().pause(now);
        Self {
            token,
            state: read_models.room().state(now),
            pause_reason: pause.map(|pause| &*pause.reason),
            resumes_at: pause.and_then(|pause| pause.resumes_at).map(rfc3339),
        }
    }
}

/// The deadline of a token's status. An expired token has none.
fn token_deadline(token: &Token, read_models: &ReadModels, now: Timestamp) -> (Option<String>, u64) {
    if token.status == TokenStatus::Expired {
        return (None, 0);
    }
    match read_models.state.room.deadline(token, now) {
        Deadline::Sale(deadline) => deadline_shown(deadline, read_models, now),
        Deadline::Clock(deadline) => (Some(rfc3339(deadline)), now.seconds_until(deadline)),
    }
}

fn token_status(status: TokenStatus) -> &'static str {
    match status {
        TokenStatus::Waiting => "WAITING",
        TokenStatus::Active => "ACTIVE",
        TokenStatus::Finished => "FINISHED",
        TokenStatus::Expired => "EXPIRED",
    }
}
