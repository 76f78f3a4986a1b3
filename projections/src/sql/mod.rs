//! The read models in SQL, for data that is read rarely, goes back for ever, and must not take memory.
//!
//! One file each: its table, how events become rows, and its queries. A fold takes a chunk of events and collects the
//! changed rows, each once. [`store`] writes them in bulk, together with the checkpoint. A fold keeps nothing from one
//! chunk to the next, so that any process can go on from the checkpoint.

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

/// The fold of events into the rows of one table.
pub trait Fold: Send {
    /// Takes in the next event.
    ///
    /// # Errors
    /// The event holds a value that no row can hold.
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange>;

    /// The changes by all events that were taken in.
    fn changes(self: Box<Self>) -> Vec<Change>;
}

/// The error of a number that no column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is past what a column holds")]
pub struct OutOfRange(pub u64);

/// One read model: a table, and the fold that fills it.
#[derive(Debug)]
pub struct SqlModel {
    /// The name of the model and of its table.
    pub name: &'static str,
    /// The version of the table's shape and of the fold. A table of another version is built anew.
    pub version: u32,
    /// The text in the parentheses of CREATE TABLE, in the common subset of SQLite and PostgreSQL. Constraints have no
    /// names, so that the table can be made twice in one schema. Bytes are BYTEA, as in PostgreSQL; SQLite accepts any
    /// name.
    pub columns: &'static str,
    /// The columns of the key, which order the rows.
    pub key: &'static str,
    /// Makes an empty fold.
    pub fold: fn() -> Box<dyn Fold>,
}

/// Every read model in SQL.
pub static MODELS: [&SqlModel; 6] =
    [&seat_list::MODEL, &balances::MODEL, &point_history::MODEL, &reservations::MODEL, &payments::MODEL, &sales::MODEL];

/// Converts a number to a column's value.
fn column(number: impl Into<u64>) -> Result<i64, OutOfRange> {
    let number = number.into();
    i64::try_from(number).map_err(|_| OutOfRange(number))
}
