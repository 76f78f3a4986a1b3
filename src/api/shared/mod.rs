//! What every route goes through, whoever asks.

pub mod api;
mod auth;
mod body;
pub mod command;
mod conditional;
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
pub mod waiting;
pub mod wire;
