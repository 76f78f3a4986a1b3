//! `reprise sale pause` and `reprise sale resume`.

use reqwest::Method;
use serde_json::json;

use super::CommandError;
use super::asking::{Asked, ask};
use crate::config::Sale;
use crate::place::Place;

/// Pauses or resumes the sale. Returns the text of the result.
///
/// # Errors
/// There is no log, or its server refuses.
pub async fn run(place: &Place, command: &Sale) -> Result<String, CommandError> {
    let (path, key, body) = match command {
        Sale::Pause { resumes_at, change } => (
            "/api/operations/pause",
            &change.idempotency_key,
            json!({ "reason": change.reason, "resumesAt": resumes_at }),
        ),
        Sale::Resume { change } => {
            ("/api/operations/resume", &change.idempotency_key, json!({ "reason": change.reason }))
        }
    };
    let told = ask(place, Asked::change(Method::POST, path.to_owned(), body, key.as_deref())).await?;
    let pause = &told.body["pause"];
    Ok(match (pause["reason"].as_str(), pause["resumesAt"].as_str()) {
        (None, _) => "the sale goes on".to_owned(),
        (Some(reason), None) => format!("the sale is paused: {reason}"),
        (Some(reason), Some(resumes_at)) => format!("the sale is paused until {resumes_at}: {reason}"),
    })
}
