//! The operators' socket, and the commands of the program that go through it.

mod client;
mod opening;
mod reached;
mod room;
mod sale;
pub mod socket;

pub use client::{Answer, ClientError, Server};
pub use opening::run as run_opening;
pub use reached::CommandError;
pub use room::set as set_room;
pub use sale::run as run_sale;
