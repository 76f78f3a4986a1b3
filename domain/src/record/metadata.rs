//! What stands beside an event in its record: who acted, and what it came of.

use std::borrow::Cow;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::values::{Fingerprint, UserId};

/// Where an event came from. What clients wrote freely is in here hashed or not at all; a request's id, of letters, digits
/// and `._-`, is as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The command that decided it.
    pub command_id: Uuid,
    /// Which of the command's events this is, from 0.
    pub index: u32,
    /// How many events the command had.
    pub count: u32,
    /// What the command belongs to: one request, one import, one start of a demo.
    pub correlation_id: Uuid,
    /// What caused the event directly: the command.
    pub causation_id: Uuid,
    /// Who acted.
    pub actor: ActorName,
    /// The run of the node that decided.
    pub node_id: Uuid,
    /// The version of the program that decided.
    #[serde(deserialize_with = "program")]
    pub program: Cow<'static, str>,
    /// The HTTP request's id, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The idempotency key that the request came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<IdempotencyKey>,
}

impl Metadata {
    pub(super) fn encode(&self) -> String {
        serde_json::to_string(self).expect("metadata holds only what JSON can say")
    }

    /// Whether this is its command's last event: the one that the answer tells of.
    pub fn is_last(&self) -> bool {
        self.index.checked_add(1) == Some(self.count)
    }
}

/// The version of this program, which stands in the metadata of what it decides.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Most records name this very program, which need not be written down for each.
fn program<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, str>, D::Error> {
    struct Version;

    impl Visitor<'_> for Version {
        type Value = Cow<'static, str>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a program's version")
        }

        fn visit_str<E: serde::de::Error>(self, version: &str) -> Result<Cow<'static, str>, E> {
            Ok(if version == PROGRAM { PROGRAM.into() } else { version.to_owned().into() })
        }
    }

    deserializer.deserialize_str(Version)
}

/// An idempotency key with the request that it was used for, both as fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// Of the key.
    pub key: Fingerprint,
    /// Of method, path and body.
    pub request: Fingerprint,
}

/// The name of somebody who runs the sale: `operator` where nobody asks for names, `operator:<sub>` as an identity provider
/// names them, `local:<uid>` of a user of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorName(Cow<'static, str>);

impl OperatorName {
    /// Whoever it is.
    pub const ANYONE: Self = Self(Cow::Borrowed("operator"));

    /// Somebody whom an identity provider calls `subject`.
    pub fn of_subject(subject: &str) -> Self {
        Self(format!("operator:{subject}").into())
    }

    /// A user of the machine that the server runs on.
    pub fn of_local_user(uid: u32) -> Self {
        Self(format!("local:{uid}").into())
    }

    /// As it stands in the log.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_one(text: &str) -> bool {
        let local = text.strip_prefix("local:").is_some_and(|uid| uid.parse::<u32>().is_ok());
        local || text == "operator" || text.starts_with("operator:")
    }

    fn of(text: &str) -> Self {
        if text == "operator" { Self::ANYONE } else { Self(text.to_owned().into()) }
    }
}

/// Who acted, as it stands in metadata: `user:17`, `system`, or the name of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum ActorName {
    /// A user.
    User(UserId),
    /// The server itself: its tick, its demo.
    System,
    /// Somebody who runs the sale.
    Operator(OperatorName),
}

impl From<ActorName> for String {
    fn from(name: ActorName) -> Self {
        match name {
            ActorName::User(user_id) => format!("user:{user_id}"),
            ActorName::System => "system".to_owned(),
            ActorName::Operator(name) => name.as_str().to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for ActorName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        /// A name is read where it stands, for there is one in every record.
        impl Visitor<'_> for Name {
            type Value = ActorName;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "`system`, `user:` with an id, `operator`, `operator:` with a subject, or `local:` with a number",
                )
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<ActorName, E> {
                match name {
                    "system" => Ok(ActorName::System),
                    operator if OperatorName::is_one(operator) => Ok(ActorName::Operator(OperatorName::of(operator))),
                    user => user
                        .strip_prefix("user:")
                        .and_then(|id| id.parse::<u64>().ok())
                        .and_then(|id| UserId::try_from(id).ok())
                        .map(ActorName::User)
                        .ok_or_else(|| E::invalid_value(Unexpected::Str(name), &self)),
                }
            }
        }

        deserializer.deserialize_str(Name)
    }
}
