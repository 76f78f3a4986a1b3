//! What is run: the log, the engine that decides, and the HTTP interface. `serve.rs` puts them together.

pub mod api;
pub mod bench;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod data_folder;
pub mod demo;
pub mod engine;
pub mod key;
pub mod lines;
pub mod log;
pub mod metrics;
pub mod projector;
pub mod secret_url;
pub mod serve;
pub mod tools;
