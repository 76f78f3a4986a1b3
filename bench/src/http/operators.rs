//! Asking a server of this machine as one of its operators: through the socket in its folder.

use std::path::Path;

use reprise::operations::socket::{Reachable, SOCKET_FILE};
use serde_json::Value;
use tokio::net::UnixStream;

use super::connection::Connection;
use super::requests;
use crate::BenchError;

/// A connection of an operator.
pub struct Operators(Connection<UnixStream>);

impl Operators {
    /// Connects to the server of this folder.
    pub async fn of(folder: &Path) -> Result<Self, BenchError> {
        let socket = Reachable::of(folder, SOCKET_FILE)?;
        Ok(Self(Connection::over(UnixStream::connect(&socket.path).await?)))
    }

    /// Asks for a change, and expects it.
    pub async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Result<(), BenchError> {
        self.answer(&requests::with_body(method, path, "", &body.to_string())).await.map(drop)
    }

    /// Looks at something that is there.
    pub async fn look(&mut self, path: &str) -> Result<Value, BenchError> {
        self.answer(&requests::anyone(path)).await
    }

    async fn answer(&mut self, request: &[u8]) -> Result<Value, BenchError> {
        match self.0.ask(request).await? {
            (200, body) => Ok(serde_json::from_slice(body).unwrap_or_default()),
            (status, body) => Err(BenchError::Unexpected { status, body: String::from_utf8_lossy(body).into_owned() }),
        }
    }
}
