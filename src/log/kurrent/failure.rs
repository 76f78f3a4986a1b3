//! What it means that a call has no answer, and how that is said.

use std::error::Error;
use std::fmt;

use tonic::{Code, ConnectError, Status};

use super::protocol::{DELETED, EXCEPTION, LEADER, NO_LEADER, NOT_LEADER, NOT_READY, TOO_BUSY};
use super::settings::Node;

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The node did nothing: another one leads.
    NotLeader(Node),
    /// The connection was over, or never made: nothing was sent.
    NotSent(String),
    /// The stream was deleted for good: it has nothing, and never will.
    Deleted,
    /// The server said no, and did nothing.
    Refused(String),
    /// Whatever was asked may have happened, or may yet.
    Lost(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLeader(leader) => write!(f, "the node does not lead; {leader} does"),
            Self::Deleted => f.write_str("the stream was deleted for good"),
            Self::NotSent(reason) | Self::Refused(reason) | Self::Lost(reason) => f.write_str(reason),
        }
    }
}

impl Failure {
    /// What a status says of what was asked. Only what the server does before it writes anything counts as not done.
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
                _ if status.code() == Code::Unimplemented => "what answers there is no KurrentDB".to_owned(),
                message => message.to_owned(),
            });
        }
        Self::Lost(said(status))
    }

    /// The other side said nothing for too long.
    pub fn silence() -> Self {
        Self::Lost("no answer in time".to_owned())
    }

    /// With the node that it came from, where it did not speak for itself.
    #[must_use]
    pub fn at(self, node: &Node) -> Self {
        match self {
            Self::NotSent(reason) => Self::NotSent(format!("{node}: {reason}")),
            Self::Lost(reason) => Self::Lost(format!("{node}: {reason}")),
            spoken @ (Self::NotLeader(_) | Self::Deleted | Self::Refused(_)) => spoken,
        }
    }
}

/// An error with all that caused it.
pub fn sentence(error: &dyn Error) -> String {
    with_causes(error.to_string(), error.source())
}

/// The same of a status, which would print its code and headers too.
fn said(status: &Status) -> String {
    let message = if status.message().is_empty() { status.code().description() } else { status.message() };
    with_causes(message.to_owned(), status.source())
}

fn with_causes(what: String, cause: Option<&(dyn Error + 'static)>) -> String {
    let causes = std::iter::successors(cause, |&error| error.source());
    let mut said = vec![what];
    for cause in causes.map(ToString::to_string) {
        // A wrapper often says just what it wraps.
        if said.last() != Some(&cause) {
            said.push(cause);
        }
    }
    said.join(": ")
}
