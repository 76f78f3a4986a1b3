//! The request of a command, and the output of its answer. A running server or the command's own server answers it.

use indicatif::HumanCount;
use reqwest::Method;
use serde_json::Value;

use super::client::Answer;
use super::reached::{CommandError, Reached};
use crate::place::Place;

/// The request of a command.
pub enum Asked<'a> {
    /// A query.
    Look { path: String },
    /// A change, which happens once.
    Change { method: Method, path: String, body: Option<Value>, key: Option<&'a str> },
}

impl<'a> Asked<'a> {
    /// Makes a change, with the given idempotency key or a new one.
    pub fn change(method: Method, path: String, body: impl Into<Option<Value>>, key: Option<&'a str>) -> Self {
        Self::Change { method, path, body: body.into(), key }
    }
}

/// An answer, with the position of a change.
pub struct Told {
    /// The body of the answer.
    pub body: Value,
    position: Option<u64>,
}

impl Told {
    /// The body as JSON.
    pub fn json(&self) -> String {
        self.body.to_string()
    }

    /// Joins the lines, and adds the position of a change.
    pub fn with_position(&self, mut lines: Vec<String>) -> String {
        lines.extend(self.position.map(|position| format!("position: {position}")));
        lines.join("\n")
    }
}

/// Sends a request to the server of this place, or to the command's own server.
///
/// # Errors
/// There is no log, or its server refuses.
pub async fn ask(place: &Place, asked: Asked<'_>) -> Result<Told, CommandError> {
    through(place, async |server| match asked {
        Asked::Look { path } => Ok(Told { body: server.read(&path).await?, position: None }),
        Asked::Change { method, path, body, key } => {
            let Answer { position, body } = server.change(method, &path, key, body.as_ref()).await?;
            Ok(Told { body, position: Some(position.get()) })
        }
    })
    .await
}

/// Runs `asks` with the server of this place, or with the command's own server, which is stopped afterwards in every
/// case.
///
/// # Errors
/// There is no log, or the error of `asks`.
pub async fn through<T>(
    place: &Place,
    asks: impl AsyncFnOnce(&Reached) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let server = Reached::of(place).await?;
    let told = asks(&server).await;
    server.close().await?;
    told
}

/// Sends a change, and returns the answer.
///
/// # Errors
/// There is no log, or its server refuses.
pub async fn change(place: &Place, method: Method, path: String, body: Value) -> Result<Value, CommandError> {
    ask(place, Asked::change(method, path, body, None)).await.map(|told| told.body)
}

/// Formats a number for people.
pub fn count(number: &Value) -> String {
    HumanCount(number.as_u64().unwrap_or_default()).to_string()
}
