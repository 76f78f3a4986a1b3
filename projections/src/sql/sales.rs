//! Sales by concert and schedule, for operators.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{
    CatalogImported, CatalogueEvent, Event, Hold, HoldCancelled, HoldExpired, RecordedEvent, ReservationPaid,
    ReservationRefunded, SaleEvent, SchedulePublished, SeatsHeld,
};
use serde::Serialize;

use super::{Change, Fold, Kind, OutOfRange, Row, SqlModel, Transaction, Value, column};

/// One row a schedule: `held` and `sold` are seats now, `refunded` those that were sold and came back, `takings` what
/// payments brought less what refunds gave back. Nobody sees a schedule yet whose `import_id` is there.
pub static MODEL: SqlModel = SqlModel {
    name: "sales",
    version: 2,
    columns: "schedule_id BIGINT PRIMARY KEY NOT NULL, concert_id BIGINT NOT NULL, seats_total BIGINT NOT NULL, \
              held BIGINT NOT NULL, sold BIGINT NOT NULL, refunded BIGINT NOT NULL, takings BIGINT NOT NULL, \
              import_id TEXT",
    key: "schedule_id",
    fold: || Box::<SalesFold>::default(),
};

/// The columns: schedule, concert, the counts, the import.
const COLUMNS: [Kind; 8] = {
    use Kind::{Integer, Text};
    [Integer, Integer, Integer, Integer, Integer, Integer, Integer, Text]
};

/// The changes of a schedule's counts by a chunk of events.
#[derive(Default)]
struct Moved {
    concert_id: i64,
    seats_total: i64,
    held: i64,
    sold: i64,
    refunded: i64,
    takings: i64,
    import_id: Option<Arc<str>>,
}

#[derive(Default)]
struct SalesFold {
    moved: BTreeMap<i64, Moved>,
    /// Imports that have ended.
    imported: Vec<Arc<str>>,
}

impl SalesFold {
    /// The counts of the hold's schedule, and how many seats it has at which price.
    fn of(&mut self, hold: &Hold) -> Result<(&mut Moved, i64, i64), OutOfRange> {
        let (seats, price) = (column(hold.seats.len() as u64)?, column(hold.total_price.get())?);
        let moved = self.moved.entry(column(hold.schedule_id)?).or_default();
        moved.concert_id = column(hold.concert_id)?;
        Ok((moved, seats, price))
    }
}

impl Fold for SalesFold {
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange> {
        match &recorded.event {
            Event::Catalogue(CatalogueEvent::SchedulePublished(SchedulePublished {
                concert_id,
                schedule_id,
                seats_total,
                import_id,
                ..
            })) => {
                let moved = self.moved.entry(column(*schedule_id)?).or_default();
                moved.concert_id = column(*concert_id)?;
                moved.seats_total += column(*seats_total)?;
                moved.import_id = import_id.map(|import_id| import_id.to_string().into());
            }
            Event::Catalogue(CatalogueEvent::CatalogImported(CatalogImported { import_id, .. })) => {
                self.imported.extend(import_id.map(|import_id| Arc::from(import_id.to_string())));
            }
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => {
                let (moved, seats, _) = self.of(hold)?;
                moved.held += seats;
            }
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. }))
            | Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. })) => {
                let (moved, seats, _) = self.of(hold)?;
                moved.held -= seats;
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. })) => {
                let (moved, seats, price) = self.of(hold)?;
                moved.held -= seats;
                moved.sold += seats;
                moved.takings += price;
            }
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => {
                let (moved, seats, price) = self.of(hold)?;
                moved.sold -= seats;
                moved.refunded += seats;
                moved.takings -= price;
            }
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Sale(SaleEvent::HoldExtended(_))
            | Event::Catalogue(
                CatalogueEvent::ConcertPublished(_)
                | CatalogueEvent::SeatsAdded(_)
                | CatalogueEvent::SaleWindowChanged(_)
                | CatalogueEvent::ScheduleMoved(_)
                | CatalogueEvent::PriceChanged(_)
                | CatalogueEvent::ScheduleCancelled(_),
            ) => {}
        }
        Ok(())
    }

    fn changes(self: Box<Self>) -> Vec<Change> {
        let row = |(schedule_id, moved): (i64, Moved)| {
            let Moved { concert_id, seats_total, held, sold, refunded, takings, import_id } = moved;
            let counts = [schedule_id, concert_id, seats_total, held, sold, refunded, takings];
            counts.map(Value::from).into_iter().chain([import_id.map_or(Value::Null, Value::Text)])
        };
        vec![
            Change {
                before: "INSERT INTO {table} (schedule_id, concert_id, seats_total, held, sold, refunded, takings, \
                         import_id) ",
                after: " ON CONFLICT (schedule_id) DO UPDATE SET \
                        seats_total = {table}.seats_total + excluded.seats_total, \
                        held = {table}.held + excluded.held, sold = {table}.sold + excluded.sold, \
                        refunded = {table}.refunded + excluded.refunded, takings = {table}.takings + excluded.takings",
                columns: &COLUMNS,
                values: self.moved.into_iter().flat_map(row).collect(),
            },
            Change {
                before: "UPDATE {table} SET import_id = NULL FROM (",
                after: ") AS v WHERE import_id = v.column1",
                columns: &[Kind::Text],
                values: self.imported.into_iter().map(Value::Text).collect(),
            },
        ]
    }
}

/// A schedule's sales, as operators read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleSales {
    /// The concert's id.
    pub concert_id: u64,
    /// The schedule's id.
    pub schedule_id: u64,
    /// The number of its seats.
    pub seats_total: i64,
    /// Seats held now.
    pub held: i64,
    /// Seats sold now.
    pub sold: i64,
    /// Seats that were sold and refunded.
    pub refunded: i64,
    /// The sum of payments minus the sum of refunds, in points.
    pub takings: i64,
}

/// Reads the sales of every visible schedule, by concert and schedule.
///
/// # Errors
/// The database fails.
pub async fn all(transaction: &mut Transaction<'_>) -> sqlx::Result<Vec<ScheduleSales>> {
    let query = "SELECT * FROM sales WHERE import_id IS NULL ORDER BY concert_id, schedule_id";
    transaction.rows(query, &[]).await?.iter().map(schedule_sales).collect()
}

fn schedule_sales(row: &Row) -> sqlx::Result<ScheduleSales> {
    Ok(ScheduleSales {
        concert_id: row.number("concert_id")?,
        schedule_id: row.number("schedule_id")?,
        seats_total: row.integer("seats_total")?,
        held: row.integer("held")?,
        sold: row.integer("sold")?,
        refunded: row.integer("refunded")?,
        takings: row.integer("takings")?,
    })
}
