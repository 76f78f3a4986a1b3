//! The whole program, from outside: it is started, asked over HTTP, killed, and its log is read.

mod bad_input;
mod crash;
mod operators;
mod purchase;
mod races;
mod refusals;
mod server;
mod waiting_room;
