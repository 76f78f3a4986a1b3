//! What every route goes through, whoever asks.

pub mod api;
mod auth;
mod body;
mod coding;
pub mod command;
mod conditional;
mod connections;
mod framing;
pub mod health;
pub mod histories;
mod idempotency;
pub mod json;
pub mod kinds;
pub mod members;
pub mod metrics;
pub mod pages;
pub mod paging;
pub mod parameters;
pub mod path;
pub mod problem;
pub mod query;
mod request_id;
mod respond;
pub mod routes;
pub mod serve;
mod stalled;
pub mod wire;
