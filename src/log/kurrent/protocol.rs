//! The messages between a log and KurrentDB: two calls of `event_store.client.streams.Streams`, and nothing else.
//!
//! The tags are those of the server's `streams.proto`. Fields that a log does not use are left out, which protobuf
//! allows. Tests compare these messages with those of the server's own client.

use std::collections::HashMap;

use prost::bytes::Bytes;
use prost::{Message, Oneof};

/// One client-streaming call: [`AppendReq`]s in, one [`AppendResp`] out.
pub const APPEND: &str = "/event_store.client.streams.Streams/Append";
/// One [`ReadReq`] in, [`ReadResp`]s out. A subscription is a read without end.
pub const READ: &str = "/event_store.client.streams.Streams/Read";

/// The key in a message's metadata for its event's type.
pub const TYPE: &str = "type";
/// The key in a message's metadata for the form of its data.
pub const CONTENT_TYPE: &str = "content-type";
/// The key in a read event's metadata for the time when the server took it, in ticks since 1970.
pub const CREATED: &str = "created";
/// How many ticks a millisecond has: a tick is 100 ns.
pub const TICKS_PER_MILLISECOND: i64 = 10_000;

/// The key of a call's status: in the trailers of its answer, or in the headers of an answer without messages.
pub const GRPC_STATUS: &str = "grpc-status";
/// The header that makes every node except the leader refuse a request.
pub const REQUIRES_LEADER: &str = "requires-leader";
/// The key in a refusal's metadata for its kind.
pub const EXCEPTION: &str = "exception";
/// The refusal of a node that is not the leader, and knows the leader.
pub const NOT_LEADER: &str = "not-leader";
/// The keys in that refusal's metadata for the leader's address.
pub const LEADER: (&str, &str) = ("leader-endpoint-host", "leader-endpoint-port");
/// The refusal of every call on a stream that was deleted with a tombstone.
pub const DELETED: &str = "stream-deleted";
/// The message of a server that is starting, or is looking for its leader. It has done nothing.
pub const NOT_READY: &str = "Server Is Not Ready";
/// The message of an overloaded server. It has done nothing.
pub const TOO_BUSY: &str = "Server Is Too Busy";
/// The message of a node that is not the leader, and does not know the leader. It has done nothing.
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

/// A message of an append. The first one names the stream and the condition; every other one is an event.
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

/// The condition of an append.
#[derive(Clone, PartialEq, Oneof)]
pub enum Expected {
    /// The last event has this revision.
    #[prost(uint64, tag = "2")]
    Revision(u64),
    /// There is no event.
    #[prost(message, tag = "3")]
    NoStream(Empty),
    /// No condition.
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
    /// The revision of the append's last event, also if an equal append has succeeded before.
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

/// The begin of a read.
#[derive(Clone, PartialEq, Oneof)]
pub enum Begin {
    /// A read begins at this event, a subscription after it.
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    Start(Empty),
    #[prost(message, tag = "4")]
    End(Empty),
}

/// The end of a read.
#[derive(Clone, PartialEq, Oneof)]
pub enum Count {
    #[prost(uint64, tag = "5")]
    Events(u64),
    #[prost(message, tag = "6")]
    Subscription(Empty),
}

/// The form of ids, which the server requires.
#[derive(Clone, PartialEq, Message)]
pub struct IdForm {
    #[prost(message, optional, tag = "1")]
    pub structured: Option<Empty>,
}

/// A message of a read. Other content (for example the end of the stream) is decoded as no content.
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
