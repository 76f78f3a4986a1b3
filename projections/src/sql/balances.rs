//! What every user has in points, as a table for reports.

use std::collections::BTreeMap;

use domain::{
    Event, Points, PointsCharged, PointsEvent, RecordedEvent, ReservationPaid, ReservationRefunded, SaleEvent, UserId,
};

use super::{Change, Fold, Kind, OutOfRange, SqlModel, column};

/// One row a wallet that was ever used.
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

impl Balances {
    fn set(&mut self, user_id: UserId, balance: Points, recorded: &RecordedEvent) -> Result<(), OutOfRange> {
        let row = (column(balance.get())?, column(recorded.head.position.get())?);
        self.0.insert(column(user_id)?, row);
        Ok(())
    }
}

impl Fold for Balances {
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange> {
        match &recorded.event {
            Event::Points(PointsEvent::PointsCharged(PointsCharged { user_id, balance_after, .. })) => {
                self.set(*user_id, *balance_after, recorded)
            }
            Event::Points(PointsEvent::PointsAdjusted(adjusted)) => {
                self.set(adjusted.user_id, adjusted.balance_after, recorded)
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, balance_after, .. }))
            | Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, balance_after, .. })) => {
                self.set(hold.user_id, *balance_after, recorded)
            }
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Catalogue(_)
            | Event::Sale(
                SaleEvent::SeatsHeld(_)
                | SaleEvent::HoldExtended(_)
                | SaleEvent::HoldExpired(_)
                | SaleEvent::HoldCancelled(_),
            ) => Ok(()),
        }
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
