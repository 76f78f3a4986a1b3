//! One request of a command, whoever answers it, and what is printed of the answer.

use indicatif::HumanCount;
use reqwest::Method;
use serde_json::Value;

use super::client::Answer;
use super::reached::{CommandError, Reached};
use crate::place::Place;

/// What a command asks.
pub enum Asked<'a> {
    /// How something stands.
    Look { path: String },
    /// That something is changed, once.
    Change { method: Method, path: String, body: Option<Value>, key: Option<&'a str> },
}

impl<'a> Asked<'a> {
    /// That something is changed, under the key that was given or one that is made.
    pub fn change(method: Method, path: String, body: impl Into<Option<Value>>, key: Option<&'a str>) -> Self {
        Self::Change { method, path, body: body.into(), key }
    }
}

/// How it stands, and where in the log a change of it does.
pub struct Told {
    /// The answer.
    pub body: Value,
    position: Option<u64>,
}

impl Told {
    /// The answer as it came.
    pub fn json(&self) -> String {
        self.body.to_string()
    }

    /// The lines, and last the position of a change.
    pub fn with_position(&self, mut lines: Vec<String>) -> String {
        lines.extend(self.position.map(|position| format!("position: {position}")));
        lines.join("\n")
    }
}

/// Asks the server of this place, or one of the command's own.
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

/// Asks the server of this place, or one of the command's own, which ends then, also where it refuses.
///
/// # Errors
/// There is no log, or what `asks` comes to.
pub async fn through<T>(
    place: &Place,
    asks: impl AsyncFnOnce(&Reached) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let server = Reached::of(place).await?;
    let told = asks(&server).await;
    server.close().await?;
    told
}

/// Has something done, and tells the answer.
///
/// # Errors
/// There is no log, or its server refuses.
pub async fn change(place: &Place, method: Method, path: String, body: Value) -> Result<Value, CommandError> {
    ask(place, Asked::change(method, path, body, None)).await.map(|told| told.body)
}

/// A number as people read it.
pub fn count(number: &Value) -> String {
    HumanCount(number.as_u64().unwrap_or_default()).to_string()
}
