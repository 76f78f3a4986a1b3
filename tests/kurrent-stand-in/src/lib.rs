//! A stand-in for KurrentDB, for tests: it speaks the protocol of appending, reading and subscribing, answers as a real
//! server was measured to, and fails as it is told to.
//!
//! It is no database: it keeps its streams in memory and never syncs. What it shows of a client is how it behaves, and
//! how little it adds; never how fast a server is.

mod fault;
mod gossip;
mod node;
#[cfg(test)]
mod official_client;
mod peer;
#[path = "../../../src/log/kurrent/protocol.rs"]
pub mod protocol;
mod store;
mod tls;
mod wire;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use self::fault::Fault;
use self::node::Node;
use self::store::Shared;
use self::tls::Tls;
pub use self::wire::Wire;

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// One server, or a cluster whose nodes show the same streams.
pub struct StandIn {
    shared: Arc<Shared>,
    nodes: Vec<Node>,
}

impl StandIn {
    /// A server of one node on a port of its own.
    pub async fn start() -> Self {
        Self::cluster(1).await
    }

    /// So many nodes; the first one leads.
    pub async fn cluster(nodes: usize) -> Self {
        Self::listen(&vec![ANY_PORT; nodes]).await.expect("loopback has a free port")
    }

    /// A server of one node that speaks TLS, with a certificate for `localhost` that only [`StandIn::certificate_pem`] proves.
    pub async fn secure() -> Self {
        Self::listen_with(&[ANY_PORT], Some(Tls::new())).await.expect("loopback has a free port")
    }

    /// Nodes on these addresses; the first one leads.
    ///
    /// # Errors
    /// Another program has one of them.
    pub async fn listen(addresses: &[SocketAddr]) -> std::io::Result<Self> {
        Self::listen_with(addresses, None).await
    }

    async fn listen_with(addresses: &[SocketAddr], tls: Option<Tls>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new(tls));
        let mut nodes = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            nodes.push(Node::start(index, *address, Arc::clone(&shared)).await?);
        }
        shared.lock().addresses = nodes.iter().map(Node::address).collect();
        Ok(Self { shared, nodes })
    }

    /// Where a node listens.
    pub fn address(&self, node: usize) -> SocketAddr {
        self.nodes[node].address()
    }

    /// The certificate of a [`secure`](StandIn::secure) server.
    ///
    /// # Panics
    /// It is none.
    pub fn certificate_pem(&self) -> &str {
        &self.shared.tls.as_ref().expect("a secure server").certificate_pem
    }

    /// The URL of all nodes; of a [`secure`](StandIn::secure) server, without the authority that proves it.
    pub fn url(&self) -> String {
        if self.shared.tls.is_some() {
            return format!("kurrentdb://{}:{}", tls::NAME, self.address(0).port());
        }
        let addresses: Vec<String> = self.nodes.iter().map(|node| node.address().to_string()).collect();
        format!("kurrentdb://{}?tls=false", addresses.join(","))
    }

    /// One of the next appends fails like this: each takes one fault, in order.
    pub fn fail(&self, fault: Fault) {
        self.shared.lock().faults.push_back(fault);
    }

    /// So many of the next readings end after their first event, without a word on how they went.
    pub fn tear_readings(&self, readings: u64) {
        self.shared.lock().torn_readings = readings;
    }

    /// From now on an append can be read, and is acknowledged, only after so long; whoever appends meanwhile is told of the
    /// conflict at once.
    pub fn show_after(&self, delay: Duration) {
        self.shared.lock().shown_after = delay;
    }

    /// How many faults are still to come.
    pub fn faults_left(&self) -> usize {
        self.shared.lock().faults.len()
    }

    /// From now on this node leads.
    pub fn lead(&self, node: usize) {
        self.shared.lock().leader = node;
    }

    /// From now on every call needs these credentials.
    pub fn demand(&self, user: &str, password: &str) {
        self.shared.lock().demand(user, password);
    }

    /// Sets the clock that events are stamped by forward, or back.
    pub fn set_clock_ahead(&self, milliseconds: i64) {
        self.shared.lock().clock_ahead_ms = milliseconds;
    }

    /// A node goes: its connections break, new ones are refused, and what it remembered is forgotten.
    pub async fn stop(&mut self, node: usize) {
        self.nodes[node].stop().await;
        self.shared.lock().forget();
    }

    /// A stopped node is back, on its old port.
    ///
    /// # Errors
    /// The system has no socket for it.
    pub async fn restart(&mut self, node: usize) -> std::io::Result<()> {
        let address = self.nodes[node].address();
        self.nodes[node] = Node::start(node, address, Arc::clone(&self.shared)).await?;
        Ok(())
    }

    /// Breaks every connection; new ones are taken.
    pub fn cut(&self) {
        self.nodes.iter().for_each(Node::cut);
    }

    /// Ends every subscription as a server does that means no harm: with nothing wrong.
    pub fn end_subscriptions(&self) {
        self.shared.end_subscriptions();
    }

    /// How many events a stream has.
    pub fn length(&self, stream: &str) -> usize {
        self.shared.lock().stream(stream).events.len()
    }

    /// Somebody else's event lands now, at the end of a stream.
    pub fn write(&self, stream: &str, event_type: &str, data: &str) {
        self.shared.write(stream, event_type, data);
    }

    /// Changes an event's data behind everyone's back.
    pub fn alter(&self, stream: &str, revision: u64) {
        self.shared.lock().alter(stream, revision);
    }

    /// Removes an event behind everyone's back.
    pub fn remove(&self, stream: &str, revision: u64) {
        self.shared.lock().stream(stream).events.remove(&revision);
    }

    /// Removes every event from this revision on, as a restored backup would.
    pub fn rewind(&self, stream: &str, to: u64) {
        self.shared.lock().stream(stream).events.retain(|revision, _| *revision < to);
    }

    /// Deletes a stream for good, as a tombstone does.
    pub fn delete(&self, stream: &str) {
        self.shared.delete(stream);
    }

    /// Removes every event before this revision, as `$tb` in a stream's metadata and a scavenge would.
    pub fn truncate(&self, stream: &str, before: u64) {
        self.shared.lock().stream(stream).events.retain(|revision, _| *revision >= before);
    }
}
