//! What a log says to KurrentDB, and hears: two calls of `event_store.client.streams.Streams`, and nothing else of it.
//!
//! The tags are those of the server's `streams.proto`; what a log does not use is left out, which protobuf allows. The
//! tests hold these messages to the server's own client.

use std::collections::HashMap;

use prost::bytes::Bytes;
use prost::{Message, Oneof};

/// One client-streaming call: [`AppendReq`]s in, one [`AppendResp`] out.
pub const APPEND: &str = "/event_store.client.streams.Streams/Append";
/// One [`ReadReq`] in, [`ReadResp`]s out; a subscription is a reading that does not end.
pub const READ: &str = "/event_store.client.streams.Streams/Read";

/// The key in a message's metadata for its event's type.
pub const TYPE: &str = "type";
/// The key in a message's metadata for the form of its data.
pub const CONTENT_TYPE: &str = "content-type";
/// The key in a read event's metadata for when the server took it, in ticks since 1970.
pub const CREATED: &str = "created";
/// How many ticks a millisecond has: each is 100 ns.
pub const TICKS_PER_MILLISECOND: i64 = 10_000;

/// How a call went, in the trailers of its answer or, of one without messages, in its headers.
pub const GRPC_STATUS: &str = "grpc-status";
/// The header with which a request is refused by every node but the leader.
pub const REQUIRES_LEADER: &str = "requires-leader";
/// The key in a refusal's metadata for which refusal it is.
pub const EXCEPTION: &str = "exception";
/// The refusal of a node that is not the leader, and knows who is.
pub const NOT_LEADER: &str = "not-leader";
/// The keys in that refusal's metadata for where the leader is.
pub const LEADER: (&str, &str) = ("leader-endpoint-host", "leader-endpoint-port");
/// The refusal of whatever is asked of a stream that was deleted for good (a tombstone).
pub const DELETED: &str = "stream-deleted";
/// The message of a server that starts, or looks for its leader. It has done nothing.
pub const NOT_READY: &str = "Server Is Not Ready";
/// The message of a server that has too much to do. It has done nothing.
pub const TOO_BUSY: &str = "Server Is Too Busy";
/// The message of a node that is not the leader, and knows none. It has done nothing.
pub const NO_LEADER: &str = "No leader info available in response";

#[derive(Clone, PartialEq, Message)]
pub struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub struct StreamIdentifier {
    #[prost(bytes = "bytes", tag = "3")]
    pub stream_name: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub struct Id {
    #[prost(message, optional, tag = "1")]
    pub structured: Option<StructuredId>,
}

/// A UUID's 16 bytes as two big-endian integers.
#[derive(Clone, PartialEq, Message)]
pub struct StructuredId {
    #[prost(int64, tag = "1")]
    pub most_significant_bits: i64,
    #[prost(int64, tag = "2")]
    pub least_significant_bits: i64,
}

impl From<[u8; 16]> for Id {
    fn from(bytes: [u8; 16]) -> Self {
        let bits = u128::from_be_bytes(bytes);
        let structured =
            StructuredId { most_significant_bits: (bits >> 64) as i64, least_significant_bits: bits as i64 };
        Self { structured: Some(structured) }
    }
}

/// The first message of an append says where, every other one an event.
#[derive(Clone, PartialEq, Message)]
pub struct AppendReq {
    #[prost(oneof = "AppendContent", tags = "1, 2")]
    pub content: Option<AppendContent>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum AppendContent {
    #[prost(message, tag = "1")]
    Options(AppendOptions),
    #[prost(message, tag = "2")]
    Proposed(ProposedMessage),
}

#[derive(Clone, PartialEq, Message)]
pub struct AppendOptions {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamIdentifier>,
    #[prost(oneof = "Expected", tags = "2, 3, 4")]
    pub expected: Option<Expected>,
}

/// On what condition to append.
#[derive(Clone, PartialEq, Oneof)]
pub enum Expected {
    /// The last event has this revision.
    #[prost(uint64, tag = "2")]
    Revision(u64),
    /// There is no event.
    #[prost(message, tag = "3")]
    NoStream(Empty),
    /// None.
    #[prost(message, tag = "4")]
    Any(Empty),
}

#[derive(Clone, PartialEq, Message)]
pub struct ProposedMessage {
    #[prost(message, optional, tag = "1")]
    pub id: Option<Id>,
    #[prost(map = "string, string", tag = "2")]
    pub metadata: HashMap<String, String>,
    #[prost(bytes = "bytes", tag = "3")]
    pub custom_metadata: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    pub data: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub struct AppendResp {
    #[prost(oneof = "AppendResult", tags = "1, 2")]
    pub result: Option<AppendResult>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum AppendResult {
    #[prost(message, tag = "1")]
    Success(AppendSuccess),
    #[prost(message, tag = "2")]
    WrongExpectedVersion(WrongExpectedVersion),
}

#[derive(Clone, PartialEq, Message)]
pub struct AppendSuccess {
    /// Of the last event that the append has, or had when it succeeded before.
    #[prost(uint64, optional, tag = "1")]
    pub current_revision: Option<u64>,
    #[prost(message, optional, tag = "4")]
    pub no_position: Option<Empty>,
}

#[derive(Clone, PartialEq, Message)]
pub struct WrongExpectedVersion {
    #[prost(uint64, optional, tag = "6")]
    pub current_revision: Option<u64>,
    #[prost(message, optional, tag = "7")]
    pub current_no_stream: Option<Empty>,
    #[prost(uint64, optional, tag = "8")]
    pub expected_revision: Option<u64>,
    #[prost(message, optional, tag = "9")]
    pub expected_any: Option<Empty>,
    #[prost(message, optional, tag = "11")]
    pub expected_no_stream: Option<Empty>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ReadReq {
    #[prost(message, optional, tag = "1")]
    pub options: Option<ReadOptions>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ReadOptions {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamOptions>,
    /// 0: forwards, 1: backwards.
    #[prost(int32, tag = "3")]
    pub direction: i32,
    #[prost(oneof = "Count", tags = "5, 6")]
    pub count: Option<Count>,
    #[prost(message, optional, tag = "8")]
    pub no_filter: Option<Empty>,
    #[prost(message, optional, tag = "9")]
    pub id_form: Option<IdForm>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamOptions {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamIdentifier>,
    #[prost(oneof = "Begin", tags = "2, 3, 4")]
    pub from: Option<Begin>,
}

/// Where a reading begins.
#[derive(Clone, PartialEq, Oneof)]
pub enum Begin {
    /// At this event, when it ends; after it, when it is a subscription.
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    Start(Empty),
    #[prost(message, tag = "4")]
    End(Empty),
}

/// How far it goes.
#[derive(Clone, PartialEq, Oneof)]
pub enum Count {
    #[prost(uint64, tag = "5")]
    Events(u64),
    #[prost(message, tag = "6")]
    Subscription(Empty),
}

/// How ids are to be written; a server wants to be told.
#[derive(Clone, PartialEq, Message)]
pub struct IdForm {
    #[prost(message, optional, tag = "1")]
    pub structured: Option<Empty>,
}

/// What is not named here (how far the stream goes, say) reads as no content.
#[derive(Clone, PartialEq, Message)]
pub struct ReadResp {
    #[prost(oneof = "ReadContent", tags = "1, 2, 4, 8")]
    pub content: Option<ReadContent>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum ReadContent {
    #[prost(message, tag = "1")]
    Event(ReadEvent),
    #[prost(message, tag = "2")]
    Confirmation(Confirmation),
    #[prost(message, tag = "4")]
    StreamNotFound(StreamNotFound),
    #[prost(message, tag = "8")]
    CaughtUp(Empty),
}

#[derive(Clone, PartialEq, Message)]
pub struct ReadEvent {
    #[prost(message, optional, tag = "1")]
    pub event: Option<RecordedEvent>,
    #[prost(message, optional, tag = "4")]
    pub no_position: Option<Empty>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Confirmation {
    #[prost(string, tag = "1")]
    pub subscription_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamNotFound {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamIdentifier>,
}

#[derive(Clone, PartialEq, Message)]
pub struct RecordedEvent {
    #[prost(message, optional, tag = "1")]
    pub id: Option<Id>,
    #[prost(message, optional, tag = "2")]
    pub stream: Option<StreamIdentifier>,
    #[prost(uint64, tag = "3")]
    pub revision: u64,
    #[prost(map = "string, string", tag = "6")]
    pub metadata: HashMap<String, String>,
    #[prost(bytes = "bytes", tag = "7")]
    pub custom_metadata: Bytes,
    #[prost(bytes = "bytes", tag = "8")]
    pub data: Bytes,
}
