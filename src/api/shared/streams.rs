//! Server-sent events of changes. Frames are made once and shared. A subscriber is a body that is polled; it has no
//! task and no channel of its own. One task looks for changes, however many subscribers there are.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use domain::{Position, ScheduleId, Timestamp};
use futures_util::stream;
use projections::ReadModels;
use serde::Serialize;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::connections::IsStream;
use super::json;
use super::kinds;
use super::problem::Problem;
use crate::engine::Engine;

/// The default limit of streams.
pub const MAX_STREAMS: usize = 20_000;
/// The time between two comments on a stream without news.
pub const COMMENT_EVERY: Duration = Duration::from_secs(5);
/// How long changes of seats are collected for one frame.
const SEATS_EVERY: Duration = Duration::from_millis(100);
/// Changes of the queue are collected so many times as long.
const QUEUE_EVERY_TICKS: u64 = 5;
/// How many frames of seats a subscriber may lag behind. After that it reads the changes from the log.
const LAG: usize = 64;

/// A comment, which keeps proxies and clients from giving up.
pub const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// All streams of a server.
pub struct Streams {
    max: usize,
    open: Arc<AtomicUsize>,
    stopped: watch::Receiver<()>,
    queue: watch::Receiver<Bytes>,
    seats: Arc<Mutex<BTreeMap<ScheduleId, broadcast::Sender<SeatsFrame>>>>,
}

/// The changed seats of one schedule, as a frame.
#[derive(Debug, Clone)]
pub struct SeatsFrame {
    /// The position up to which the frame holds all changes.
    pub position: Position,
    /// The bytes of the frame.
    pub bytes: Bytes,
}

/// A seat in a frame.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeatShown {
    pub seat_id: domain::SeatId,
    pub status: &'static str,
}

#[derive(Serialize)]
struct SeatsShown<'a> {
    position: Position,
    seats: &'a [SeatShown],
}

/// Makes a frame of JSON.
pub fn frame(shown: &impl Serialize) -> Bytes {
    whole(b"data: ", &json::bytes(shown))
}

fn whole(head: &[u8], data: &[u8]) -> Bytes {
    [head, data, b"\n\n"].concat().into()
}

/// Makes a frame of seats as of a position.
pub fn seats_frame(position: Position, seats: &[SeatShown]) -> SeatsFrame {
    let head = format!("id: {position}\ndata: ");
    SeatsFrame { position, bytes: whole(head.as_bytes(), &json::bytes(&SeatsShown { position, seats })) }
}

impl Streams {
    /// Looks for changes until the server stops.
    pub fn start(engine: Engine, max: usize, stopped: watch::Receiver<()>) -> Self {
        let (queue_changed, queue) = watch::channel(queue_frame(&engine.read_models(), engine.now()));
        let seats = Arc::default();
        tokio::spawn(look(engine, queue_changed, Arc::clone(&seats), stopped.clone()));
        Self { max, open: Arc::default(), stopped, queue, seats }
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// A place for one more.
    ///
    /// # Errors
    /// There are as many as there may be.
    pub fn subscribe(&self) -> Result<Subscription, Problem> {
        let place = PlaceTaken(Arc::clone(&self.open));
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.max {
            return Err(Problem::new(
                &kinds::OVERLOADED,
                "Too many streams are open. Use ordinary requests for a while.",
            ));
        }
        Ok(Subscription { stopped: self.stopped.clone(), _place: place })
    }

    /// Frames of the queue: the newest, each time that there is another.
    pub fn queue(&self) -> watch::Receiver<Bytes> {
        self.queue.clone()
    }

    /// Frames of a schedule's seats from now on.
    pub fn seats(&self, schedule_id: ScheduleId) -> broadcast::Receiver<SeatsFrame> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.entry(schedule_id).or_insert_with(|| broadcast::channel(LAG).0).subscribe()
    }
}

/// One stream among all.
pub struct Subscription {
    stopped: watch::Receiver<()>,
    _place: PlaceTaken,
}

struct PlaceTaken(Arc<AtomicUsize>);

impl Drop for PlaceTaken {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A source of a subscriber's frames. `None` ends the stream.
pub trait Frames: Send + 'static {
    /// The next frame. It may be given up midway, and asked for again.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;
}

impl Subscription {
    /// The stream as a response. It ends when the server stops.
    pub fn respond(self, frames: impl Frames) -> Response {
        let told = stream::unfold((self, frames), |(mut subscription, mut frames)| async move {
            let frame = tokio::select! {
                biased;
                _ = subscription.stopped.changed() => None,
                frame = frames.next() => frame,
            };
            Some((Ok::<_, Infallible>(frame?), (subscription, frames)))
        });
        let headers =
            [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")];
        let mut response = (headers, Body::from_stream(told)).into_response();
        response.extensions_mut().insert(IsStream);
        response
    }
}

/// Makes a frame of the room.
pub fn queue_frame(read_models: &ReadModels, now: Timestamp) -> Bytes {
    whole(b"data: ", &read_models.room().queue(now).body)
}

/// Looks for changes, and makes their frames.
async fn look(
    engine: Engine,
    queue: watch::Sender<Bytes>,
    seats: Arc<Mutex<BTreeMap<ScheduleId, broadcast::Sender<SeatsFrame>>>>,
    mut stopped: watch::Receiver<()>,
) {
    let mut ticks = tokio::time::interval_at(Instant::now() + SEATS_EVERY, SEATS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut before, mut ticked) = (engine.read_models(), 0_u64);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = ticks.tick() => ticked += 1,
        }
        if ticked % QUEUE_EVERY_TICKS == 0 {
            let frame = queue_frame(&engine.read_models(), engine.now());
            queue.send_if_modified(|last| {
                let changed = *last != frame;
                if changed {
                    *last = frame;
                }
                changed
            });
        }
        let now = engine.read_models();
        if now.state.head.position > before.state.head.position {
            tell_seats(&before, &now, &seats);
            before = now;
        }
    }
}

fn tell_seats(
    before: &ReadModels,
    now: &ReadModels,
    seats: &Mutex<BTreeMap<ScheduleId, broadcast::Sender<SeatsFrame>>>,
) {
    let mut seats = seats.lock().unwrap_or_else(PoisonError::into_inner);
    seats.retain(|_, subscribers| subscribers.receiver_count() > 0);
    for (schedule_id, subscribers) in seats.iter() {
        let changed = now.seats_changed_since(before, *schedule_id);
        if !changed.is_empty() {
            let shown: Vec<_> = changed.into_iter().map(|(seat_id, status)| SeatShown { seat_id, status }).collect();
            // An error means that no subscriber is left.
            let _ = subscribers.send(seats_frame(now.state.head.position, &shown));
        }
    }
}
