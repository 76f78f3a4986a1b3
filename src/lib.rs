//! What is run: the log, the engine that decides, and the HTTP interface. `main.rs` puts them together.

pub mod engine;
pub mod key;
pub mod log;
