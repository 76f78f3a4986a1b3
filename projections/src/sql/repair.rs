//! Compares the rows of one user or one schedule with those of a table that was folded anew, and corrects them.

use std::collections::BTreeMap;

use domain::{CatalogueEvent, Event, Hold, SaleEvent, ScheduleId, UserId};
use futures_util::TryStreamExt;

use super::{Row, SqlModel, Transaction, Value};

/// The rows to repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The rows that name this user.
    User(UserId),
    /// The rows that name this schedule.
    Schedule(ScheduleId),
}

impl Part {
    /// The column that names the user or schedule, and its value.
    fn column(self) -> (&'static str, u64) {
        match self {
            Self::User(user_id) => ("user_id", user_id.get()),
            Self::Schedule(schedule_id) => ("schedule_id", schedule_id.get()),
        }
    }

    /// True if an event may change these rows. Other events need not be folded.
    pub fn may_be_changed_by(self, event: &Event) -> bool {
        match event {
            Event::Points(_) => event.movements().any(|moved| self == Self::User(moved.user_id)),
            Event::Sale(event) => self.is_of(hold_of(event)),
            Event::Catalogue(event) => match self {
                Self::User(_) => false,
                Self::Schedule(schedule_id) => schedule_of(event).is_none_or(|changed| changed == schedule_id),
            },
            Event::Log(_) | Event::Room(_) | Event::Opening(_) | Event::Users(_) => false,
        }
    }

    fn is_of(self, hold: &Hold) -> bool {
        self == Self::User(hold.user_id) || self == Self::Schedule(hold.schedule_id)
    }
}

fn hold_of(event: &SaleEvent) -> &Hold {
    match event {
        SaleEvent::SeatsHeld(held) => &held.hold,
        SaleEvent::HoldExtended(extended) => &extended.hold,
        SaleEvent::HoldExpired(expired) => &expired.hold,
        SaleEvent::HoldCancelled(cancelled) => &cancelled.hold,
        SaleEvent::ReservationPaid(paid) => &paid.hold,
        SaleEvent::ReservationRefunded(refunded) => &refunded.hold,
    }
}

/// The one schedule that an event is about.
fn schedule_of(event: &CatalogueEvent) -> Option<ScheduleId> {
    match event {
        CatalogueEvent::SeatsAdded(added) => Some(added.schedule_id),
        CatalogueEvent::SchedulePublished(published) => Some(published.schedule_id),
        CatalogueEvent::SaleWindowChanged(changed) => Some(changed.schedule_id),
        CatalogueEvent::ScheduleMoved(moved) => Some(moved.schedule_id),
        CatalogueEvent::PriceChanged(changed) => Some(changed.schedule_id),
        CatalogueEvent::ScheduleCancelled(cancelled) => Some(cancelled.schedule_id),
        CatalogueEvent::ConcertPublished(_) | CatalogueEvent::CatalogImported(_) => None,
    }
}

/// The result of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetRight {
    /// The number of rows that follow from the log.
    pub rows: u64,
    /// The number of rows that were missing, superfluous or different.
    pub repaired: u64,
}

type Cells = Vec<(String, Value)>;

impl SqlModel {
    /// True if the model's rows name users, or schedules, as `part` does.
    pub fn has_rows_of(&self, part: Part) -> bool {
        let (column, _) = part.column();
        self.columns.split(", ").any(|definition| definition.split(' ').next() == Some(column))
    }

    /// Makes the part's rows in the live table equal to those in `fresh`. A row that names another user by mistake is
    /// found by its key.
    ///
    /// # Errors
    /// A database fails.
    pub async fn set_right(
        &self,
        part: Part,
        live: &mut Transaction<'_>,
        fresh: &mut Transaction<'_>,
    ) -> sqlx::Result<SetRight> {
        let (stored, right) = (self.rows_of(part, live).await?, self.rows_of(part, fresh).await?);
        let keys = stored.keys().chain(right.keys().filter(|key| !stored.contains_key(*key)));
        let mut repaired = 0;
        for key in keys.filter(|key| stored.get(*key) != right.get(*key)) {
            if let Some(row) = stored.get(key).or(right.get(key)) {
                self.delete(live, row).await?;
            }
            if let Some(row) = right.get(key) {
                insert(live, self.name, row).await?;
            }
            repaired += 1;
        }
        Ok(SetRight { rows: right.len() as u64, repaired })
    }

    /// The part's rows, by key.
    async fn rows_of(&self, part: Part, table: &mut Transaction<'_>) -> sqlx::Result<BTreeMap<String, Cells>> {
        let (column, id) = part.column();
        let mut rows = table.stream(format!("SELECT * FROM {} WHERE {column} = {id}", self.name));
        let mut found = BTreeMap::new();
        while let Some(row) = rows.try_next().await?.as_ref().map(Row::cells).transpose()? {
            let key = self.key_of(&row).map(|(name, value)| format!("{name} {value:?}")).collect::<Vec<_>>().join(", ");
            found.insert(key, row);
        }
        Ok(found)
    }

    fn key_of<'a>(&self, row: &'a Cells) -> impl Iterator<Item = &'a (String, Value)> + use<'a> {
        let names: Vec<&'static str> = self.key.split(", ").collect();
        row.iter().filter(move |(name, _)| names.contains(&name.as_str()))
    }

    async fn delete(&self, table: &mut Transaction<'_>, row: &Cells) -> sqlx::Result<()> {
        let (names, values): (Vec<&String>, Vec<Value>) =
            self.key_of(row).map(|(name, value)| (name, value.clone())).unzip();
        let is_it: Vec<String> =
            names.iter().zip(1..).map(|(name, number): (_, usize)| format!("{name} = ${number}")).collect();
        let delete = format!("DELETE FROM {} WHERE {}", self.name, is_it.join(" AND "));
        table.execute(delete, &values).await.map(drop)
    }
}

/// Inserts a row. NULL has no type, so it is written into the statement and not passed as a value.
async fn insert(table: &mut Transaction<'_>, name: &str, row: &Cells) -> sqlx::Result<()> {
    let columns: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
    let given: Vec<Value> = row.iter().map(|(_, value)| value.clone()).filter(|value| *value != Value::Null).collect();
    let mut number = 0;
    let place = |(_, value): &(String, Value)| {
        if *value == Value::Null {
            return "NULL".to_owned();
        }
        number += 1;
        format!("${number}")
    };
    let places: Vec<String> = row.iter().map(place).collect();
    let insert = format!("INSERT INTO {name} ({}) VALUES ({})", columns.join(", "), places.join(", "));
    table.execute(insert, &given).await.map(drop)
}
