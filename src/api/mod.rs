//! HTTP: commands, queries, identity and problems. This layer reads requests, checks their form, asks the engine or the
//! read models, and shows the answers. It has no rule of the business.
//!
//! The routes of buyers are in [`public`], and those of operators in [`operations`]. Both use [`shared`]: a command
//! goes through [`shared::command`], and a query through [`shared::query`]. [`shared::problem`] makes a response of
//! everything that is not a success. [`shared::respond`] adds what all responses have in common.

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
