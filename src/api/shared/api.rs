//! What the routes rest on.

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

/// What the routes rest on.
pub struct Api {
    /// Decides, and has the hot read models.
    pub engine: Engine,
    /// Derives tokens.
    pub key: ServerKey,
    /// Has the read models in SQL.
    pub projector: Projector,
    /// The pages, with the settings that they are served with.
    pub pages: Pages,
    /// Tells what changes to all who watch.
    pub streams: Streams,
    /// Says who somebody is; without it everyone is believed.
    pub identity: Option<Identity>,
    /// How much may be asked.
    pub limits: Arc<Limits>,
    /// Who puts money into wallets.
    pub charging: Charging,
    /// Has every record, as it stands.
    pub log: Arc<dyn EventLog>,
}

impl Api {
    /// The text of a token, which only the server's key can tell.
    ///
    /// # Errors
    /// The log holds a token that this key cannot have derived.
    pub fn token_text(&self, token: &Token) -> Result<Uuid, Problem> {
        self.key.token_of(token).ok_or_else(|| {
            Problem::internal(&format!("token {} has no seed and is none of the fixed ones", token.token_id))
        })
    }
}
