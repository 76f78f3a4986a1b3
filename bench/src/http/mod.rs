//! Load over HTTP/1.1 from this process, on servers that are processes of their own.
//!
//! Two cores are shared by both, so what asks must be cheap: one thread, requests that are formatted once, no pipelining.

pub mod alternation;
pub mod child;
mod connection;
pub mod floor;
pub mod load;
pub mod requests;
pub mod scripts;
