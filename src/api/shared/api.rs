//! The parts of the server that all routes share.

use std::sync::Arc;

use domain::Token;
use uuid::Uuid;

use super::limits::Limits;
use super::pages::Pages;
use super::problem::Problem;
use super::streams::Streams;
use crate::engine::Engine;
use crate::identity::{Charging, Identity};
use crate::key::ServerKey;
use crate::log::EventLog;
use crate::projector::Projector;

/// The parts of the server that the routes need.
pub struct Api {
    /// Decides commands, and has the read models in memory.
    pub engine: Engine,
    /// Derives tokens.
    pub key: ServerKey,
    /// Has the read models in SQL.
    pub projector: Projector,
    /// The pages, with the settings that they are served with.
    pub pages: Pages,
    /// The streams of changes.
    pub streams: Streams,
    /// The identity provider. Without it everyone may act as any user.
    pub identity: Option<Identity>,
    /// The limits of requests.
    pub limits: Arc<Limits>,
    /// The rule of who may charge wallets.
    pub charging: Charging,
    /// The log, with every record as it is stored.
    pub log: Arc<dyn EventLog>,
}

impl Api {
    /// Derives the text of a token. Only the server's key can do that.
    ///
    /// # Errors
    /// The log holds a token that this key cannot have derived.
    pub fn token_text(&self, token: &Token) -> Result<Uuid, Problem> {
        self.key.token_of(token).ok_or_else(|| {
            Problem::internal(&format!("token {} has no seed and is not one of the fixed tokens", token.token_id))
        })
    }
}
