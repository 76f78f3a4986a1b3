//! The read models in SQL: for what is asked seldom, goes back for ever, and must not take memory.
//!
//! One file each: its table, how events become rows, and its queries. A fold is of a chunk of events: it gathers what
//! they change, each row once, and [`store`] writes that in bulk together with the checkpoint. Folds keep nothing from
//! chunk to chunk, so that whoever has the checkpoint can go on.

pub mod balances;
mod compare;
mod connection;
mod database;
mod errors;
mod fold;
pub mod payments;
pub mod point_history;
mod repair;
pub mod reservations;
mod row;
pub mod sales;
mod seat_list;
mod session;
pub mod store;
#[cfg(test)]
mod tests;
mod write;

use domain::RecordedEvent;
use row::Row;

pub use compare::{Difference, compare};
pub use connection::{Connection, Readers, Transaction};
pub use database::{Location, READ_MODELS_FILE};
pub use errors::{is_locked_out, is_no_database, is_refusal};
pub use fold::{Folded, Poison};
pub use repair::{Part, SetRight};
pub use session::{POOLED, Schema, keeps_sessions, set_up};
pub use write::{Change, Kind, Value};

/// How events become the rows of one table.
pub trait Fold: Send {
    /// Takes the next event in.
    ///
    /// # Errors
    /// The event says what no row can hold.
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange>;

    /// What all events taken in come to.
    fn changes(self: Box<Self>) -> Vec<Change>;
}

/// A number that no column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is past what a column holds")]
pub struct OutOfRange(pub u64);

/// One read model: a table, and the fold that fills it.
#[derive(Debug)]
pub struct SqlModel {
    /// Its name, and its table's.
    pub name: &'static str,
    /// The version of its shape and of its fold. Another one in the database means: rebuild.
    pub version: u32,
    /// What is in the parentheses of its CREATE TABLE: the common subset of SQLite and PostgreSQL, no constraint named,
    /// so that the table can stand twice in one schema. Bytes are BYTEA, as PostgreSQL calls them; SQLite takes any name.
    pub columns: &'static str,
    /// The columns by which its rows are in order: those of its key.
    pub key: &'static str,
    /// A fold that has taken nothing in.
    pub fold: fn() -> Box<dyn Fold>,
}

/// Every read model in SQL.
pub static MODELS: [&SqlModel; 6] =
    [&seat_list::MODEL, &balances::MODEL, &point_history::MODEL, &reservations::MODEL, &payments::MODEL, &sales::MODEL];

/// A number as a column holds it.
fn column(number: impl Into<u64>) -> Result<i64, OutOfRange> {
    let number = number.into();
    i64::try_from(number).map_err(|_| OutOfRange(number))
}
