//! Every movement of points, with the balance after it and the hash that proves it.

use domain::{Hash, PaymentId, Points, Position, RecordedEvent, ReservationId, Timestamp, UserId};

use super::store::{Order, id, number};
use super::{Change, Fold, Kind, OutOfRange, Row, SqlModel, Transaction, Value, column};

/// One row for each movement.
pub static MODEL: SqlModel = SqlModel {
    name: "point_history",
    version: 2,
    columns: "position BIGINT PRIMARY KEY NOT NULL, user_id BIGINT NOT NULL, \
              kind TEXT NOT NULL CHECK (kind IN ('CHARGE', 'PAYMENT', 'REFUND', 'ADJUSTMENT')), \
              amount BIGINT NOT NULL, balance_after BIGINT NOT NULL CHECK (balance_after >= 0), at BIGINT NOT NULL, \
              reservation_id BIGINT, payment_id BIGINT, reason TEXT, hash BYTEA NOT NULL, UNIQUE (user_id, position)",
    key: "position",
    fold: || Box::<PointHistory>::default(),
};

const COLUMNS: [Kind; 10] = {
    use Kind::{Hash, Integer, Text};
    [Integer, Integer, Text, Integer, Integer, Integer, Integer, Integer, Text, Hash]
};

/// Rows, in the order of their positions.
#[derive(Default)]
struct PointHistory(Vec<Value>);

impl Fold for PointHistory {
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange> {
        for moved in recorded.event.movements() {
            let past = |_| OutOfRange(u64::try_from(moved.amount.unsigned_abs()).unwrap_or(u64::MAX));
            let amount = i64::try_from(moved.amount).map_err(past)?;
            let reservation_id = moved.paid.map(|(hold, _)| column(hold.reservation_id)).transpose()?;
            let payment_id = moved.paid.map(|(_, payment_id)| column(payment_id)).transpose()?;
            self.0.extend([
                column(recorded.head.position.get())?.into(),
                column(moved.user_id)?.into(),
                moved.kind.name().into(),
                amount.into(),
                column(moved.balance_after.get())?.into(),
                moved.at.millis().into(),
                reservation_id.into(),
                payment_id.into(),
                moved.reason.into(),
                Value::Hash(*recorded.head.hash.as_bytes()),
            ]);
        }
        Ok(())
    }

    fn changes(self: Box<Self>) -> Vec<Change> {
        vec![Change {
            before: "INSERT INTO {table} (position, user_id, kind, amount, balance_after, at, reservation_id, payment_id, \
                     reason, hash) ",
            after: "",
            columns: &COLUMNS,
            values: self.0,
        }]
    }
}

/// A movement of points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The position of the event.
    pub position: Position,
    /// `CHARGE`, `PAYMENT`, `REFUND` or `ADJUSTMENT`.
    pub kind: String,
    /// The points that came in; negative for points that went out.
    pub amount: i64,
    /// The balance after the movement.
    pub balance_after: Points,
    /// The time of the movement.
    pub at: Timestamp,
    /// The reservation that was paid or refunded.
    pub reservation_id: Option<ReservationId>,
    /// The payment of that reservation.
    pub payment_id: Option<PaymentId>,
    /// The reason, if an operator did it.
    pub reason: Option<String>,
    /// The hash of the event's record.
    pub hash: Hash,
}

/// At most `limit` of the user's movements, those past `after` in `order`.
///
/// # Errors
/// The database fails.
pub async fn page(
    transaction: &mut Transaction<'_>,
    user_id: UserId,
    order: Order,
    after: Option<u64>,
    limit: u32,
) -> sqlx::Result<Vec<Movement>> {
    let query = match order {
        Order::Descending => {
            "SELECT * FROM point_history WHERE user_id = $1 AND position < $2 ORDER BY position DESC LIMIT $3"
        }
        Order::Ascending => {
            "SELECT * FROM point_history WHERE user_id = $1 AND position > $2 ORDER BY position ASC LIMIT $3"
        }
    };
    let values = [number(user_id), order.bound(after), limit.into()].map(Value::from);
    transaction.rows(query, &values).await?.iter().map(movement).collect()
}

fn movement(row: &Row) -> sqlx::Result<Movement> {
    Ok(Movement {
        position: Position::new(row.number("position")?),
        kind: row.text("kind")?.to_owned(),
        amount: row.integer("amount")?,
        balance_after: Points::new(row.number("balance_after")?),
        at: Timestamp::from_millis(row.integer("at")?),
        reservation_id: row.number_if_any("reservation_id")?.map(id).transpose()?,
        payment_id: row.number_if_any("payment_id")?.map(id).transpose()?,
        reason: row.text_if_any("reason")?.map(str::to_owned),
        hash: row.hash("hash")?,
    })
}
