//! The calls on a node, as one connection sees it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::sync::Notify;
use tonic::body::Body;
use tonic::codec::ProstCodec;
use tonic::codegen::http;
use tonic::metadata::MetadataMap;
use tonic::server::Grpc;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::fault::Fault;
use crate::gossip::{self, ClusterInfo, EndPoint, MemberInfo, SupportedMethods};
use crate::protocol::{
    APPEND, AppendContent, AppendReq, AppendResp, AppendResult, AppendSuccess, Begin, Confirmation, Count, EXCEPTION,
    Empty, Expected, LEADER, NOT_LEADER, NOT_READY, ProposedMessage, READ, REQUIRES_LEADER, ReadContent, ReadEvent,
    ReadReq, ReadResp, StreamIdentifier, StreamNotFound, TYPE,
};
use crate::store::{Shared, conflict};

/// The most that one append may hold, as the server counts it.
const MAX_APPEND_BYTES: usize = 1024 * 1024;

/// A node, as one connection sees it.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) index: usize,
    pub(crate) shared: Arc<Shared>,
    /// Told when this connection is to break.
    pub(crate) cut: Arc<Notify>,
}

pub(crate) async fn answer<B>(peer: Peer, request: http::Request<B>) -> Result<http::Response<Body>, Infallible>
where
    B: tonic::codegen::Body + Send + 'static,
    B::Error: Into<tonic::codegen::StdError> + Send,
{
    let path = request.uri().path().to_owned();
    Ok(match path.as_str() {
        APPEND => {
            let call = tower::service_fn(|request| peer.append(request));
            // tonic takes a request that the client gave up for one that has ended.
            let request = request.map(|body| body.map_err(|error| Status::aborted(error.into().to_string())));
            Grpc::new(ProstCodec::<AppendResp, AppendReq>::default()).client_streaming(call, request).await
        }
        READ => {
            let tears = peer.shared.lock().tears();
            let call = tower::service_fn(|request| async {
                let answer = peer.read(request).await?;
                Ok(answer.map(|told| if tears { told.take(1).boxed() } else { told }))
            });
            let answer = Grpc::new(ProstCodec::<ReadResp, ReadReq>::default()).server_streaming(call, request).await;
            if tears { answer.map(without_trailers) } else { answer }
        }
        gossip::READ => {
            let call = tower::service_fn(|_: Request<()>| peer.gossip());
            Grpc::new(ProstCodec::<ClusterInfo, ()>::default()).unary(call, request).await
        }
        gossip::FEATURES => {
            let call = tower::service_fn(|_: Request<()>| peer.features());
            Grpc::new(ProstCodec::<SupportedMethods, ()>::default()).unary(call, request).await
        }
        _ => Status::unimplemented("the stand-in does not know this call").into_http(),
    })
}

/// An answer as one looks that broke off: nothing is said of how it went.
fn without_trailers(body: Body) -> Body {
    Body::new(body.map_frame(|frame| Frame::data(frame.into_data().unwrap_or_default())))
}

impl Peer {
    async fn append(&self, request: Request<Streaming<AppendReq>>) -> Result<Response<AppendResp>, Status> {
        self.admits(request.metadata())?;
        let (stream, expected, messages) = received(request.into_inner()).await?;
        self.shared.lock().stream(&stream).must_live()?;
        let fault = self.shared.lock().faults.pop_front();
        match fault {
            None => {}
            Some(Fault::Conflict) => {
                let last = self.shared.lock().stream(&stream).last();
                let result = AppendResult::WrongExpectedVersion(conflict(&expected, last));
                return Ok(Response::new(AppendResp { result: Some(result) }));
            }
            Some(Fault::NotReady) => return Err(Status::unavailable(NOT_READY)),
            Some(Fault::TimedOut) => return Err(Status::aborted("Operation timed out: injected")),
            Some(Fault::LandsLate(after)) => {
                let shared = Arc::clone(&self.shared);
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    // Too late is as good as never.
                    let _ = shared.append(&stream, &expected, messages);
                });
                return self.break_off().await;
            }
            Some(Fault::ReplyLost) => {
                let _ = self.shared.append(&stream, &expected, messages);
                return self.break_off().await;
            }
            Some(Fault::Silent) => {
                let _ = self.shared.append(&stream, &expected, messages);
                return std::future::pending().await;
            }
        }
        let shown_after = self.shared.lock().shown_after;
        let result = match self.shared.append(&stream, &expected, messages) {
            Ok(current_revision) => {
                // Who wrote it is told when the others can read it: by then it is on a majority's disks.
                tokio::time::sleep(shown_after).await;
                self.shared.tell();
                AppendResult::Success(AppendSuccess { current_revision, no_position: Some(Empty {}) })
            }
            Err(conflict) => AppendResult::WrongExpectedVersion(conflict),
        };
        Ok(Response::new(AppendResp { result: Some(result) }))
    }

    /// Breaks the connection under the call that is being answered.
    async fn break_off<T>(&self) -> T {
        self.cut.notify_one();
        std::future::pending().await
    }

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Responses>, Status> {
        self.admits(request.metadata())?;
        let options = request.into_inner().options.ok_or_else(|| Status::invalid_argument("options"))?;
        let of = options.stream.ok_or_else(|| Status::invalid_argument("stream"))?;
        let name = text(of.stream)?;
        let from = of.from.ok_or_else(|| Status::invalid_argument("revision"))?;
        options.id_form.ok_or_else(|| Status::invalid_argument("uuidOption"))?;
        options.no_filter.ok_or_else(|| Status::invalid_argument("filter"))?;
        self.shared.lock().stream(&name).must_live()?;
        Ok(Response::new(match options.count {
            Some(Count::Events(0)) | None => return Err(Status::invalid_argument("count")),
            Some(Count::Events(count)) => self.page(&name, &from, options.direction == 1, count),
            Some(Count::Subscription(_)) => self.subscription(name, &from),
        }))
    }

    fn page(&self, name: &str, from: &Begin, backwards: bool, count: u64) -> Responses {
        let mut state = self.shared.lock();
        let stream = state.stream(name);
        let end = stream.hidden_from();
        let events = &stream.events;
        if events.range(..end).next().is_none() {
            let stream = Some(StreamIdentifier { stream_name: name.to_owned().into() });
            let content = Some(ReadContent::StreamNotFound(StreamNotFound { stream }));
            return stream::iter([Ok(ReadResp { content })]).boxed();
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let range = match (from, backwards) {
            (Begin::Revision(at), true) => 0..end.min(at + 1),
            (Begin::Revision(at), false) => *at.min(&end)..end,
            (Begin::Start(_), true) => 0..1.min(end),
            (Begin::Start(_), false) | (Begin::End(_), true) => 0..end,
            (Begin::End(_), false) => 0..0,
        };
        let shown = events.range(range).map(|(_, event)| told(event));
        let found: Vec<ReadResp> =
            if backwards { shown.rev().take(count).collect() } else { shown.take(count).collect() };
        stream::iter(found.into_iter().map(Ok)).boxed()
    }

    fn subscription(&self, name: String, from: &Begin) -> Responses {
        let next = match from {
            Begin::Revision(revision) => revision + 1,
            Begin::Start(_) => 0,
            Begin::End(_) => {
                let mut state = self.shared.lock();
                let stream = state.stream(&name);
                stream.last().map_or(0, |last| last + 1).min(stream.hidden_from())
            }
        };
        let (mut written, mut ended) = (self.shared.written(), self.shared.ended());
        written.mark_changed();
        let confirmed = ReadContent::Confirmation(Confirmation { subscription_id: "stand-in".to_owned() });
        let opening =
            [confirmed, ReadContent::CaughtUp(Empty {})].map(|content| Ok(ReadResp { content: Some(content) }));
        ended.mark_unchanged();
        let shared = Arc::clone(&self.shared);
        let live = stream::unfold((next, written, ended), move |(next, mut written, mut ended)| {
            let (shared, name) = (Arc::clone(&shared), name.clone());
            async move {
                tokio::select! {
                    changed = written.changed() => changed.ok()?,
                    _ = ended.changed() => return None,
                }
                let events: Vec<_> = {
                    let mut state = shared.lock();
                    let stream = state.stream(&name);
                    let refused = stream.must_live().err().map(Err);
                    let end = stream.hidden_from();
                    stream.events.range(next.min(end)..end).map(|(_, event)| Ok(told(event))).chain(refused).collect()
                };
                let after = next + events.len() as u64;
                Some((stream::iter(events), (after, written, ended)))
            }
        });
        stream::iter(opening).chain(live.flatten()).boxed()
    }

    async fn gossip(&self) -> Result<Response<ClusterInfo>, Status> {
        let state = self.shared.lock();
        let member = |(index, address): (usize, &SocketAddr)| MemberInfo {
            state: if index == state.leader { gossip::LEADER } else { gossip::FOLLOWER },
            is_alive: true,
            http_end_point: Some(EndPoint { address: address.ip().to_string(), port: u32::from(address.port()) }),
        };
        Ok(Response::new(ClusterInfo { members: state.addresses.iter().enumerate().map(member).collect() }))
    }

    async fn features(&self) -> Result<Response<SupportedMethods>, Status> {
        Ok(Response::new(SupportedMethods { event_store_server_version: "23.10.8.0".to_owned() }))
    }

    /// Lets in who may, and sends on who wants the leader.
    fn admits(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let said = |key: &str| metadata.get(key).and_then(|value| value.to_str().ok());
        let state = self.shared.lock();
        if !state.lets_in(said("authorization")) {
            return Err(Status::unauthenticated("Bad HTTP status code: 401"));
        }
        if state.leader == self.index || said(REQUIRES_LEADER) != Some("true") {
            return Ok(());
        }
        let leader = state.addresses[state.leader];
        let mut told = MetadataMap::new();
        told.insert(EXCEPTION, NOT_LEADER.parse().expect("a constant"));
        told.insert(LEADER.0, leader.ip().to_string().parse().expect("an address is ASCII"));
        told.insert(LEADER.1, leader.port().to_string().parse().expect("a port is ASCII"));
        Err(Status::with_metadata(Code::NotFound, "Leader info available", told))
    }
}

type Responses = BoxStream<'static, Result<ReadResp, Status>>;

fn told(event: &crate::protocol::RecordedEvent) -> ReadResp {
    let event = ReadEvent { event: Some(event.clone()), no_position: Some(Empty {}) };
    ReadResp { content: Some(ReadContent::Event(event)) }
}

fn text(stream: Option<StreamIdentifier>) -> Result<String, Status> {
    let name = stream.ok_or_else(|| Status::invalid_argument("streamIdentifier"))?.stream_name;
    String::from_utf8(name.into()).map_err(|_| Status::invalid_argument("streamName"))
}

/// An append, whole: a request that breaks off is none.
async fn received(mut requests: Streaming<AppendReq>) -> Result<(String, Expected, Vec<ProposedMessage>), Status> {
    let Some(AppendContent::Options(options)) = requests.message().await?.and_then(|request| request.content) else {
        return Err(Status::unknown("Exception was thrown by handler."));
    };
    let expected = options.expected.ok_or_else(|| Status::invalid_argument("expectedStreamRevision"))?;
    let (mut messages, mut size) = (Vec::new(), 0);
    while let Some(request) = requests.message().await? {
        let Some(AppendContent::Proposed(message)) = request.content else {
            return Err(Status::unknown("Exception was thrown by handler."));
        };
        let event_type = message.metadata.get(TYPE).ok_or_else(|| Status::invalid_argument("type"))?;
        size += message.data.len() + message.custom_metadata.len() + 2 * event_type.len();
        if size > MAX_APPEND_BYTES {
            return Err(Status::invalid_argument(format!("Maximum Append Size of {MAX_APPEND_BYTES} Exceeded.")));
        }
        messages.push(message);
    }
    Ok((text(options.stream)?, expected, messages))
}
