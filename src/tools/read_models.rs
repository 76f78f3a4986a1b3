//! Compares the read models with the log. Each kind is compared here, and nowhere else.

use std::sync::Arc;

use projections::ReadModels;
use projections::sql::SqlModel;
use serde::Serialize;

use super::ToolError;
use super::checker::Checker;
use crate::log::EventLog;
use crate::place::Place;
use crate::projector::{self, Verified};

/// The result of comparing one kind of read models with the log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The name of the read models.
    pub name: &'static str,
    /// The number of values that were compared.
    pub compared: u64,
    /// The differences. Empty if there are none.
    pub differences: Vec<String>,
    /// True if they are missing: nothing was compared.
    pub is_missing: bool,
}

impl Comparison {
    /// The differences, one line each.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.differences.iter().map(|difference| format!("WRONG: read models ({}): {difference}\n", self.name))
    }
}

/// Compares the read models in memory with the checker's own books.
pub fn hot(checker: &Checker, read_models: &ReadModels) -> Comparison {
    let (mut compared, mut differences) = (0, Vec::new());
    let mut compare = |what: String, shown: u64, kept: u64| {
        compared += 1;
        if shown != kept {
            differences.push(format!("{what}: the read model has {shown}, the log makes {kept}"));
        }
    };
    for (user_id, kept) in checker.balances() {
        compare(format!("balance of user {user_id}"), read_models.state.wallets.balance(user_id).get(), kept);
    }
    for (schedule_id, kept) in checker.seats_available() {
        let shown = read_models.state.seats_available(schedule_id);
        compare(format!("seats available of schedule {schedule_id}"), shown, kept);
    }
    Comparison { name: "hot", compared, differences, is_missing: false }
}

/// Compares each read model in SQL with a fresh fold at its checkpoint.
///
/// # Errors
/// The database or the log cannot be read.
pub async fn stored(
    place: &Place,
    log: &Arc<dyn EventLog>,
    models: &[&'static SqlModel],
) -> Result<Vec<Comparison>, ToolError> {
    let verified = projector::verify(&place.read_models()?, log.as_ref(), models, |_, _| {}).await?;
    let comparison = |verified: Verified| Comparison {
        name: verified.projection,
        compared: verified.rows,
        is_missing: verified.is_missing && verified.fault.is_none(),
        differences: verified.fault.into_iter().collect(),
    };
    Ok(verified.into_iter().map(comparison).collect())
}
