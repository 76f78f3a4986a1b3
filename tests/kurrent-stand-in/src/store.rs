//! The streams of the stand-in, and on what condition they grow.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::watch;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::fault::Fault;
use crate::protocol::{
    CONTENT_TYPE, CREATED, DELETED, EXCEPTION, Empty, Expected, Id, ProposedMessage, RecordedEvent, StreamIdentifier,
    TICKS_PER_MILLISECOND, TYPE, WrongExpectedVersion,
};
use crate::tls::Tls;

/// What all nodes show, and tell each other.
pub struct Shared {
    /// How connections are secured, if they are.
    pub tls: Option<Tls>,
    state: Mutex<State>,
    /// Grows with every append.
    written: watch::Sender<u64>,
    /// Grows when subscriptions are to end.
    ended: watch::Sender<u64>,
}

/// All there is.
#[derive(Default)]
pub struct State {
    pub addresses: Vec<SocketAddr>,
    pub leader: usize,
    pub faults: VecDeque<Fault>,
    pub clock_ahead_ms: i64,
    /// So many of the next readings break off.
    pub torn_readings: u64,
    /// For so long what was appended is known to those who append, and to nobody who reads.
    pub shown_after: Duration,
    authorization: Option<String>,
    streams: HashMap<String, Stream>,
}

/// One stream.
#[derive(Default)]
pub struct Stream {
    pub events: BTreeMap<u64, RecordedEvent>,
    /// From which revision on nobody who reads may see an event, and until when.
    hidden: VecDeque<(u64, Instant)>,
    /// The ids that were appended since the server started: with any revision, those are not appended again.
    ids: HashSet<[i64; 2]>,
    is_deleted: bool,
}

impl Shared {
    pub fn new(tls: Option<Tls>) -> Self {
        Self { tls, state: Mutex::default(), written: watch::channel(0).0, ended: watch::channel(0).0 }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a test that panicked has failed already")
    }

    pub fn written(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    pub fn ended(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// Deletes a stream for good.
    pub fn delete(&self, stream: &str) {
        *self.lock().stream(stream) = Stream { is_deleted: true, ..Stream::default() };
        self.written.send_modify(|count| *count += 1);
    }

    pub fn end_subscriptions(&self) {
        self.ended.send_modify(|count| *count += 1);
    }

    /// Appends if the condition holds, or held when the same was appended before; the last event's revision.
    pub fn append(
        &self,
        stream: &str,
        expected: &Expected,
        messages: Vec<ProposedMessage>,
    ) -> Result<Option<u64>, WrongExpectedVersion> {
        let appended = self.lock().append(stream, expected, messages);
        self.tell();
        appended
    }

    /// Has subscriptions look.
    pub fn tell(&self) {
        self.written.send_modify(|count| *count += 1);
    }

    pub fn write(&self, stream: &str, event_type: &str, data: &str) {
        let metadata = [(TYPE, event_type), (CONTENT_TYPE, "application/json")];
        let message = ProposedMessage {
            id: Some(Id::from(u128::from(self.lock().stream(stream).events.len() as u64 + 1).to_be_bytes())),
            metadata: metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            data: data.to_owned().into(),
            ..Default::default()
        };
        let last = self.lock().stream(stream).last();
        let expected = last.map_or(Expected::NoStream(Empty {}), Expected::Revision);
        self.append(stream, &expected, vec![message]).expect("nobody else writes at this moment");
    }
}

impl State {
    pub fn stream(&mut self, name: &str) -> &mut Stream {
        self.streams.entry(name.to_owned()).or_default()
    }

    /// Whether the next reading breaks off.
    pub fn tears(&mut self) -> bool {
        let tears = self.torn_readings > 0;
        self.torn_readings = self.torn_readings.saturating_sub(1);
        tears
    }

    pub fn alter(&mut self, stream: &str, revision: u64) {
        let event = self.stream(stream).events.get_mut(&revision).expect("the event to alter is there");
        event.data = [event.data.as_ref(), b" "].concat().into();
    }

    pub fn demand(&mut self, user: &str, password: &str) {
        self.authorization = Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    }

    pub fn lets_in(&self, authorization: Option<&str>) -> bool {
        self.authorization.is_none() || self.authorization.as_deref() == authorization
    }

    pub fn forget(&mut self) {
        self.streams.values_mut().for_each(|stream| stream.ids.clear());
    }

    fn append(
        &mut self,
        name: &str,
        expected: &Expected,
        messages: Vec<ProposedMessage>,
    ) -> Result<Option<u64>, WrongExpectedVersion> {
        let (created, shown_after) = (self.ticks().to_string(), self.shown_after);
        let stream = self.stream(name);
        let last = stream.last();
        let next = last.map_or(0, |last| last + 1);
        let first = match expected {
            Expected::Revision(revision) => revision + 1,
            Expected::NoStream(_) => 0,
            Expected::Any(_) if messages.iter().all(|message| stream.ids.contains(&bits(message.id.as_ref()))) => {
                return Ok(last);
            }
            Expected::Any(_) => next,
        };
        if first != next {
            // The very same events right after the revision: the append succeeded before. Their data is not looked at.
            let has = |(revision, message): (u64, &ProposedMessage)| {
                stream.events.get(&revision).is_some_and(|event| event.id == message.id)
            };
            let repeated = !messages.is_empty() && (first..).zip(&messages).all(has);
            return if repeated { Ok(Some(first + messages.len() as u64 - 1)) } else { Err(conflict(expected, last)) };
        }
        if !shown_after.is_zero() {
            stream.hidden.push_back((next, Instant::now() + shown_after));
        }
        for (revision, message) in (next..).zip(messages) {
            stream.ids.insert(bits(message.id.as_ref()));
            stream.events.insert(revision, recorded(name, revision, &created, message));
        }
        Ok(stream.last())
    }

    fn ticks(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
        let ticks = i64::try_from(since.as_nanos() / 100).expect("ticks fit until the year 31,000");
        ticks + self.clock_ahead_ms * TICKS_PER_MILLISECOND
    }
}

impl Stream {
    /// Refuses, as the server does, whatever is asked of a stream that was deleted for good.
    pub fn must_live(&self) -> Result<(), Status> {
        if !self.is_deleted {
            return Ok(());
        }
        let mut told = MetadataMap::new();
        told.insert(EXCEPTION, DELETED.parse().expect("a constant"));
        Err(Status::with_metadata(Code::FailedPrecondition, "Event stream is deleted.", told))
    }

    /// The first revision that nobody who reads may see yet.
    pub fn hidden_from(&mut self) -> u64 {
        while self.hidden.pop_front_if(|(_, until)| *until <= Instant::now()).is_some() {}
        self.hidden.front().map_or(u64::MAX, |(revision, _)| *revision)
    }

    pub fn last(&self) -> Option<u64> {
        self.events.last_key_value().map(|(revision, _)| *revision)
    }
}

fn bits(id: Option<&Id>) -> [i64; 2] {
    let id = id.and_then(|id| id.structured.clone()).unwrap_or_default();
    [id.most_significant_bits, id.least_significant_bits]
}

/// A conflict tells what was expected and what is there.
pub fn conflict(expected: &Expected, last: Option<u64>) -> WrongExpectedVersion {
    let told = WrongExpectedVersion {
        current_revision: last,
        current_no_stream: last.is_none().then_some(Empty {}),
        ..Default::default()
    };
    match expected {
        Expected::Revision(revision) => WrongExpectedVersion { expected_revision: Some(*revision), ..told },
        Expected::NoStream(_) => WrongExpectedVersion { expected_no_stream: Some(Empty {}), ..told },
        Expected::Any(_) => WrongExpectedVersion { expected_any: Some(Empty {}), ..told },
    }
}

fn recorded(name: &str, revision: u64, created: &str, message: ProposedMessage) -> RecordedEvent {
    let mut metadata = message.metadata;
    metadata.insert(CREATED.to_owned(), created.to_owned());
    RecordedEvent {
        id: message.id,
        stream: Some(StreamIdentifier { stream_name: name.to_owned().into() }),
        revision,
        metadata,
        custom_metadata: message.custom_metadata,
        data: message.data,
    }
}
