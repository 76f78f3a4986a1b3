//! The operators' socket, and the commands of the program that go through it.

mod asking;
mod catalog;
mod client;
mod opening;
mod reached;
mod reservation;
mod room;
mod sale;
mod schedule;
pub mod socket;
mod users;

pub use asking::change;
pub use catalog::run as run_catalog;
pub use client::{Answer, ClientError, Sent, Server};
pub use opening::run as run_opening;
pub use reached::CommandError;
pub use reservation::run as run_reservation;
pub use room::run as run_room;
pub use sale::run as run_sale;
pub use schedule::run as run_schedule;
pub use users::run as run_users;
