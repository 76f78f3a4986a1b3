//! The connection to the leader: it is found by asking the nodes, follows a new leader, and is made anew after a
//! failure.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;

use super::connection::{Connection, Patience};
use super::failure::Failure;
use super::settings::{Node, Settings};

/// How often a call is sent to another node before it counts as failed.
const MAX_HOPS: usize = 4;

/// The message if each node names another one as the leader.
pub const LEADER_UNKNOWN: &str = "no node is the leader; each node names another one";

/// The leader, and the connection to it.
pub struct Leader {
    settings: Settings,
    patience: Patience,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    connection: Option<Arc<Connection>>,
    /// The leader that another node named.
    named: Option<Node>,
    /// The index of the node in the URL that is asked next.
    turn: usize,
    /// The last failure to find the leader, with its time.
    failed: Option<(Instant, Failure)>,
}

impl Leader {
    pub fn new(settings: Settings, patience: Patience) -> Self {
        Self { settings, patience, current: Mutex::default() }
    }

    /// The stream that holds the log.
    pub fn stream(&self) -> &str {
        &self.settings.stream
    }

    /// The time limits of operations.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// How many nodes the URL names.
    pub fn nodes(&self) -> usize {
        self.settings.nodes.len()
    }

    /// Describes whether TLS is used, as a part of a sentence.
    pub fn how_secured(&self) -> &'static str {
        if self.settings.tls.is_some() { "over TLS" } else { "without TLS" }
    }

    /// Returns the open connection, or makes a new one. Tasks that ask meanwhile wait for this one, or for its failure.
    pub async fn connection(&self) -> Result<Arc<Connection>, Failure> {
        let asked_at = Instant::now();
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok(Arc::clone(connection));
        }
        if let Some((failed_at, failure)) = &current.failed
            && *failed_at >= asked_at
        {
            return Err(failure.clone());
        }
        let nodes = &self.settings.nodes;
        let turn = current.turn;
        let in_turn = (0..nodes.len()).map(|offset| nodes[(turn + offset) % nodes.len()].clone());
        let candidates: Vec<Node> = current.named.take().into_iter().chain(in_turn).collect();
        let mut failed = Failure::NotSent("the URL names no node".to_owned());
        for node in candidates {
            match Connection::open(&node, &self.settings, self.patience).await {
                Ok(connection) => {
                    let connection = Arc::new(connection);
                    current.connection = Some(Arc::clone(&connection));
                    return Ok(connection);
                }
                Err(failure) => failed = failure,
            }
        }
        current.failed = Some((Instant::now(), failed.clone()));
        Err(failed)
    }

    /// Drops a connection after a failure on it.
    pub async fn leave(&self, connection: &Arc<Connection>, failure: &Failure) {
        let mut current = self.current.lock().await;
        if current.connection.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection)) {
            current.connection = None;
            match failure {
                Failure::NotLeader(leader) => current.named = Some(leader.clone()),
                Failure::NotSent(_) | Failure::Deleted | Failure::Refused(_) | Failure::Lost(_) => current.turn += 1,
            }
        }
    }

    /// Makes a call to the leader. If the node did nothing, the call goes to the next node. Any other failure is
    /// returned.
    pub async fn call<T, F>(&self, call: impl Fn(Arc<Connection>) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut failed = Failure::NotSent("no node is the leader".to_owned());
        for _ in 0..MAX_HOPS {
            let connection = self.connection().await?;
            match call(Arc::clone(&connection)).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => {
                    self.leave(&connection, &failure).await;
                    match failure {
                        Failure::NotLeader(_) | Failure::NotSent(_) => failed = failure,
                        Failure::Deleted | Failure::Refused(_) | Failure::Lost(_) => return Err(failure),
                    }
                }
            }
        }
        Err(match failed {
            Failure::NotLeader(_) => Failure::Refused(LEADER_UNKNOWN.to_owned()),
            other @ (Failure::NotSent(_) | Failure::Deleted | Failure::Refused(_) | Failure::Lost(_)) => other,
        })
    }
}
