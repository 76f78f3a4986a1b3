//! The operators' socket, and the commands of the program that go through it.

mod catalog;
mod client;
mod opening;
mod reached;
mod room;
mod sale;
pub mod socket;

pub use catalog::run as run_catalog;
pub use client::{Answer, ClientError, Sent, Server};
pub use opening::run as run_opening;
pub use reached::CommandError;
pub use room::run as run_room;
pub use sale::run as run_sale;
