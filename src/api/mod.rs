//! HTTP: commands, queries, who asks, problems. It reads requests, asks the engine or the read models, and shows their
//! answers; no rule of the business is here, and no statement about what is allowed but in what shape it must be asked.
//!
//! The routes of those who buy are in [`public`], those of the people who run the sale in [`operations`], and what both go
//! through in [`shared`]: a command through [`shared::command`], a query through [`shared::query`]; what is no success
//! becomes a response in [`shared::problem`]; what all responses have in common is put on in [`shared::respond`].

pub mod operations;
pub mod public;
mod shared;
#[cfg(test)]
mod tests;

pub use shared::api::Api;
pub use shared::cors::{Origin, for_pages_of};
pub use shared::limits::{Allowed, Limits};
pub use shared::pages::{Login, Pages, Settings};
pub use shared::serve::serve;
pub use shared::streams::{MAX_STREAMS, Streams};
pub use shared::waiting::while_waiting;
pub(crate) use shared::wire;
