//! `reprise audit points`: a user's statement, from the log itself.

use std::ops::ControlFlow;

use domain::{Hash, PaymentId, Position, RecordedEvent, ReservationId, UserId};
use projections::sql::{balances, point_history};
use projections::{ReadModels, rfc3339};
use serde::Serialize;

use super::output::{Said, Table, count, plain, signed};
use super::read_models::{self, Comparison};
use super::{ToolError, source};
use crate::engine::decode;
use crate::past::{AsOf, Moment, walk};
use crate::place::Place;

/// One movement of the user's points.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatementLine {
    position: Position,
    at: String,
    kind: &'static str,
    amount: i64,
    /// The sum of all amounts so far.
    running_balance: i64,
    /// The balance in the event.
    balance_after: u64,
    request_id: Option<String>,
    reservation_id: Option<ReservationId>,
    payment_id: Option<PaymentId>,
    hash: Hash,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    ok: bool,
    #[serde(flatten)]
    moment: &'a Moment,
    user_id: u64,
    movements: &'a [StatementLine],
    /// The sum of the movements.
    statement: i64,
    /// The balance in the state.
    balance: u64,
    /// The balance that queries answer: the state's.
    shown: u64,
    /// The positions at which the running balance differs from the event's.
    disagreeing: Vec<Position>,
    read_models: Vec<Comparison>,
}

/// Lists every movement, and compares statement, balance and read models at the end.
pub async fn run(place: &Place, user: u64, as_of: Option<AsOf>, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let bar = source::progress_bar("replaying", log.head().await?.position, json);
    let mut folded = ReadModels::default();
    let mut movements: Vec<StatementLine> = Vec::new();
    walk(&log, as_of, decode, |recorded| {
        folded.apply(recorded);
        let before = movements.last().map_or(0, |last| last.running_balance);
        movements.extend(movement(recorded, user, before));
        bar.inc(1);
        ControlFlow::Continue(())
    })
    .await?;
    let stored = match as_of {
        None => read_models::stored(place, &log, &[&balances::MODEL, &point_history::MODEL]).await?,
        Some(_) => Vec::new(),
    };
    let user_id = UserId::try_from(user).map_err(|error| ToolError::NotFound(error.to_string()))?;
    let statement = movements.last().map_or(0, |last| last.running_balance);
    let balance = folded.state.wallets.balance(user_id).get();
    let differs =
        |movement: &&StatementLine| i128::from(movement.running_balance) != i128::from(movement.balance_after);
    let disagreeing: Vec<Position> = movements.iter().filter(differs).map(|movement| movement.position).collect();
    let agree = i128::from(statement) == i128::from(balance) && disagreeing.is_empty();
    let moment = &Moment::of(&folded);
    let statement = Statement {
        ok: agree && stored.iter().all(|compared| compared.differences.is_empty()),
        moment,
        user_id: user,
        movements: &movements,
        statement,
        balance,
        shown: balance,
        disagreeing,
        read_models: stored,
    };
    let text = text(&statement);
    Ok(Said::verdict(statement.ok, &statement, text))
}

fn movement(recorded: &RecordedEvent, user: u64, before: i64) -> Option<StatementLine> {
    let moved = recorded.event.movements().find(|moved| moved.user_id.get() == user)?;
    // Within the limits, amounts are far below 2^63.
    let amount = i64::try_from(moved.amount).unwrap_or(i64::MAX);
    Some(StatementLine {
        position: recorded.head.position,
        at: rfc3339(recorded.recorded_at),
        kind: moved.kind.name(),
        amount,
        running_balance: before.saturating_add(amount),
        balance_after: moved.balance_after.get(),
        request_id: recorded.metadata.request_id.clone(),
        reservation_id: moved.paid.map(|(hold, _)| hold.reservation_id),
        payment_id: moved.paid.map(|(_, payment_id)| payment_id),
        hash: recorded.head.hash,
    })
}

fn text(statement: &Statement<'_>) -> String {
    let headings = ["position", "at", "kind", "amount", "balance", "reservation", "request", "hash"];
    let mut table = Table::new(headings, &[0, 3, 4, 5]);
    for movement in statement.movements {
        table.row([
            movement.position.to_string(),
            movement.at.clone(),
            movement.kind.to_owned(),
            signed(movement.amount.into()),
            plain(movement.running_balance.into()),
            movement.reservation_id.map_or_else(String::new, |id| id.to_string()),
            movement.request_id.clone().unwrap_or_default(),
            movement.hash.to_string()[..16].to_owned(),
        ]);
    }
    let agreement = match (statement.ok, statement.disagreeing.first()) {
        (true, _) if statement.movements.is_empty() => "this user never had points".to_owned(),
        (true, _) => "statement, balance and read models agree".to_owned(),
        (false, Some(position)) => format!("THEY DISAGREE, first at position {position}"),
        (false, None) => "THEY DISAGREE".to_owned(),
    };
    let differences: String = statement.read_models.iter().flat_map(Comparison::lines).collect();
    format!(
        "user {}, {}\n\n{table}\nstatement   {}\nbalance     {}\n{agreement}\n{differences}",
        statement.user_id,
        statement.moment,
        plain(statement.statement.into()),
        count(statement.balance),
    )
}
