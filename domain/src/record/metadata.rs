//! The metadata of a record: who acted, and what caused the event.

use std::borrow::Cow;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::values::{Fingerprint, UserId};

/// The origin of an event. Free text of clients is stored only as a hash, or not at all. A request's id is stored as it
/// came: it has only letters, digits and `._-`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The command that decided it.
    pub command_id: Uuid,
    /// Which of the command's events this is, from 0.
    pub index: u32,
    /// How many events the command had.
    pub count: u32,
    /// Names the request, the import or the start of a demo that the command is part of.
    pub correlation_id: Uuid,
    /// The direct cause of the event: the command.
    pub causation_id: Uuid,
    /// The actor.
    pub actor: ActorName,
    /// The run of the node that decided it.
    pub node_id: Uuid,
    /// The version of the program that decided it.
    #[serde(deserialize_with = "program")]
    pub program: Cow<'static, str>,
    /// The HTTP request's id, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The request's idempotency key, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<IdempotencyKey>,
}

impl Metadata {
    pub(super) fn encode(&self) -> String {
        serde_json::to_string(self).expect("metadata holds only what JSON can say")
    }

    /// True for the last event of its command, from which the answer is made.
    pub fn is_last(&self) -> bool {
        self.index.checked_add(1) == Some(self.count)
    }
}

/// The version of this program, which stands in the metadata of what it decides.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Reads the version. The version of this program is borrowed, so that it is not copied for each record.
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
    /// The fingerprint of the key.
    pub key: Fingerprint,
    /// The fingerprint of the request: method, path and body.
    pub request: Fingerprint,
}

/// The name of an operator: `operator` on a server that does not ask for names, `operator:<sub>` with an identity
/// provider, `local:<uid>` for a user of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorName(Cow<'static, str>);

impl OperatorName {
    /// The name on a server that does not ask for names.
    pub const ANYONE: Self = Self(Cow::Borrowed("operator"));

    /// Makes the name of an identity provider's subject.
    pub fn of_subject(subject: &str) -> Self {
        Self(format!("operator:{subject}").into())
    }

    /// Makes the name of a user of the server's machine.
    pub fn of_local_user(uid: u32) -> Self {
        Self(format!("local:{uid}").into())
    }

    /// The name as it stands in the log.
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

/// The actor as it stands in metadata: `user:17`, `system`, or the name of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum ActorName {
    /// A user.
    User(UserId),
    /// The server itself: its tick, its demo.
    System,
    /// An operator.
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

        /// Reads a name without copying the text first, because every record has one.
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
