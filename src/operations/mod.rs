//! The operators' socket, and the commands of the program that go through it.

mod client;
pub mod socket;

pub use client::{Answer, ClientError, Server};
