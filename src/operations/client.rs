//! Asking the server that holds a data folder, through its socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Position;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::socket::{Reachable, SOCKET_FILE};
use crate::log::{FolderError, FolderLock};

/// How long a folder that is held may have no socket yet: its server is starting, or stopping.
const SOCKET_WITHIN: Duration = Duration::from_secs(10);
/// How soon it is looked again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A server, as its operators reach it.
pub struct Server {
    http: reqwest::Client,
    _reachable: Reachable,
}

/// A body that is sent.
#[derive(Debug)]
pub struct Sent {
    /// What it is.
    pub media_type: &'static str,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// What it said.
#[derive(Debug)]
pub struct Answer {
    /// Where in the log the answer stands.
    pub position: Position,
    /// The answer.
    pub body: Value,
}

/// Why there is no answer, or none that is a success.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Whoever holds the folder has no socket.
    #[error("{}: another program holds this folder, and there is no operations.sock in it to ask it by", .0.display())]
    NoSocket(PathBuf),
    /// The server did not answer: nobody knows what it has done.
    #[error("the server did not answer: {0}")]
    Unanswered(String),
    /// It refused.
    #[error("{detail}")]
    Refused { status: u16, code: String, detail: String, problem: Value },
}

impl ClientError {
    /// Whether what was asked may have happened all the same.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::NoSocket(_) => false,
            Self::Unanswered(_) => true,
            Self::Refused { code, .. } => code == "outcome-unknown",
        }
    }
}

impl Server {
    /// The server that holds the folder; `None` where nobody holds it, and it is ours to take.
    ///
    /// # Errors
    /// Whoever holds it has no socket for 10 seconds.
    pub async fn of(folder: &Path) -> Result<Option<Self>, ClientError> {
        let deadline = Instant::now() + SOCKET_WITHIN;
        loop {
            // The socket goes first: who tries the lock holds it for a moment, and a server may be about to take it.
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

    /// The server at the folder's socket, where one accepts.
    async fn reached(folder: &Path) -> Option<Self> {
        let reachable = Reachable::of(folder, SOCKET_FILE).ok()?;
        drop(tokio::net::UnixStream::connect(&reachable.path).await.ok()?);
        let http = reqwest::Client::builder().unix_socket(reachable.path.clone()).no_proxy().build().ok()?;
        Some(Self { http, _reachable: reachable })
    }

    /// Asks, and waits for the answer, however long that takes.
    ///
    /// # Errors
    /// It refused, or did not answer.
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
