//! Every payment, and the time of its refund.

use std::collections::BTreeMap;

use domain::{
    Event, Hold, Payment, PaymentId, Points, RecordedEvent, ReservationPaid, ReservationRefunded, SaleEvent, Timestamp,
    UserId,
};

use super::store::{Order, id, number};
use super::{Change, Fold, Kind, OutOfRange, Row, SqlModel, Transaction, Value, column};

/// One row for each payment.
pub static MODEL: SqlModel = SqlModel {
    name: "payments",
    version: 1,
    columns: "payment_id BIGINT PRIMARY KEY NOT NULL, reservation_id BIGINT NOT NULL, user_id BIGINT NOT NULL, \
              concert_id BIGINT NOT NULL, schedule_id BIGINT NOT NULL, amount BIGINT NOT NULL, \
              balance_after BIGINT NOT NULL, paid_at BIGINT NOT NULL, refunded_at BIGINT, position BIGINT NOT NULL, \
              UNIQUE (user_id, payment_id)",
    key: "payment_id",
    fold: || Box::<Payments>::default(),
};

/// New payments, one row each; and refunds of earlier payments, with time and position.
#[derive(Default)]
struct Payments {
    paid: Vec<Value>,
    refunded: BTreeMap<i64, (i64, i64)>,
}

impl Payments {
    fn pay(
        &mut self,
        payment_id: PaymentId,
        hold: &Hold,
        balance_after: Points,
        paid_at: Timestamp,
        position: i64,
    ) -> Result<(), OutOfRange> {
        self.paid.extend([
            column(payment_id)?.into(),
            column(hold.reservation_id)?.into(),
            column(hold.user_id)?.into(),
            column(hold.concert_id)?.into(),
            column(hold.schedule_id)?.into(),
            column(hold.total_price.get())?.into(),
            column(balance_after.get())?.into(),
            paid_at.millis().into(),
            Value::Null,
            position.into(),
        ]);
        Ok(())
    }
}

impl Fold for Payments {
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange> {
        let position = column(recorded.head.position.get())?;
        match &recorded.event {
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid {
                payment_id,
                hold,
                balance_after,
                paid_at,
                ..
            })) => {
                self.pay(*payment_id, hold, *balance_after, *paid_at, position)?;
            }
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { payment_id, refunded_at, .. })) => {
                self.refunded.insert(column(*payment_id)?, (refunded_at.millis(), position));
            }
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(_)
            | Event::Sale(
                SaleEvent::SeatsHeld(_)
                | SaleEvent::HoldExtended(_)
                | SaleEvent::HoldExpired(_)
                | SaleEvent::HoldCancelled(_),
            ) => {}
        }
        Ok(())
    }

    fn changes(self: Box<Self>) -> Vec<Change> {
        let refund = |(payment_id, (at, position))| [payment_id, at, position];
        vec![
            Change {
                before: "INSERT INTO {table} (payment_id, reservation_id, user_id, concert_id, schedule_id, amount, \
                         balance_after, paid_at, refunded_at, position) ",
                after: "",
                columns: &[Kind::Integer; 10],
                values: self.paid,
            },
            Change {
                before: "UPDATE {table} SET refunded_at = v.column2, position = v.column3 FROM (",
                after: ") AS v WHERE payment_id = v.column1",
                columns: &[Kind::Integer; 3],
                values: self.refunded.into_iter().flat_map(refund).map(Into::into).collect(),
            },
        ]
    }
}

/// At most `limit` of the user's payments, the newest first: those before `after`.
///
/// # Errors
/// The database fails.
pub async fn page(
    transaction: &mut Transaction<'_>,
    user_id: UserId,
    after: Option<u64>,
    limit: u32,
) -> sqlx::Result<Vec<Payment>> {
    let query = "SELECT * FROM payments WHERE user_id = $1 AND payment_id < $2 ORDER BY payment_id DESC LIMIT $3";
    let values = [number(user_id), Order::Descending.bound(after), limit.into()].map(Value::from);
    transaction.rows(query, &values).await?.iter().map(payment).collect()
}

fn payment(row: &Row) -> sqlx::Result<Payment> {
    Ok(Payment {
        payment_id: id(row.number("payment_id")?)?,
        reservation_id: id(row.number("reservation_id")?)?,
        user_id: id(row.number("user_id")?)?,
        amount: Points::new(row.number("amount")?),
        balance_after: Points::new(row.number("balance_after")?),
        paid_at: Timestamp::from_millis(row.integer("paid_at")?),
    })
}
