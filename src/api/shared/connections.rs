//! The open connections: how many there may be, and which are closed first if there are too many.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// To make room, one idle connection is closed, and one more for each so many places. So the search for idle
/// connections does not run for each new connection.
const SHARE_LET_GO: usize = 64;
/// How soon idle connections are looked for again, if there are none.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// All of a listener's connections.
#[derive(Debug)]
pub struct Connections {
    max: usize,
    begun: Instant,
    open: Mutex<Open>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Open {
    last_number: u64,
    connections: HashMap<u64, Arc<Connection>>,
}

/// One connection, as the others see it.
#[derive(Debug)]
pub struct Connection {
    begun: Instant,
    /// The begin of the idle time, in milliseconds since `begun`.
    idle_since: AtomicU64,
    /// The number of requests that are being answered.
    answering: AtomicU64,
    /// True if it has become a stream, which is never idle.
    is_stream: AtomicBool,
    /// True if it must close, idle or not.
    is_cut_off: AtomicBool,
    let_go: Notify,
}

/// A place among the connections, until it is dropped.
#[derive(Debug)]
pub struct ConnectionSlot {
    number: u64,
    /// The part that the connection's task shares with other tasks.
    pub connection: Arc<Connection>,
    connections: Arc<Connections>,
}

impl Connections {
    /// Makes room for at most `max` connections at a time.
    pub fn at_most(max: usize) -> Arc<Self> {
        Arc::new(Self { max, begun: Instant::now(), open: Mutex::default(), ended: Notify::new() })
    }

    /// Waits for a place. If there is none, the connections that have been idle longest are closed.
    pub async fn place(self: &Arc<Self>) -> ConnectionSlot {
        loop {
            if let Some(place) = self.free_place() {
                return place;
            }
            let ended = self.ended.notified();
            self.let_idle_go();
            let _ = tokio::time::timeout(LOOK_AGAIN, ended).await;
        }
    }

    /// Ends every connection, also in the middle of a request.
    pub fn cut_off(&self) {
        for connection in self.open().connections.values() {
            connection.is_cut_off.store(true, Ordering::Relaxed);
            connection.let_go.notify_one();
        }
    }

    fn free_place(self: &Arc<Self>) -> Option<ConnectionSlot> {
        let mut open = self.open();
        if open.connections.len() >= self.max {
            return None;
        }
        open.last_number += 1;
        let connection = Arc::new(Connection {
            begun: self.begun,
            idle_since: AtomicU64::new(millis_since(self.begun)),
            answering: AtomicU64::new(0),
            is_stream: AtomicBool::new(false),
            is_cut_off: AtomicBool::new(false),
            let_go: Notify::new(),
        });
        let number = open.last_number;
        open.connections.insert(number, Arc::clone(&connection));
        Some(ConnectionSlot { number, connection, connections: Arc::clone(self) })
    }

    fn let_idle_go(&self) {
        let open = self.open();
        let mut idle: Vec<_> = open.connections.iter().filter(|(_, connection)| connection.is_idle()).collect();
        let leaving = (1 + self.max / SHARE_LET_GO).min(idle.len());
        if leaving == 0 {
            return;
        }
        // If two have been idle equally long, the older one is closed first.
        idle.select_nth_unstable_by_key(leaving - 1, |(number, connection)| {
            (connection.idle_since.load(Ordering::Relaxed), **number)
        });
        for (_, connection) in &idle[..leaving] {
            connection.let_go.notify_one();
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        // A panic while the lock was held cannot have left it in a wrong state.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.connections.open().connections.remove(&self.number);
        self.connections.ended.notify_one();
    }
}

impl Connection {
    /// Begins the idle time: a client has taken the place.
    pub fn begin(&self) {
        self.idle_since.store(millis_since(self.begun), Ordering::Relaxed);
    }

    /// Counts a request that is being answered, until the guard is dropped.
    pub fn answering(self: &Arc<Self>) -> Answering {
        self.answering.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    /// Marks the connection as a stream, which is not idle however little it sends.
    pub fn is_a_stream_now(&self) {
        self.is_stream.store(true, Ordering::Relaxed);
    }

    /// Ends when this connection is told to make room for others. Meanwhile it may have begun a request.
    pub async fn is_let_go(&self) {
        self.let_go.notified().await;
    }

    /// True if it must close after it was told to make room: it is idle, or all connections end.
    pub fn must_go(&self) -> bool {
        self.is_cut_off.load(Ordering::Relaxed) || self.is_idle()
    }

    fn is_idle(&self) -> bool {
        self.answering.load(Ordering::Relaxed) == 0 && !self.is_stream.load(Ordering::Relaxed)
    }
}

/// Marks a response that is a stream.
#[derive(Debug, Clone, Copy)]
pub struct IsStream;

/// A request that is being answered.
#[derive(Debug)]
pub struct Answering(Arc<Connection>);

impl Answering {
    /// The connection of the request.
    pub fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.idle_since.store(millis_since(self.0.begun), Ordering::Relaxed);
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

fn millis_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn has_room(connections: &Arc<Connections>) -> bool {
        tokio::time::timeout(Duration::from_millis(100), connections.place()).await.is_ok()
    }

    /// True if a connection is told to close within a moment.
    async fn is_told(place: &ConnectionSlot) -> bool {
        tokio::time::timeout(Duration::from_millis(1), place.connection.is_let_go()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_as_many_as_have_room_and_no_more() {
        let connections = Connections::at_most(2);
        let (first, _second) = (connections.place().await, connections.place().await);
        let answering = first.connection.answering();
        assert!(!has_room(&connections).await);
        drop((first, answering));
        assert!(has_room(&connections).await);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_idles_longest_goes_first_and_whoever_is_answered_or_reads_a_stream_never() {
        let connections = Connections::at_most(4);
        let mut places = Vec::new();
        for _ in 0..4 {
            places.push(connections.place().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let answering = places[0].connection.answering();
        places[1].connection.is_a_stream_now();
        drop(places[2].connection.answering());
        assert!(!has_room(&connections).await);
        let mut told = Vec::new();
        for place in &places {
            told.push(is_told(place).await);
        }
        assert_eq!(told, [false, false, false, true]);
        drop(answering);
    }

    #[tokio::test(start_paused = true)]
    async fn of_those_who_came_last_and_have_not_asked_yet_nobody_goes_before_the_others() {
        let connections = Connections::at_most(70);
        let mut places = Vec::new();
        for _ in 0..70 {
            places.push(connections.place().await);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        places[0].connection.begin();
        assert!(!has_room(&connections).await);
        let told = [is_told(&places[0]).await, is_told(&places[1]).await, is_told(&places[69]).await];
        assert_eq!(told, [false, true, false]);
    }
}
