//! The common part of the routes of buyers and operators. Its files, in the order in which a request meets them:
//!
//! | | |
//! |---|---|
//! | the connection | `serve`, `connections`, `stalled`, `cors`, `framing`, `limits`; `waiting` before the log is open |
//! | the request | `routes`, `request_id`, `auth`, `path`, `parameters`, `body`, `members`, `idempotency` |
//! | a command | `command`, `charge`, `chance` |
//! | a query | `query`, `paging`, `histories`, `conditional`, `coding`, `streams` |
//! | the answer | `respond`, `json`, `wire`; `problem`, `kinds` |
//! | routes on both listeners | `health`, `metrics`, `docs`, `problem_pages`, `pages`, `coded` |
//! | the contract as a document | `contract` |
//!
//! `api` has the parts of the server that all of them use.

pub mod api;
mod auth;
mod body;
pub mod chance;
pub mod charge;
mod coded;
mod coding;
pub mod command;
mod conditional;
mod connections;
pub mod contract;
pub mod cors;
pub mod docs;
mod framing;
pub mod health;
pub mod histories;
mod idempotency;
pub mod json;
pub mod kinds;
pub mod limits;
pub mod members;
pub mod metrics;
pub mod pages;
pub mod paging;
pub mod parameters;
pub mod path;
pub mod problem;
pub mod problem_pages;
pub mod query;
mod request_id;
mod respond;
pub mod routes;
pub mod serve;
mod stalled;
pub mod streams;
pub mod waiting;
pub mod wire;
