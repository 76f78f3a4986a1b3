//! Read models held against the log: each kind is compared here, and nowhere else.

use std::sync::Arc;

use projections::ReadModels;
use serde::Serialize;

use super::ToolError;
use super::checker::Checker;
use crate::config::Place;
use crate::log::EventLog;

/// What came of comparing one kind of read models with the log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Which read models.
    pub name: &'static str,
    /// How many of their values were compared.
    pub compared: u64,
    /// What differs; nothing where they agree.
    pub differences: Vec<String>,
}

/// The fold that queries are answered from, against the checker's own books.
pub fn hot(checker: &Checker, read_models: &ReadModels) -> Comparison {
    let (mut compared, mut differences) = (0, Vec::new());
    let mut compare = |what: String, shown: u64, kept: u64| {
        compared += 1;
        if shown != kept {
            differences.push(format!("{what}: {shown} is shown, {kept} follows from the log"));
        }
    };
    for (user_id, kept) in checker.balances() {
        compare(format!("balance of user {user_id}"), read_models.balances.balance(user_id).get(), kept);
    }
    for (schedule_id, kept) in checker.seats_available() {
        let shown = read_models.seat_lists.seats_available(schedule_id);
        compare(format!("seats available of schedule {schedule_id}"), shown, kept);
    }
    Comparison { name: "hot", compared, differences }
}

/// Read models that are kept beside the log, each against a fresh fold at its checkpoint. There are none yet: what the
/// projector keeps in SQL is to be verified here.
#[expect(clippy::unused_async, reason = "what is kept in a database is read from there")]
pub async fn stored(_place: &Place, _log: &Arc<dyn EventLog>) -> Result<Vec<Comparison>, ToolError> {
    Ok(Vec::new())
}
