//! Load over HTTP/1.1 from this process, on servers that are processes of their own.
//!
//! Two cores are shared by both, so what asks must be cheap: one thread, requests that are formatted once, no pipelining.

pub mod alternation;
pub mod buyers;
pub mod child;
pub mod connection;
pub mod floor;
pub mod load;
pub mod operators;
pub mod requests;
pub mod scripts;
pub mod visits;
pub mod watching;
