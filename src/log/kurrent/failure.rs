//! The meanings of failed calls, and their messages.

use std::error::Error;
use std::fmt;

use tonic::{Code, ConnectError, Status};

use super::protocol::{DELETED, EXCEPTION, LEADER, NO_LEADER, NOT_LEADER, NOT_READY, TOO_BUSY};
use super::settings::Node;

/// The reason why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The node did nothing, because another node is the leader.
    NotLeader(Node),
    /// Nothing was sent: the connection had ended, or was never made.
    NotSent(String),
    /// The stream was deleted with a tombstone: it is empty, and stays so.
    Deleted,
    /// The server refused, and did nothing.
    Refused(String),
    /// The outcome is unknown: the request may have happened, or may still happen.
    Lost(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLeader(leader) => write!(f, "the node is not the leader; the leader is {leader}"),
            Self::Deleted => f.write_str("the stream was deleted permanently"),
            Self::NotSent(reason) | Self::Refused(reason) | Self::Lost(reason) => f.write_str(reason),
        }
    }
}

impl Failure {
    /// Converts a status. A call counts as not done only if the server refuses it before it writes anything.
    pub fn of(status: &Status) -> Self {
        let told = |key: &str| status.metadata().get(key).and_then(|value| value.to_str().ok());
        if told(EXCEPTION) == Some(NOT_LEADER)
            && let (Some(host), Some(port)) = (told(LEADER.0), told(LEADER.1).and_then(|port| port.parse().ok()))
        {
            return Self::NotLeader(Node { host: host.to_owned(), port });
        }
        if told(EXCEPTION) == Some(DELETED) {
            return Self::Deleted;
        }
        let mut causes = std::iter::successors(status.source(), |&error| error.source());
        if causes.any(|error| error.is::<ConnectError>()) {
            return Self::NotSent(said(status));
        }
        let refusals = [
            Code::InvalidArgument,
            Code::FailedPrecondition,
            Code::PermissionDenied,
            Code::Unauthenticated,
            Code::Unimplemented,
            Code::NotFound,
        ];
        let message = status.message();
        if refusals.contains(&status.code()) || [NOT_READY, TOO_BUSY, NO_LEADER].contains(&message) {
            let denied = [Code::PermissionDenied, Code::Unauthenticated].contains(&status.code());
            return Self::Refused(match message {
                _ if denied => "the server does not accept these credentials".to_owned(),
                _ if status.code() == Code::Unimplemented => "the server at this address is not KurrentDB".to_owned(),
                message => message.to_owned(),
            });
        }
        Self::Lost(said(status))
    }

    /// Makes the failure of a server that was silent for too long.
    pub fn silence() -> Self {
        Self::Lost("no answer in time".to_owned())
    }

    /// Adds the name of the node to the message, unless the message is the node's own.
    #[must_use]
    pub fn at(self, node: &Node) -> Self {
        match self {
            Self::NotSent(reason) => Self::NotSent(format!("{node}: {reason}")),
            Self::Lost(reason) => Self::Lost(format!("{node}: {reason}")),
            spoken @ (Self::NotLeader(_) | Self::Deleted | Self::Refused(_)) => spoken,
        }
    }
}

/// Formats an error with all its causes.
pub fn sentence(error: &dyn Error) -> String {
    with_causes(error.to_string(), error.source())
}

/// Formats a status without its code and headers.
fn said(status: &Status) -> String {
    let message = if status.message().is_empty() { status.code().description() } else { status.message() };
    with_causes(message.to_owned(), status.source())
}

fn with_causes(what: String, cause: Option<&(dyn Error + 'static)>) -> String {
    let causes = std::iter::successors(cause, |&error| error.source());
    let mut said = vec![what];
    for cause in causes.map(ToString::to_string) {
        // A wrapper often has the same text as its cause.
        if said.last() != Some(&cause) {
            said.push(cause);
        }
    }
    said.join(": ")
}
