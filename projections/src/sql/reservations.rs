//! Every reservation ever made, with its status. The names of seats are in `seat_list`.

use std::collections::BTreeMap;

use domain::{
    Event, Hold, HoldCancelled, HoldExpired, HoldExtended, Points, RecordedEvent, Reservation, ReservationId,
    ReservationPaid, ReservationRefunded, ReservationStatus, SaleEvent, SaleTime, SeatsHeld, Timestamp, UserId,
};

use super::store::{Order, id, number};
use super::{Change, Fold, Kind, OutOfRange, Row, SqlModel, Transaction, Value, column};

/// One row a reservation; `seats` is JSON: `[{"seat_id": 1, "price": 100}]`.
pub static MODEL: SqlModel = SqlModel {
    name: "reservations",
    version: 2,
    columns: "reservation_id BIGINT PRIMARY KEY NOT NULL, user_id BIGINT NOT NULL, concert_id BIGINT NOT NULL, \
              schedule_id BIGINT NOT NULL, seats TEXT NOT NULL, total_price BIGINT NOT NULL, \
              status TEXT NOT NULL CHECK (status IN ('HELD', 'PAID', 'CANCELLED', 'EXPIRED', 'REFUNDED')), \
              held_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, extended BIGINT NOT NULL, \
              position BIGINT NOT NULL, \
              UNIQUE (user_id, reservation_id)",
    key: "reservation_id",
    fold: || Box::<Reservations>::default(),
};

const COLUMNS: [Kind; 11] = {
    use Kind::{Integer, Text};
    [Integer, Integer, Integer, Integer, Text, Integer, Text, Integer, Integer, Integer, Integer]
};

/// Whole rows: every event about a reservation carries all of it.
#[derive(Default)]
struct Reservations(BTreeMap<i64, [Value; 11]>);

impl Reservations {
    fn set(&mut self, hold: &Hold, status: &'static str, position: i64) -> Result<(), OutOfRange> {
        self.row(hold, status, false, position)
    }

    /// Sets a row. `extended` is kept only for a hold; a later status does not need it.
    fn row(&mut self, hold: &Hold, status: &'static str, extended: bool, position: i64) -> Result<(), OutOfRange> {
        let reservation_id = column(hold.reservation_id)?;
        let seats = serde_json::to_string(&hold.seats).expect("seats hold only what JSON can say");
        let row = [
            reservation_id.into(),
            column(hold.user_id)?.into(),
            column(hold.concert_id)?.into(),
            column(hold.schedule_id)?.into(),
            Value::Text(seats.into()),
            column(hold.total_price.get())?.into(),
            status.into(),
            hold.held_at.millis().into(),
            hold.expires_at.millis().into(),
            i64::from(extended).into(),
            position.into(),
        ];
        self.0.insert(reservation_id, row);
        Ok(())
    }
}

impl Fold for Reservations {
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange> {
        let position = column(recorded.head.position.get())?;
        match &recorded.event {
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => self.set(hold, "HELD", position),
            Event::Sale(SaleEvent::HoldExtended(HoldExtended { hold, .. })) => self.row(hold, "HELD", true, position),
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. })) => self.set(hold, "EXPIRED", position),
            Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. })) => self.set(hold, "CANCELLED", position),
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. })) => self.set(hold, "PAID", position),
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => {
                self.set(hold, "REFUNDED", position)
            }
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(_) => Ok(()),
        }
    }

    fn changes(self: Box<Self>) -> Vec<Change> {
        vec![Change {
            before: "INSERT INTO {table} (reservation_id, user_id, concert_id, schedule_id, seats, total_price, status, \
                     held_at, expires_at, extended, position) ",
            after: " ON CONFLICT (reservation_id) DO UPDATE SET status = excluded.status, expires_at = excluded.expires_at, \
                    extended = excluded.extended, position = excluded.position",
            columns: &COLUMNS,
            values: self.0.into_values().flatten().collect(),
        }]
    }
}

/// One reservation.
///
/// # Errors
/// The database fails.
pub async fn one(transaction: &mut Transaction<'_>, id: ReservationId) -> sqlx::Result<Option<Reservation>> {
    let query = "SELECT * FROM reservations WHERE reservation_id = $1";
    transaction.rows(query, &[number(id).into()]).await?.first().map(reservation).transpose()
}

/// At most `limit` of the user's reservations, the newest first: those before `after`.
///
/// # Errors
/// The database fails.
pub async fn page(
    transaction: &mut Transaction<'_>,
    user_id: UserId,
    after: Option<u64>,
    limit: u32,
) -> sqlx::Result<Vec<Reservation>> {
    let query =
        "SELECT * FROM reservations WHERE user_id = $1 AND reservation_id < $2 ORDER BY reservation_id DESC LIMIT $3";
    let values = [number(user_id), Order::Descending.bound(after), limit.into()].map(Value::from);
    transaction.rows(query, &values).await?.iter().map(reservation).collect()
}

fn reservation(row: &Row) -> sqlx::Result<Reservation> {
    let wrong = |reason: String| sqlx::Error::Decode(reason.into());
    let status = match row.text("status")? {
        "HELD" => ReservationStatus::Held,
        "PAID" => ReservationStatus::Paid,
        "CANCELLED" => ReservationStatus::Cancelled,
        "EXPIRED" => ReservationStatus::Expired,
        "REFUNDED" => ReservationStatus::Refunded,
        other => return Err(wrong(format!("{other} is no status"))),
    };
    let hold = Hold {
        reservation_id: id(row.number("reservation_id")?)?,
        user_id: id(row.number("user_id")?)?,
        concert_id: id(row.number("concert_id")?)?,
        schedule_id: id(row.number("schedule_id")?)?,
        seats: serde_json::from_str(row.text("seats")?).map_err(|error| wrong(error.to_string()))?,
        total_price: Points::new(row.number("total_price")?),
        held_at: Timestamp::from_millis(row.integer("held_at")?),
        expires_at: SaleTime::from_millis(row.integer("expires_at")?),
    };
    Ok(Reservation { hold, status, is_extended: row.integer("extended")? != 0 })
}
