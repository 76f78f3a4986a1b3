//! What a client asks of a node before it uses it: who leads, and what the node can do.

use prost::Message;

/// Tells the members of a cluster.
pub const READ: &str = "/event_store.client.gossip.Gossip/Read";
/// Tells what a node supports.
pub const FEATURES: &str = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods";

/// The state of the leader among those that a member can have.
pub const LEADER: i32 = 8;
/// The state of a node that follows.
pub const FOLLOWER: i32 = 6;

#[derive(Clone, PartialEq, Message)]
pub struct ClusterInfo {
    #[prost(message, repeated, tag = "1")]
    pub members: Vec<MemberInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct MemberInfo {
    #[prost(int32, tag = "3")]
    pub state: i32,
    #[prost(bool, tag = "4")]
    pub is_alive: bool,
    #[prost(message, optional, tag = "5")]
    pub http_end_point: Option<EndPoint>,
}

#[derive(Clone, PartialEq, Message)]
pub struct EndPoint {
    #[prost(string, tag = "1")]
    pub address: String,
    #[prost(uint32, tag = "2")]
    pub port: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct SupportedMethods {
    #[prost(string, tag = "2")]
    pub event_store_server_version: String,
}
