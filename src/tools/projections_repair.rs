//! `reprise projections repair`: the running server repairs rows, or else this command's own server.

use reqwest::Method;
use serde_json::json;

use super::ToolError;
use super::output::{Said, count};
use crate::config::RowsOf;
use crate::operations;
use crate::place::Place;

/// Repairs the rows of one user or one schedule.
pub async fn run(place: &Place, name: &str, rows: RowsOf) -> Result<Said, ToolError> {
    let (whose, body) = match (rows.user, rows.schedule) {
        (Some(user), _) => (format!("user {user}"), json!({ "userId": user })),
        (None, schedule) => (format!("schedule {}", schedule.unwrap_or_default()), json!({ "scheduleId": schedule })),
    };
    let path = format!("/api/operations/projections/{name}/repair");
    let repaired = operations::change(place, Method::POST, path, body).await?;
    let counted = |member: &str| count(repaired[member].as_u64().unwrap_or_default());
    let text = format!(
        "{name}: {} of {} rows of {whose} were corrected\nposition: {}",
        counted("repaired"),
        counted("rows"),
        repaired["position"]
    );
    Ok(Said::new(&repaired, text))
}
