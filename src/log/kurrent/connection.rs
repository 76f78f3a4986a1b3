//! One connection to one node, and the two calls on it.
//!
//! The server's own client (crate `kurrentdb`) is not used, for three reasons. It leaves Nagle's algorithm on, which
//! delays each small request by 44 ms. Its subscription loops for ever if the server ends it. Its reconnects are
//! hidden, but a log must know when it may be talking to another server.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Head;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codec::ProstCodec;
use tonic::codegen::BoxFuture;
use tonic::codegen::http::Uri;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::tokio_stream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Streaming};

use super::failure::{Failure, sentence};
use super::protocol::{
    APPEND, AppendContent, AppendOptions, AppendReq, AppendResp, AppendResult, AppendSuccess, Begin, Count, Empty,
    Expected, GRPC_STATUS, IdForm, ProposedMessage, READ, REQUIRES_LEADER, ReadContent, ReadOptions, ReadReq, ReadResp,
    RecordedEvent, StreamIdentifier, StreamOptions,
};
use super::settings::{Node, Settings};

/// How long each operation may take before the other side counts as gone.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Connecting, with TLS.
    pub connect: Duration,
    /// An append, from its first byte to the answer.
    pub append: Duration,
    /// Each message of a read.
    pub message: Duration,
    /// The time between two pings on an idle connection, and the time for the answer of each.
    pub ping: Duration,
}

impl Patience {
    /// A cluster of three needs up to 4.4 s for a new leader (measured); commands are answered after 5 s in any case.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(2),
        append: Duration::from_secs(3),
        message: Duration::from_secs(3),
        ping: Duration::from_secs(3),
    };
}

/// The outcome of an append that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// The records are in the stream, now or since an earlier equal append. The last event has this revision.
    At(u64),
    /// The last event is not the expected one.
    Conflict,
}

/// One TCP connection. It never reconnects: after its end it cannot be used any more.
#[derive(Debug)]
pub struct Connection {
    node: Node,
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
    patience: Patience,
    /// A head that was read or written on this connection. A revision alone does not identify a history: the server may
    /// have been restored from a backup. But a restore cuts its connections.
    proved: Mutex<Head>,
}

impl Connection {
    /// Connects to a node.
    pub async fn open(node: &Node, settings: &Settings, patience: Patience) -> Result<Self, Failure> {
        let failed = |reason: String| Failure::NotSent(reason).at(node);
        let endpoint = endpoint(node, settings, patience).map_err(|error| failed(sentence(&error)))?;
        let connecting = endpoint.connect_with_connector(tower::service_fn(once(node.clone())));
        let connected = timeout(patience.connect, connecting).await.map_err(|_| failed("no answer".to_owned()))?;
        let channel = connected.map_err(|error| failed(sentence(&error)))?;
        let authorization = settings.authorization.clone();
        Ok(Self { node: node.clone(), channel, authorization, patience, proved: Mutex::new(Head::EMPTY) })
    }

    /// The latest head that this connection's server is known to hold.
    pub fn proved(&self) -> Head {
        *self.proved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a head that was read or written here.
    pub fn prove(&self, head: Head) {
        let mut proved = self.proved.lock().unwrap_or_else(PoisonError::into_inner);
        if head.position > proved.position {
            *proved = head;
        }
    }

    /// Appends all of `messages` if the stream's last event has the revision `expected`, `None` in an empty one.
    pub async fn append(
        &self,
        stream: &str,
        expected: Option<u64>,
        messages: Vec<ProposedMessage>,
    ) -> Result<Appended, Failure> {
        let expected = expected.map_or(Expected::NoStream(Empty {}), Expected::Revision);
        let options = AppendOptions { stream: Some(identifier(stream)), expected: Some(expected) };
        let contents = std::iter::once(AppendContent::Options(options))
            .chain(messages.into_iter().map(AppendContent::Proposed))
            .map(|content| AppendReq { content: Some(content) });
        let mut grpc = Grpc::new(self.channel.clone());
        let path = PathAndQuery::from_static(APPEND);
        let calling = async {
            grpc.ready().await.map_err(|error| Failure::NotSent(sentence(&error)))?;
            let request = self.request(tokio_stream::iter(contents.collect::<Vec<_>>()));
            let codec = ProstCodec::<AppendReq, AppendResp>::default();
            grpc.client_streaming(request, path, codec).await.map_err(|status| Failure::of(&status))
        };
        let answer = timeout(self.patience.append, calling).await.unwrap_or_else(|_| Err(Failure::silence()));
        let answer = answer.map_err(|failure| failure.at(&self.node))?;
        match answer.into_inner().result {
            Some(AppendResult::Success(AppendSuccess { current_revision: Some(revision), .. })) => {
                Ok(Appended::At(revision))
            }
            Some(AppendResult::WrongExpectedVersion(_)) => Ok(Appended::Conflict),
            Some(AppendResult::Success(_)) | None => Err(Failure::Lost("the answer was empty".to_owned())),
        }
    }

    /// Reads at most `limit` events from `from` on. A missing stream has none.
    pub async fn read_forwards(&self, stream: &str, from: u64, limit: u64) -> Result<Vec<RecordedEvent>, Failure> {
        self.read(stream, 0, Begin::Revision(from), limit).await
    }

    /// Reads the last event.
    pub async fn read_last(&self, stream: &str) -> Result<Option<RecordedEvent>, Failure> {
        Ok(self.read(stream, 1, Begin::End(Empty {}), 1).await?.pop())
    }

    async fn read(&self, stream: &str, direction: i32, from: Begin, limit: u64) -> Result<Vec<RecordedEvent>, Failure> {
        let answer = self.stream(stream, direction, from, Count::Events(limit)).await?;
        // If the answer has no messages, its status is in the headers.
        let mut has_ended = answer.metadata().contains_key(GRPC_STATUS);
        let mut messages = answer.into_inner();
        let mut events = Vec::new();
        let reading = async {
            loop {
                let message = timeout(self.patience.message, messages.message()).await;
                let message = message.map_err(|_| Failure::silence())?.map_err(|status| Failure::of(&status))?;
                match message.map(|message| message.content) {
                    Some(Some(ReadContent::Event(read))) => events.extend(read.event),
                    Some(Some(ReadContent::StreamNotFound(_))) => return Ok(()),
                    Some(Some(ReadContent::Confirmation(_) | ReadContent::CaughtUp(_)) | None) => {}
                    None => break,
                }
            }
            let trailers = messages.trailers().await.map_err(|status| Failure::of(&status))?;
            has_ended |= trailers.is_some_and(|trailers| trailers.contains_key(GRPC_STATUS));
            // Without a status the answer was cut: the events are not all, and must not look like the log's end.
            if has_ended { Ok(()) } else { Err(Failure::Lost("the read ended early".to_owned())) }
        };
        reading.await.map_err(|failure: Failure| failure.at(&self.node))?;
        Ok(events)
    }

    /// Subscribes to the events from now on.
    pub async fn subscribe(&self, stream: &str) -> Result<Streaming<ReadResp>, Failure> {
        Ok(self.stream(stream, 0, Begin::End(Empty {}), Count::Subscription(Empty {})).await?.into_inner())
    }

    async fn stream(
        &self,
        stream: &str,
        direction: i32,
        from: Begin,
        count: Count,
    ) -> Result<Response<Streaming<ReadResp>>, Failure> {
        let options = ReadOptions {
            stream: Some(StreamOptions { stream: Some(identifier(stream)), from: Some(from) }),
            direction,
            count: Some(count),
            no_filter: Some(Empty {}),
            id_form: Some(IdForm { structured: Some(Empty {}) }),
        };
        let mut grpc = Grpc::new(self.channel.clone());
        let path = PathAndQuery::from_static(READ);
        let calling = async {
            grpc.ready().await.map_err(|error| Failure::NotSent(sentence(&error)))?;
            let request = self.request(ReadReq { options: Some(options) });
            let codec = ProstCodec::<ReadReq, ReadResp>::default();
            grpc.server_streaming(request, path, codec).await.map_err(|status| Failure::of(&status))
        };
        let answer = timeout(self.patience.message, calling).await.unwrap_or_else(|_| Err(Failure::silence()));
        answer.map_err(|failure| failure.at(&self.node))
    }

    /// Makes a request that requires the leader: another node may lag, and would forward an append without reporting
    /// its outcome.
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert(REQUIRES_LEADER, MetadataValue::from_static("true"));
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        request
    }
}

fn identifier(stream: &str) -> StreamIdentifier {
    StreamIdentifier { stream_name: stream.to_owned().into() }
}

fn endpoint(node: &Node, settings: &Settings, patience: Patience) -> Result<Endpoint, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(settings.uri(node))?
        .http2_keep_alive_interval(patience.ping)
        .keep_alive_timeout(patience.ping)
        .keep_alive_while_idle(true);
    match &settings.tls {
        Some(tls) => endpoint.tls_config(tls.clone()),
        None => Ok(endpoint),
    }
}

/// Makes a connector that connects the first time, and never again.
fn once(node: Node) -> impl Fn(Uri) -> BoxFuture<TokioIo<TcpStream>, io::Error> {
    let used = AtomicBool::new(false);
    move |_| {
        let (node, over) = (node.clone(), used.swap(true, Ordering::Relaxed));
        Box::pin(async move {
            if over {
                return Err(io::Error::other("the connection has ended"));
            }
            let socket = TcpStream::connect((node.host.as_str(), node.port)).await?;
            // An append has a few small segments. Without this, each waits for the acknowledgement of the one before
            // it.
            socket.set_nodelay(true)?;
            Ok(TokioIo::new(socket))
        })
    }
}
