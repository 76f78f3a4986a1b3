//! A client of the server that holds a data folder, through its socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Position;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::socket::{Reachable, SOCKET_FILE};
use crate::log::{FolderError, FolderLock};

/// How long a locked folder may have no socket: its server is starting or stopping.
const SOCKET_WITHIN: Duration = Duration::from_secs(10);
/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A server, reached through its socket.
pub struct Server {
    http: reqwest::Client,
    _reachable: Reachable,
}

/// The body of a request.
#[derive(Debug)]
pub struct Sent {
    /// The media type.
    pub media_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The answer of a server.
#[derive(Debug)]
pub struct Answer {
    /// The position in `Log-Position`.
    pub position: Position,
    /// The body.
    pub body: Value,
}

/// The reason why there is no successful answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The process that holds the folder has no socket.
    #[error("{}: another process uses this folder, which has no operations.sock; stop that process", .0.display())]
    NoSocket(PathBuf),
    /// The server did not answer: the outcome is unknown.
    #[error("the server did not answer: {0}")]
    Unanswered(String),
    /// The server refused.
    #[error("{detail}")]
    Refused { status: u16, code: String, detail: String, problem: Value },
}

impl ClientError {
    /// True if the change may have happened.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::NoSocket(_) => false,
            Self::Unanswered(_) => true,
            Self::Refused { code, .. } => code == "outcome-unknown",
        }
    }
}

impl Server {
    /// Finds the server that holds the folder. `None` if no process holds it.
    ///
    /// # Errors
    /// The process that holds the folder has no socket for 10 seconds.
    pub async fn of(folder: &Path) -> Result<Option<Self>, ClientError> {
        let deadline = Instant::now() + SOCKET_WITHIN;
        loop {
            // Try the socket first: a try of the lock holds it for a moment, and a server may be about to take it.
            if let Some(server) = Self::reached(folder).await {
                return Ok(Some(server));
            }
            if !is_held(folder) {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                return Err(ClientError::NoSocket(folder.to_owned()));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Connects to the folder's socket, if a server accepts there.
    async fn reached(folder: &Path) -> Option<Self> {
        let reachable = Reachable::of(folder, SOCKET_FILE).ok()?;
        drop(tokio::net::UnixStream::connect(&reachable.path).await.ok()?);
        let http = reqwest::Client::builder().unix_socket(reachable.path.clone()).no_proxy().build().ok()?;
        Some(Self { http, _reachable: reachable })
    }

    /// Sends a request, and waits for the answer, however long that takes.
    ///
    /// # Errors
    /// The server refused, or did not answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        idempotency_key: Option<&str>,
        body: Option<Sent>,
    ) -> Result<Answer, ClientError> {
        let mut request = self.http.request(method, format!("http://localhost{path}"));
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(Sent { media_type, bytes }) = body {
            request = request.header("content-type", media_type).body(bytes);
        }
        let unanswered = |error: reqwest::Error| ClientError::Unanswered(error.without_url().to_string());
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        let position = response.headers().get("log-position").and_then(|position| position.to_str().ok()?.parse().ok());
        let bytes = response.bytes().await.map_err(unanswered)?;
        let body: Value = serde_json::from_slice(&bytes).map_err(|error| ClientError::Unanswered(error.to_string()))?;
        if status == StatusCode::OK {
            return Ok(Answer { position: Position::new(position.unwrap_or_default()), body });
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Err(ClientError::Refused { status: status.as_u16(), code: text("code"), detail: text("detail"), problem: body })
    }
}

fn is_held(folder: &Path) -> bool {
    folder.exists() && matches!(FolderLock::take(folder), Err(FolderError::Held { .. }))
}
