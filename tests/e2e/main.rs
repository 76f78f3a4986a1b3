//! The whole program, from outside: it is started, asked over HTTP, killed, and its log is read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod bad_input;
mod by_quantity;
mod called_off;
mod catalogue;
mod contract;
mod crash;
mod documentation;
mod failing_disk;
mod http_edge;
mod identity;
mod interventions;
#[cfg(feature = "kurrentdb")]
mod kurrentdb;
mod limits;
mod metrics;
mod nodes;
mod older_logs;
mod openings;
mod operators;
mod process;
mod purchase;
mod races;
mod read_models;
mod refusals;
mod repairs;
mod served;
mod server;
mod snapshots;
mod tools;
mod twins;
mod waiting_room;
