//! The balances of all users, as a table for reports.

use std::collections::BTreeMap;

use domain::RecordedEvent;

use super::{Change, Fold, Kind, OutOfRange, SqlModel, column};

/// One row for each wallet that was ever used.
pub static MODEL: SqlModel = SqlModel {
    name: "balances",
    version: 1,
    columns: "user_id BIGINT PRIMARY KEY NOT NULL, balance BIGINT NOT NULL CHECK (balance >= 0), position BIGINT NOT NULL",
    key: "user_id",
    fold: || Box::<Balances>::default(),
};

/// By user: the balance, and the position that it changed at.
#[derive(Default)]
struct Balances(BTreeMap<i64, (i64, i64)>);

impl Fold for Balances {
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange> {
        for moved in recorded.event.movements() {
            let row = (column(moved.balance_after.get())?, column(recorded.head.position.get())?);
            self.0.insert(column(moved.user_id)?, row);
        }
        Ok(())
    }

    fn changes(self: Box<Self>) -> Vec<Change> {
        let row = |(user_id, (balance, position))| [user_id, balance, position];
        vec![Change {
            before: "INSERT INTO {table} (user_id, balance, position) ",
            after: " ON CONFLICT (user_id) DO UPDATE SET balance = excluded.balance, position = excluded.position",
            columns: &[Kind::Integer; 3],
            values: self.0.into_iter().flat_map(row).map(Into::into).collect(),
        }]
    }
}
