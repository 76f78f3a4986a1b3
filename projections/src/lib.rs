//! Read models: each file folds events into one of them, or shows a part of the state.
//!
//! The hot read models are in memory: [`ReadModels`] has them all. They depend only on events, never on a clock, so
//! that a rebuilt one equals a live one byte for byte. A query that must compare deadlines with the clock (an overdue
//! hold, a token past its deadline) uses the domain's own types.
//!
//! The read models in SQL, for histories and reports, are in [`sql`].

mod admissions;
mod concerts;
mod opening;
mod read_models;
#[cfg(test)]
mod rebuilt_equals_live;
mod representation;
mod room;
mod schedules;
mod seat_list;
mod seat_lists;
mod seat_map;
mod seat_pages;
mod seat_zone;
#[cfg(feature = "sql")]
pub mod sql;
#[cfg(test)]
mod testing;
mod time;

pub use concerts::Concerts;
pub use opening::{DrawShown, OpeningShown};
pub use read_models::{Behind, ReadModels};
pub use representation::{Compressed, Representation, Stamp};
pub use room::RoomView;
pub use schedules::{CancelledView, ScheduleView, Schedules};
pub use seat_list::SeatList;
pub use seat_zone::ZoneShown;
pub use time::{rfc3339, serialize_rfc3339};
